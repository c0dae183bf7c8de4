import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QueuedMessage } from '../../src/model/queued-message.ts'
import { UnsettledMessages } from '../../src/session/unsettled.ts'

/** What stands for a message is its tag. */
const message = (tag: number): QueuedMessage => ({ seq: tag }) as QueuedMessage
const tagOf = (queued: QueuedMessage): number => queued.seq

/** The same by the book: an array of open tags. */
class NaiveUnsettled {
  open: number[] = []
  add(tag: number): void {
    this.open.push(tag)
  }
  take(tag: number): number | undefined {
    if (!this.open.includes(tag)) return undefined
    this.open = this.open.filter((other) => other !== tag)
    return tag
  }
  takeUpTo(tag: number): number[] | undefined {
    if (tag !== 0 && !this.open.includes(tag)) return undefined
    const taken = this.open.filter((other) => tag === 0 || other <= tag)
    this.open = this.open.filter((other) => !taken.includes(other))
    return taken
  }
}

const step = fc.oneof(
  // Tags are skipped where deliveries need no ack, now and then by thousands.
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('add' as const), skip: fc.constantFrom(0, 0, 0, 1, 7, 9000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('take' as const, 'takeUpTo' as const), at: fc.nat(400) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('all' as const, 'restore' as const) }) },
)

describe('UnsettledMessages', () => {
  it('gives and takes as a list of open tags does, whatever is skipped, settled twice or put back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const real = new UnsettledMessages()
        const naive = new NaiveUnsettled()
        let last = 0
        const seen: unknown[] = []
        const awaited: unknown[] = []
        for (const one of steps) {
          if (one.do === 'add') {
            last += 1 + one.skip
            real.add(last, message(last))
            naive.add(last)
          } else if (one.do === 'take') {
            const tag = naive.open[one.at] ?? one.at
            const taken = real.take(tag)
            seen.push(taken === undefined ? undefined : tagOf(taken))
            awaited.push(naive.take(tag))
          } else if (one.do === 'takeUpTo') {
            const tag = naive.open[one.at] ?? one.at
            seen.push(real.takeUpTo(tag)?.messages.map(tagOf))
            awaited.push(naive.takeUpTo(tag))
          } else {
            const taken = real.takeUpTo(0)
            seen.push(taken?.tags)
            awaited.push(naive.takeUpTo(0))
            if (one.do === 'restore' && taken !== undefined) {
              real.restore([taken])
              for (const tag of taken.tags) naive.add(tag)
            }
          }
          seen.push(real.size)
          awaited.push(naive.open.length)
        }
        expect(seen).toEqual(awaited)
        expect(real.takeUpTo(0)?.messages.map(tagOf)).toEqual(naive.open)
      }),
    )
  })

  it('takes no room for a hundred thousand tags that came and went past one that stays open', () => {
    const unsettled = new UnsettledMessages()
    unsettled.add(1, message(1))
    let lost = 0
    for (let tag = 2; tag <= 100_000; tag++) {
      unsettled.add(tag, message(tag))
      if (unsettled.take(tag) === undefined) lost++
    }
    expect(lost).toBe(0)
    expect(unsettled.size).toBe(1)
    expect(unsettled.take(1)?.seq).toBe(1)
  })
})
