import { ChannelClosedError, ConnectionLostError, MessagingTimeoutError } from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { ExchangeSearch } from '../src/exchange-search.ts'
import type { SearchResult, TapQueue } from '../src/tap-queue.ts'

const INTERVAL_MS = 30_000

/** The queue of a tap on a broker with these exchanges. */
class QueueFake {
  readonly there: Set<string>
  readonly wanted: readonly string[]
  bound: readonly string[]
  readonly searches: string[] = []
  failure: Error | undefined
  readonly #clock: ManualClock

  constructor(clock: ManualClock, wanted: readonly string[], there: readonly string[]) {
    this.#clock = clock
    this.wanted = wanted
    this.there = new Set(there)
    this.bound = there
  }

  get missing(): readonly string[] {
    return this.wanted.filter((exchange) => !this.bound.includes(exchange))
  }

  search(exchanges: readonly string[] = this.wanted): Promise<SearchResult> {
    this.searches.push(`${this.#clock.monotonicMs()} ${exchanges.join()}`)
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const appeared = exchanges.filter(
      (exchange) => this.there.has(exchange) && !this.bound.includes(exchange),
    )
    this.bound = [...this.bound, ...appeared]
    return Promise.resolve({ appeared, refused: [] })
  }
}

describe('ExchangeSearch', () => {
  let clock: ManualClock
  let queue: QueueFake
  let found: string[]
  beforeEach(() => {
    clock = new ManualClock()
    queue = new QueueFake(clock, ['cinder', 'neutron', 'nova'], ['nova'])
    found = []
  })

  function start(lost: readonly string[]): ExchangeSearch {
    const startedAt = clock.now()
    return new ExchangeSearch(queue as unknown as TapQueue, lost, INTERVAL_MS, clock, {
      onFound: ({ appeared }, unseenFrom) => {
        if (appeared.length > 0)
          found.push(`${appeared.join()} unseen from ${unseenFrom.getTime() - startedAt}`)
      },
    })
  }

  it('looks for all exchanges at the interval, and says when it last looked in vain', async () => {
    start([])
    await clock.pass(70_000)
    expect(queue.searches).toEqual(['30000 cinder,neutron,nova', '60000 cinder,neutron,nova'])
    queue.there.add('cinder')
    await clock.pass(20_000)
    expect(found).toEqual(['cinder unseen from 60000'])
  })

  it('looks soon, and less and less often, for those that were there before', async () => {
    start(['neutron'])
    await clock.pass(29_000)
    expect(queue.searches).toEqual([500, 1500, 3500, 7500, 15_500].map((atMs) => `${atMs} neutron`))
    expect(found).toEqual([])
  })

  it('stops looking soon for what it found', async () => {
    start(['neutron', 'cinder'])
    await clock.pass(600)
    queue.there.add('neutron')
    await clock.pass(1000)
    await clock.pass(2000)
    queue.there.add('cinder')
    await clock.pass(20_000)
    expect(queue.searches).toEqual([
      '500 neutron,cinder',
      '1500 neutron,cinder',
      '3500 cinder',
      '7500 cinder',
    ])
    expect(found).toEqual(['neutron unseen from 500', 'cinder unseen from 3500'])
  })

  it('arms nothing once it is stopped, though a search is under way', async () => {
    const search = start(['neutron'])
    await clock.pass(500)
    search.stop()
    expect(clock.armed).toBe(0)
    const late = start(['neutron'])
    queue.there.add('neutron')
    clock.advance(500)
    late.stop()
    await settled()
    expect(found).toEqual([])
    expect(clock.armed).toBe(0)
  })

  it.each([
    new MessagingTimeoutError('queue.bind', 30_000),
    new ChannelClosedError('queue.bind: the channel was closed'),
  ])('goes on after %s', async (failure) => {
    start([])
    queue.failure = failure
    await clock.pass(INTERVAL_MS)
    queue.failure = undefined
    queue.there.add('cinder')
    await clock.pass(INTERVAL_MS)
    expect(found).toEqual(['cinder unseen from 0'])
  })

  it('ends with the connection', async () => {
    start([])
    queue.failure = new ConnectionLostError('the connection is lost')
    await clock.pass(100_000)
    expect(queue.searches).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })
})
