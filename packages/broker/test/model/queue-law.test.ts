import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RoutedQueue } from '../../src/model/queue.ts'
import type { QueuedMessage } from '../../src/model/queued-message.ts'
import { ListQueue, type Listed } from './list-queue.ts'
import { bodyOf, ModelFixture } from './model-fixture.ts'

/** `which` picks one of those that are out, and for `close` an order to give them back in. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), which: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), which: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ack' as const), which: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('nack' as const), which: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), which: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const), which: fc.constant(0) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Does the same to a queue and to a list, and keeps what each of them showed. */
class Pair {
  readonly fixture = new ModelFixture()
  readonly queue: RoutedQueue
  readonly #list: ListQueue
  readonly #out: { readonly queued: QueuedMessage; readonly listed: Listed }[] = []
  readonly seen: unknown[] = []
  readonly expected: unknown[] = []
  #published = 0

  constructor(highest: number) {
    this.queue = this.fixture.queue('q', highest === 0 ? {} : { 'x-max-priority': highest })
    this.#list = new ListQueue(highest)
  }

  do({ kind, which }: Step): void {
    if (kind === 'publish') this.#publish(which)
    else if (kind === 'get') this.#get()
    else if (kind === 'purge') this.#compare(this.queue.purge(), this.#list.purge())
    else if (kind === 'close') this.#close(which)
    else this.#settle(kind, which)
    this.#compare(
      { ready: this.queue.messageCount, unsettled: this.queue.stats().unsettled },
      { ready: this.#list.ready.length, unsettled: this.#out.length },
    )
  }

  #compare(seen: unknown, expected: unknown): void {
    this.seen.push(seen)
    this.expected.push(expected)
  }

  #publish(priority: number): void {
    const body = String(this.#published++)
    this.fixture.publish('', 'q', body, { priority })
    this.#list.push(body, priority)
  }

  #get(): void {
    const queued = this.queue.get(false)
    const listed = this.#list.take()
    this.#compare(
      queued && { body: bodyOf(queued.message), redelivered: queued.redelivered },
      listed && { body: listed.body, redelivered: listed.redelivered },
    )
    if (queued !== undefined && listed !== undefined) this.#out.push({ queued, listed })
  }

  /** In any order: a channel need not sort what it gives back. */
  #close(which: number): void {
    const order = ({ queued }: { readonly queued: QueuedMessage }): number => (queued.seq ^ which) % 7
    const all = this.#out.splice(0).toSorted((a, b) => order(a) - order(b))
    this.queue.giveBack(
      all.map(({ queued }) => queued),
      'closed',
    )
    for (const { listed } of all) this.#list.giveBack(listed)
  }

  #settle(kind: 'ack' | 'nack', which: number): void {
    const [taken] = this.#out.splice(this.#out.length === 0 ? 0 : which % this.#out.length, 1)
    if (taken === undefined) return
    if (kind === 'ack') {
      this.queue.acknowledge(taken.queued)
      this.#list.settle(taken.listed)
    } else {
      this.queue.giveBack([taken.queued], 'nack')
      this.#list.giveBack(taken.listed)
    }
  }

  /** Takes everything out; the bytes that are still held. */
  finish(): number {
    for (const { queued } of this.#out) this.queue.acknowledge(queued)
    this.#compare(
      this.fixture.drain(this.queue),
      this.#list.ready.map(({ body }) => body),
    )
    return this.fixture.model.memory.bytes
  }
}

test.each([0, 2])('a queue with priorities up to %i does what a list does', (highest) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const pair = new Pair(highest)
      for (const one of steps) pair.do(one)
      expect(pair.finish()).toBe(0)
      expect(pair.seen).toEqual(pair.expected)
    }),
    { numRuns: 500 },
  )
})
