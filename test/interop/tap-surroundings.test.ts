import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { Connection, dial, parseAmqpUrl, type Channel, type Dial } from '@hermod/amqp'
import { openTap, type Tap, type TapOptions } from '@hermod/events'
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
import { declareExchanges } from '../e2e/declare-exchanges.ts'
import { startListen } from '../e2e/running-listen.ts'
import { startPeer } from '../e2e/start-peer.ts'
import { TapLog } from './tap-log.ts'

const gate = needs(
  findBroker('administer', 'inspect', 'plugins'),
  findPython(['oslo_messaging', 'kombu', 'pika']),
)

const everything = { configure: '.*', write: '.*', read: '.*' }

/** What an operator would grant for the tap; of the exchanges only nova. */
const forTheTap = {
  configure: String.raw`^hermod\.tap\.`,
  write: String.raw`^hermod\.tap\.`,
  read: String.raw`^(hermod\.tap\..*|nova)$`,
}

/** Users and their permissions, as RabbitMQ imports them at its start. */
const DEFINITIONS = {
  users: ['guest', 'tapper', 'nobody'].map((name) => ({ name, password: name, tags: '' })),
  vhosts: [{ name: '/' }],
  permissions: [
    { user: 'guest', vhost: '/', ...everything },
    { user: 'tapper', vhost: '/', ...forTheTap },
    { user: 'nobody', vhost: '/', configure: '^$', write: '.*', read: '.*' },
  ],
}

describe.skipIf(gate.skip)(`a tap among services that come and go${gate.note}`, () => {
  let folder = ''
  let broker: BrokerFixture
  let connection: Connection
  let channel: Channel
  let notifier: PythonPeer
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hermod-definitions-'))
    const load_definitions = join(folder, 'definitions.json')
    writeFileSync(load_definitions, JSON.stringify(DEFINITIONS))
    broker = await startBroker({ config: { load_definitions } })
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
    notifier = startPeer('oslo_notify')
  })
  afterAll(async () => {
    for (const resource of [notifier, connection, broker]) await resource?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const open = (options: Partial<TapOptions> = {}): Promise<Tap> =>
    openTap({ servers: [parseAmqpUrl(broker.url)], ...options })

  async function emit(exchange: string, ...types: readonly string[]): Promise<void> {
    for (const event_type of types) await notifier.ask({ url: broker.url, exchange, event_type })
  }

  const boundTo = (tap: Tap): readonly string[] => tap.stats().bindings.map(({ exchange }) => exchange)

  it('binds an exchange that appears, says so once, and says what is missing until then', async () => {
    const openingAt = Date.now()
    await using tap = await open({ exchanges: ['early', 'late'], searchIntervalMs: 100 })
    const log = new TapLog(tap)
    expect(boundTo(tap)).toEqual([])
    expect(tap.stats().missingExchanges).toEqual(['early', 'late'])
    await declareExchanges(broker.url, ['late'])
    expect((await log.saying('bound')).exchange).toBe('late')
    expect(log.of('bound')[0]?.unseenFrom.getTime()).toBeLessThanOrEqual(Date.now())
    expect(log.of('bound')[0]?.unseenFrom.getTime()).toBeGreaterThanOrEqual(openingAt)
    expect(tap.stats().missingExchanges).toEqual(['early'])
    await emit('late', 'seen')
    const events = tap[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ type: 'seen', transport: { exchange: 'late' } })
    expect(log.statuses).toHaveLength(1)
  })

  it('binds an exchange again that was deleted and declared anew', async () => {
    await declareExchanges(broker.url, ['cinder', 'nova'])
    await using tap = await open({ searchIntervalMs: 100 })
    const log = new TapLog(tap)
    expect(boundTo(tap)).toEqual(expect.arrayContaining(['cinder', 'nova']))
    await channel.deleteExchange('cinder')
    await eventually(() => tap.stats().missingExchanges.includes('cinder'))
    expect(boundTo(tap)).not.toContain('cinder')
    await declareExchanges(broker.url, ['cinder'])
    expect((await log.saying('bound')).exchange).toBe('cinder')
    await emit('cinder', 'again')
    await emit('nova', 'always')
    const events = tap[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ type: 'again' })
    expect((await events.next()).value).toMatchObject({ type: 'always' })
    expect(tap.stats().gaps).toBe(0)
  })

  it('makes another queue when an operator deletes its own, and shows the gap', async () => {
    await declareExchanges(broker.url, ['nova'])
    await using tap = await open()
    const log = new TapLog(tap)
    const events = tap[Symbol.asyncIterator]()
    const first = tap.stats().queue
    const deletedAt = Date.now()
    await broker.deleteQueue(first)
    expect((await log.saying('disconnected')).error.message).toMatch(/queue/)
    const back = await log.saying('connected')
    const gap = await log.saying('gap')
    expect(back.queue).toMatch(/^hermod\.tap\.[0-9a-f]{16}$/)
    expect(back.queue).not.toBe(first)
    expect(back.bound).toContain('nova')
    expect(back.server).toBe(`${broker.host}:${broker.port}`)
    expect(gap.from.getTime()).toBeGreaterThanOrEqual(deletedAt - 100)
    expect(gap.lengthMs).toBe(gap.to.getTime() - gap.from.getTime())
    await emit('nova', 'after')
    expect((await events.next()).value).toMatchObject({ type: 'after', transport: { queue: back.queue } })
    expect(tap.stats()).toMatchObject({ gaps: 1, queue: back.queue, unreadable: 0 })
  })

  it('takes a network that fell silent for a loss, and reckons the gap from its last word', async () => {
    await declareExchanges(broker.url, ['nova'])
    const streams: Duplex[] = []
    const recording: Dial = async (address, how) => {
      const stream = await dial(address, how)
      streams.push(stream)
      return stream
    }
    // Twice as long may the broker or this process stand still without being taken for silent.
    await using tap = await open({ dial: recording, heartbeatMs: 3000 })
    const log = new TapLog(tap)
    await emit('nova', 'before')
    const events = tap[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ type: 'before' })
    streams[0]?.pause()
    const silentFrom = Date.now()
    await emit('nova', 'lost')
    expect((await log.saying('disconnected')).error.code).toBe('E_HEARTBEAT')
    const gap = await log.saying('gap')
    expect(gap.from.getTime()).toBeLessThanOrEqual(silentFrom + 100)
    expect(gap.from.getTime()).toBeGreaterThan(silentFrom - 2000)
    await emit('nova', 'after')
    expect((await events.next()).value).toMatchObject({ type: 'after' })
    expect(tap.stats().gaps).toBe(1)
  })

  it('taps what it may, and warns once of what it may not', async () => {
    await declareExchanges(broker.url, ['nova', 'keystone'])
    const servers = [parseAmqpUrl(broker.urlFor({ user: 'tapper', password: 'tapper' }))]
    await using tap = await open({
      servers,
      exchanges: ['keystone', 'nova', 'absent'],
      searchIntervalMs: 100,
    })
    const log = new TapLog(tap)
    // The broker looks at permissions before it looks for the exchange.
    // RabbitMQ looks at the permission first, and only then whether there is such an exchange.
    const warning = await log.saying('warning')
    expect(warning.message).toMatch(/'keystone', 'absent' are not tapped: .*ACCESS_REFUSED/)
    expect(boundTo(tap)).toEqual(['nova'])
    await emit('keystone', 'hidden')
    await emit('nova', 'shown')
    const events = tap[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ type: 'shown' })
    expect(log.of('warning')).toHaveLength(1)
    expect(tap.stats().gaps).toBe(0)
  })

  it('names the permissions that it needs when it may not have a queue', async () => {
    const url = broker.urlFor({ user: 'nobody', password: 'nobody' })
    await expect(open({ servers: [parseAmqpUrl(url)] })).rejects.toMatchObject({
      code: 'E_ACCESS',
      message: expect.stringMatching(/configure.*\^hermod\\\.tap\\\./) as string,
    })
    await eventually(async () => (await broker.connections()).every(({ user }) => user !== 'nobody'))
    await using listen = startListen([], { url })
    expect((await listen.ended).code).toBe(8)
    expect(listen.said).toEqual([expect.stringMatching(/\^hermod\\\.tap\\\./) as string])
  })

  it('never binds what would copy remote calls', async () => {
    await declareExchanges(broker.url, ['nova'])
    await using tap = await open({ exchanges: ['nova'], topics: ['billing'] })
    const keys = (await broker.bindings())
      .filter(({ destination }) => destination === tap.stats().queue)
      .map(({ source, routingKey }) => `${source} ${routingKey}`)
    expect(keys.toSorted()).toEqual([
      'nova billing.*',
      'nova ironic_versioned_notifications.*',
      'nova notifications.*',
      'nova versioned_notifications.*',
    ])
    for (const topics of [['#'], ['*'], ['a.#']]) {
      await expect(Promise.resolve().then(() => open({ topics }))).rejects.toMatchObject({ code: 'E_CONFIG' })
    }
  })

  // The last, for it closes every connection there is.
  it('looks soon for an exchange that it had, however often it was away meanwhile', async () => {
    await declareExchanges(broker.url, ['glance'])
    await using tap = await open({ exchanges: ['glance'] })
    const log = new TapLog(tap)
    await channel.deleteExchange('glance')
    await broker.closeConnections('first')
    await log.saying('gap')
    expect(tap.stats().missingExchanges).toEqual(['glance'])
    await broker.closeConnections('second')
    await log.saying('gap', 1)
    await declareExchanges(broker.url, ['glance'])
    expect((await log.saying('bound')).exchange).toBe('glance')
    expect(tap.stats().gaps).toBe(2)
  })
})
