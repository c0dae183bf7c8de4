import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventRing } from '../src/event-ring.ts'

interface Value {
  readonly n: number
  readonly bytes: number
}

/** The plainest ring there is: a list that is looked through as a whole. */
class ModelRing {
  values: Value[] = []
  dropped = 0
  readonly #capacity: number
  readonly #capacityBytes: number

  constructor(capacity: number, capacityBytes: number) {
    this.#capacity = capacity
    this.#capacityBytes = capacityBytes
  }

  put(value: Value): void {
    const all = [...this.values, value]
    const fits = (held: readonly Value[]): boolean =>
      held.length === 1 ||
      (held.length <= this.#capacity &&
        held.reduce((sum, { bytes }) => sum + bytes, 0) <= this.#capacityBytes)
    while (!fits(all)) {
      all.shift()
      this.dropped++
    }
    this.values = all
  }
}

describe('EventRing', () => {
  it('holds, drops and gives what a plain list would', async () => {
    const put = fc.record({ type: fc.constant('put' as const), bytes: fc.integer({ min: 0, max: 40 }) })
    const take = fc.record({ type: fc.constant('take' as const) })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.oneof({ weight: 3, arbitrary: put }, { weight: 2, arbitrary: take }), { maxLength: 80 }),
        async (capacity, capacityBytes, steps) => {
          const ring = new EventRing<Value>(capacity, capacityBytes)
          const model = new ModelRing(capacity, capacityBytes)
          const seen: unknown[] = []
          const modelled: unknown[] = []
          let n = 0
          for (const step of steps) {
            if (step.type === 'put') {
              const value = { n: n++, bytes: step.bytes }
              ring.put(value)
              model.put(value)
            } else if (model.values.length > 0) {
              seen.push(await ring.take())
              modelled.push(model.values.shift())
            }
            seen.push({ size: ring.size, dropped: ring.dropped })
            modelled.push({ size: model.values.length, dropped: model.dropped })
          }
          expect(seen).toEqual(modelled)
          ring.end()
          for (const left of model.values) expect(await ring.take()).toEqual(left)
          expect(await ring.take()).toBeUndefined()
        },
      ),
    )
  })

  it('gives to a reader who waits already, and counts the weight of what goes that way as gone', async () => {
    const ring = new EventRing<Value>(10, 10)
    for (let n = 0; n < 5; n++) {
      const waiting = ring.take()
      ring.put({ n, bytes: 10 })
      expect(await waiting).toEqual({ n, bytes: 10 })
    }
    ring.put({ n: 5, bytes: 4 })
    ring.put({ n: 6, bytes: 6 })
    expect(ring.size).toBe(2)
    expect(ring.dropped).toBe(0)
  })

  it('keeps no weight of values that are handed over in the same turn as others come', async () => {
    const ring = new EventRing<Value>(10, 10)
    const waiting = ring.take()
    // The first goes to the reader, who has not run yet when the second comes: nothing needs to be dropped.
    ring.put({ n: 0, bytes: 6 })
    ring.put({ n: 1, bytes: 3 })
    ring.put({ n: 2, bytes: 6 })
    expect(await waiting).toEqual({ n: 0, bytes: 6 })
    expect(await ring.take()).toEqual({ n: 1, bytes: 3 })
    expect(await ring.take()).toEqual({ n: 2, bytes: 6 })
    expect(ring.dropped).toBe(0)
  })

  it('ends behind what it holds, with the error if there is one, and takes nothing more', async () => {
    const ring = new EventRing<Value>(10, 10)
    ring.put({ n: 0, bytes: 1 })
    ring.end(new Error('the tap broke'))
    ring.put({ n: 1, bytes: 1 })
    expect(await ring.take()).toEqual({ n: 0, bytes: 1 })
    await expect(ring.take()).rejects.toThrow('the tap broke')
    expect(await ring.take()).toBeUndefined()
  })
})
