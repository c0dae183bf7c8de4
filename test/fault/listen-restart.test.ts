import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokerSnapshot } from '../e2e/broker-snapshot.ts'
import { declareExchanges } from '../e2e/declare-exchanges.ts'
import { startListen } from '../e2e/running-listen.ts'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('administer'), findPython(['oslo_messaging', 'kombu', 'pika']))

const BURST = 20

/** Emits events and gives their ids. */
async function emit(
  notifier: PythonPeer,
  facts: { readonly url: string; readonly exchange: string; readonly event_type: string },
  count: number = BURST,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const { message_id } = await notifier.ask({ ...facts, payload: { n } })
    ids.push(String(message_id))
  }
  return ids
}

interface Gap {
  readonly from: number
  readonly to: number
  readonly lengthS: number
}

/** The gap that a line tells of. */
function gapOf(line: string): Gap {
  const match = /gap of ([\d.]+) s: (\S+Z) to (\S+Z): events in between were not seen/.exec(line)
  if (match === null) throw new Error(`no gap: ${line}`)
  return { lengthS: Number(match[1]), from: Date.parse(match[2]!), to: Date.parse(match[3]!) }
}

/** A Notifier of its own for `work`: one that lives through a loss of its connection reports that as an error. */
async function withNotifier<T>(work: (notifier: PythonPeer) => Promise<T>): Promise<T> {
  await using notifier = startPeer('oslo_notify')
  return await work(notifier)
}

describe.skipIf(gate.skip)(`hermod listen when the broker goes${gate.note}`, () => {
  let broker: BrokerFixture
  let url = ''
  beforeAll(async () => {
    broker = await startBroker()
    url = broker.urlFor({ password: 'guest' })
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('comes back after a crash, shows the gap, and finds the exchanges that services declare anew', async () => {
    const exchanges = ['nova', 'neutron']
    await declareExchanges(url, exchanges)
    await using listen = await startListen(['-o', 'ndjson'], { url }).tapping()
    const sent: string[] = []
    const calm = { url, exchange: 'nova', event_type: 'before.crash' }
    sent.push(...(await withNotifier((notifier) => emit(notifier, calm))))
    await listen.showingLines(BURST)
    const killedAt = Date.now()
    await broker.kill()
    await listen.saying(/^hermod: connection lost \(/)
    await listen.saying(/^hermod: cannot connect .*; trying again in [\d.]+ s$/)
    await broker.start()
    const startedAt = Date.now()
    await listen.saying(/^hermod: connected to 127\.0\.0\.1:\d+; tapping 0 exchanges/)
    const gap = gapOf(await listen.saying(/^hermod: gap of /))
    expect(gap.from).toBeGreaterThanOrEqual(killedAt - 1000)
    expect(gap.from).toBeLessThan(startedAt)
    expect(gap.to).toBeLessThanOrEqual(Date.now())
    expect(gap.lengthS).toBeCloseTo((gap.to - gap.from) / 1000, 0)
    await using notifier = startPeer('oslo_notify')
    for (const exchange of exchanges) {
      // What declares an exchange anew mostly comes before anybody is bound to it, and this is said.
      await emit(notifier, { url, exchange, event_type: 'hardly.seen' }, 1)
      const emittedAt = Date.now()
      const appeared = await listen.saying(
        new RegExp(`^hermod: exchange '${exchange}' appeared and is tapped now; what it carried since`),
      )
      const unseenFrom = Date.parse(/carried since (\S+Z) was not seen/.exec(appeared)?.[1] ?? '')
      expect(unseenFrom).toBeLessThanOrEqual(emittedAt)
      expect(unseenFrom).toBeGreaterThan(gap.to - 1000)
      sent.push(...(await emit(notifier, { url, exchange, event_type: 'after.crash' })))
      await emit(notifier, { url, exchange, event_type: `mark.${exchange}` }, 1)
    }
    for (const exchange of exchanges) await listen.showing(`mark.${exchange}`)
    listen.signal('SIGINT')
    expect((await listen.ended).code).toBe(130)
    const shown = listen.events.filter(({ type }) => type.endsWith('.crash')).map(({ id }) => id)
    expect(shown.toSorted()).toEqual(sent.toSorted())
    const { length } = listen.events
    expect(listen.said.at(-1)).toBe(`hermod: ${length} events shown; 1 gap in the connection`)
    expect(listen.stderr).not.toContain('guest:guest')
  })

  it('comes back after the broker has closed its connection, with everything bound at once', async () => {
    await declareExchanges(url, ['nova'])
    const before = await brokerSnapshot(broker, '/')
    await using listen = await startListen(['-n', String(2 * BURST)], { url }).tapping()
    const first = await withNotifier((notifier) =>
      emit(notifier, { url, exchange: 'nova', event_type: 'before.closing' }),
    )
    await listen.showingLines(BURST)
    await broker.closeConnections('maintenance at noon')
    expect(await listen.saying(/connection lost/)).toContain('maintenance at noon')
    await listen.saying(/^hermod: connected to .*; tapping [1-9]/)
    const gap = gapOf(await listen.saying(/^hermod: gap of /))
    expect(gap.to).toBeGreaterThanOrEqual(gap.from)
    const second = await withNotifier((notifier) =>
      emit(notifier, { url, exchange: 'nova', event_type: 'after.closing' }),
    )
    expect((await listen.ended).code).toBe(0)
    expect(listen.events.map(({ id }) => id)).toEqual([...first, ...second])
    const queues = new Set(listen.events.map(({ transport }) => transport.queue))
    expect(queues.size).toBe(2)
    // Of connections that have ended a broker hears in its own time.
    await eventually(async () => {
      const after = await brokerSnapshot(broker, '/')
      expect(after.queues.filter((name) => name.startsWith('hermod'))).toEqual([])
      expect(after.connections.filter((name) => !before.connections.includes(name))).toEqual([])
    })
  })

  it('ends at once on Ctrl-C while the broker is away', async () => {
    await using listen = await startListen([], { url }).tapping()
    await broker.kill()
    await listen.saying(/trying again/)
    const asked = performance.now()
    listen.signal('SIGINT')
    expect((await listen.ended).code).toBe(130)
    expect(performance.now() - asked).toBeLessThan(3000)
    await broker.start()
  })
})
