import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AckCoalescer } from '../../src/client/ack-coalescer.ts'

type Step = { readonly kind: 'deliver' | 'ack' | 'settle' | 'flush'; readonly pick: number }

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('deliver', 'deliver', 'deliver', 'ack', 'ack', 'settle', 'flush'),
    pick: fc.nat(),
  }),
  { maxLength: 400 },
)

/**
 * The broker's side: which deliveries are out, and what an ack settles. As RabbitMQ does, it refuses an ack whose
 * tag is not out.
 */
class UnackedDeliveries {
  readonly out = new Set<number>()
  readonly acked = new Set<number>()

  ack(tag: number, multiple: boolean): void {
    if (!this.out.has(tag)) throw new RangeError(`406 unknown delivery tag ${tag}`)
    for (const candidate of multiple ? [...this.out].filter((other) => other <= tag) : [tag]) {
      this.out.delete(candidate)
      this.acked.add(candidate)
    }
  }
}

describe('AckCoalescer', () => {
  it('acks what single acks would have, never more and never twice, in any order', () => {
    const property = fc.property(steps, (given) => {
      const acks = new AckCoalescer()
      const broker = new UnackedDeliveries()
      const open: number[] = [] // delivered, and nobody has decided yet
      const expected = new Set<number>()
      const waiting = new Set<number>()
      let tags = 0
      const flush = (): void => {
        let frames = 0
        acks.flush((tag, multiple) => {
          frames++
          const before = new Set(broker.acked)
          broker.ack(tag, multiple)
          for (const acked of broker.acked)
            if (!before.has(acked) && !waiting.has(acked)) throw new RangeError(`${acked} was acked unasked`)
        })
        expect(frames).toBeLessThanOrEqual(waiting.size)
        expect(broker.acked).toEqual(expected)
        waiting.clear()
        expect(acks.waiting).toBe(0)
      }
      for (const { kind, pick } of given) {
        if (kind === 'deliver') {
          open.push(++tags)
          broker.out.add(tags)
        } else if (kind === 'flush') {
          flush()
        } else if (open.length > 0) {
          const [tag] = open.splice(pick % open.length, 1) as [number]
          if (kind === 'ack') {
            acks.ack(tag)
            expected.add(tag)
            waiting.add(tag)
          } else {
            flush() // as a reject does, which then settles it at the broker
            broker.out.delete(tag)
            acks.settled(tag)
          }
        }
        expect(acks.waiting).toBe(waiting.size)
      }
      flush()
      expect(broker.out).toEqual(new Set(open))
    })
    fc.assert(property, { numRuns: 1000 })
  })

  it('needs one frame for any number of deliveries that were acked in order', () => {
    const acks = new AckCoalescer()
    const written: [number, boolean][] = []
    for (let tag = 1; tag <= 1000; tag++) acks.ack(tag)
    acks.flush((...ack) => written.push(ack))
    expect(written).toEqual([[1000, true]])
  })

  it('needs one frame for a turn that was acked in any order, when nothing is missing', () => {
    const property = fc.property(
      fc.integer({ min: 2, max: 60 }),
      fc.infiniteStream(fc.nat()),
      (count, picks) => {
        const acks = new AckCoalescer()
        const left = Array.from({ length: count }, (_, index) => index + 1)
        for (const pick of picks) {
          acks.ack(left.splice(pick % left.length, 1)[0] as number)
          if (left.length === 0) break
        }
        const written: [number, boolean][] = []
        acks.flush((...ack) => written.push(ack))
        expect(written).toEqual([[count, true]])
      },
    )
    fc.assert(property)
  })

  it('acks one by one while an older delivery is worked on, and takes them together after it', () => {
    const acks = new AckCoalescer()
    const written: [number, boolean][] = []
    const write = (...ack: [number, boolean]): void => void written.push(ack)
    acks.ack(2)
    acks.ack(3)
    acks.flush(write)
    acks.ack(1)
    acks.ack(4)
    acks.flush(write)
    expect(written).toEqual([
      [2, false],
      [3, false],
      [4, true],
    ])
  })

  it('does as much for each ack however long one delivery is being worked on', () => {
    const acks = new AckCoalescer()
    let written = 0
    const cpu = process.cpuUsage()
    for (let tag = 2; tag < 300_000; tag++) {
      acks.ack(tag)
      acks.flush((_, multiple) => (written += multiple ? 0 : 1))
    }
    expect(written).toBe(299_998)
    // A pass over all that was settled, at each flush, takes many minutes.
    expect(process.cpuUsage(cpu).user / 1e6).toBeLessThan(5)
    acks.ack(1)
    acks.ack(300_000)
    acks.flush((...ack) => expect(ack).toEqual([300_000, true]))
  })

  it('does not write again what a flush has written', () => {
    const acks = new AckCoalescer()
    acks.ack(1)
    acks.ack(3)
    acks.flush(() => {})
    acks.flush(() => expect.unreachable())
    acks.settled(2) // closes the gap: nothing is left to write
    acks.flush(() => expect.unreachable())
    expect(acks.waiting).toBe(0)
  })
})
