import type { ConnectionStatus } from '@hermod/amqp'
import { eventually, type BrokerFixture } from '@hermod/testkit'
import { expect } from 'vitest'
import { SHOWS_FIGURES } from './fault-settings.ts'
import type { Lane } from './lane.ts'
import { MAX_UNCONFIRMED, PREFETCH_COUNT, type Load } from './load.ts'

/** What a fault may do to a load, beyond what every fault may. */
export interface ExpectedTraces {
  /** Error codes with which publishes may fail, by lane. By default only what is not sent again, as uncertain. */
  readonly failures?: { readonly resent?: readonly string[]; readonly once?: readonly string[] } | undefined
  /** Reply codes of channel errors. None by default. */
  readonly channelErrors?: readonly number[] | undefined
  /** Messages that the fault took with it, although they were confirmed. */
  readonly mayMiss?: ((lane: Lane, number: number) => boolean) | undefined
  /** A broker that is killed forgets what it had delivered. */
  readonly forgetsMarks?: boolean | undefined
  /** The broker to ask about the queue; one that lives. */
  readonly broker: BrokerFixture
}

const RECOVERY_MS = 30_000
const CLOSE_MS = 10_000
/** Why an attempt to connect fails before there is a channel. */
const NEVER_OPEN = new Set(['E_CONN', 'E_AUTH'])
const UNKNOWN_TAG = /unknown delivery tag/

/**
 * Lets a load come to its end, and holds it against what no fault may change:
 *
 * - every confirmed message arrives, and nothing that the broker refused;
 * - each message is settled once, on the channel that delivered it: the broker never complains, and its queue is empty;
 * - on each lane messages come in order for the first time, and a second time only where the broker marks it or the
 *   publisher sent it again, as often as the window and the deaths of connections explain;
 * - every promise settles in time; every failure has a code, is reported and counted.
 */
export async function expectInvariants(load: Load, traces: ExpectedTraces): Promise<void> {
  await load.finishes(traces.mayMiss)
  const { resent, once, publisher, reader } = load

  for (const lane of [resent, once]) {
    expect(lane.confirmed + lane.failed.size, `${lane.name}: settled`).toBe(lane.count)
    expect(lane.outOfOrder, `${lane.name}: out of order`).toBeUndefined()
    expect(lane.refusedAndHere(), `${lane.name}: refused, but arrived`).toEqual([])
    const allowed = traces.failures?.[lane.resend ? 'resent' : 'once'] ?? (lane.resend ? [] : ['E_UNCERTAIN'])
    expect(allowed, `${lane.name}: failures`).toEqual(expect.arrayContaining(Object.keys(lane.failures())))
  }
  expect(load.garbled, `garbled`).toBe(0)

  const sent = publisher.stats()
  const failed = resent.failed.size + once.failed.size
  expect(sent).toMatchObject({ publishesFailed: failed, unconfirmed: 0, waiting: 0 })
  expect(load.published.findLast(({ type }) => type === 'publish-failed') ?? { total: 0 }).toMatchObject({
    total: failed,
  })
  // Written more than once: only what was open when a connection or a channel died.
  const again = sent.published - load.total
  expect(again, `sent again`).toBeLessThanOrEqual(deaths(load.published) * MAX_UNCONFIRMED)

  const marked = resent.repeatedMarked + once.repeatedMarked
  if (traces.forgetsMarks !== true) {
    expect(once.unmarkedTwice(), `once: twice`).toEqual([])
    expect(resent.unmarked + once.unmarked, `stored more often than sent`).toBeLessThanOrEqual(sent.published)
    expect(marked, `delivered again`).toBeLessThanOrEqual(deaths(load.consumed) * PREFETCH_COUNT)
  }

  const errors = [...load.published, ...load.consumed].flatMap((status) =>
    status.type === 'channel-error' ? [status.error] : [],
  )
  expect(errors.filter(({ message }) => UNKNOWN_TAG.test(message))).toEqual([])
  const codes = new Set(errors.map(({ replyCode }) => replyCode))
  expect(traces.channelErrors ?? []).toEqual(expect.arrayContaining([...codes]))
  const taken = reader.stats()
  expect(taken.delivered).toBe(load.arrivals)
  expect({ acked: taken.acked, stale: taken.staleSettles }).toEqual({
    acked: load.arrivals - load.stale,
    stale: load.stale,
  })
  await eventually(
    async () => {
      const facts = (await traces.broker.queues()).find(({ name }) => name === load.options.queue)
      expect(facts).toMatchObject({ messagesReady: 0, messagesUnacknowledged: 0 })
    },
    { timeoutMs: RECOVERY_MS, intervalMs: 200 },
  )

  const closingMs = performance.now()
  await load[Symbol.asyncDispose]()
  expect(performance.now() - closingMs).toBeLessThan(CLOSE_MS)
  expect(await Promise.all([publisher.closed, reader.closed])).toEqual([{}, {}])
  if (SHOWS_FIGURES) console.log(figures(load, again, marked))
}

/** How often a connection, also one that was just coming back, or a channel of it may have died. */
function deaths(statuses: readonly ConnectionStatus[]): number {
  return statuses.filter((status) =>
    status.type === 'retry'
      ? !NEVER_OPEN.has(status.error.code)
      : status.type === 'channel-error' || status.type === 'consumer-cancelled',
  ).length
}

function figures(load: Load, again: number, marked: number): string {
  const { resent, once } = load
  const figure = {
    confirmed: resent.confirmed + once.confirmed,
    failed: [resent.failures(), once.failures()],
    sentAgain: again,
    repeated: resent.repeated + once.repeated,
    marked,
    stale: load.stale,
    deaths: [deaths(load.published), deaths(load.consumed)],
    seconds: Math.round((performance.now() - load.startedMs) / 100) / 10,
  }
  return `${load.options.queue}: ${JSON.stringify(figure)}`
}
