import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { QueuedMessage } from '../../src/model/queued-message.ts'
import { bodyOf, ModelFixture } from './model-fixture.ts'

/** What a queue is: messages in the order in which they came, some of them out. */
interface Modelled {
  readonly body: string
  redelivered: boolean
  out: boolean
}

/** `which` picks one of those that are out, from the oldest. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), priority: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ack' as const), which: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('nack' as const), which: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), which: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const) }) },
)

test.each([0, 2])('a queue with priorities up to %i does what a list does', (highest) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const fixture = new ModelFixture()
      const queue = fixture.queue('q', highest === 0 ? {} : { 'x-max-priority': highest })
      const levels = Array.from({ length: highest + 1 }, (): Modelled[] => [])
      const out: { readonly queued: QueuedMessage; readonly modelled: Modelled }[] = []
      let count = 0
      const next = (): Modelled | undefined =>
        levels.toReversed().flatMap((level) => level.filter((one) => !one.out))[0]
      const ready = (): number => levels.flat().filter((one) => !one.out).length

      for (const one of steps) {
        if (one.kind === 'publish') {
          const body = String(count++)
          fixture.publish('', 'q', body, { priority: one.priority })
          levels[Math.min(one.priority, highest)]?.push({ body, redelivered: false, out: false })
        } else if (one.kind === 'get') {
          const queued = queue.get(false)
          const modelled = next()
          expect(queued === undefined ? undefined : bodyOf(queued.message)).toBe(modelled?.body)
          expect(queued?.redelivered).toBe(modelled?.redelivered)
          if (queued !== undefined && modelled !== undefined) {
            modelled.out = true
            out.push({ queued, modelled })
          }
        } else if (one.kind === 'purge') {
          expect(queue.purge()).toBe(ready())
          for (const [at, level] of levels.entries()) levels[at] = level.filter((other) => other.out)
        } else if (one.kind === 'close') {
          // In any order: a channel need not sort what it gives back.
          const given = out
            .splice(0)
            .toSorted((a, b) => ((a.queued.seq ^ one.which) % 7) - ((b.queued.seq ^ one.which) % 7))
          queue.giveBack(
            given.map(({ queued }) => queued),
            'closed',
          )
          for (const { modelled } of given) Object.assign(modelled, { out: false, redelivered: true })
        } else if (out.length > 0) {
          const [taken] = out.splice(one.which % out.length, 1)
          if (taken === undefined) continue
          if (one.kind === 'ack') {
            queue.acknowledge(taken.queued)
            for (const [at, level] of levels.entries())
              levels[at] = level.filter((other) => other !== taken.modelled)
          } else {
            queue.giveBack([taken.queued], 'nack')
            Object.assign(taken.modelled, { out: false, redelivered: true })
          }
        }
        expect(queue.messageCount).toBe(ready())
        expect(queue.stats().unsettled).toBe(out.length)
      }
      for (const { queued } of out) queue.acknowledge(queued)
      expect(fixture.drain(queue)).toEqual(
        levels.toReversed().flatMap((level) => level.filter((other) => !other.out).map(({ body }) => body)),
      )
      expect(fixture.model.memory.bytes).toBe(0)
    }),
    { numRuns: 400 },
  )
})
