import { Connection, type Channel, type ConnectionOptions, type Message } from '@hermod/amqp'
import { sleep, withDeadline } from '@hermod/kernel'
import {
  eventually,
  findBroker,
  needs,
  startFaultProxy,
  startBroker,
  type BrokerFixture,
  type FaultProxy,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const gate = needs(findBroker('administer'))

/** However a connection ends and whatever it is doing, it ends within this. */
const MOST_MS = 10_000
const QUICK: ConnectionOptions = { reconnect: { initialMs: 20, maxMs: 200 } }
const body = Buffer.from('body')

/** Code of the error, or `ok`. */
const fate = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )

/** Fails when it takes longer than a close may. */
const inTime = <T>(work: Promise<T>): Promise<T> => withDeadline(work, { timeoutMs: MOST_MS }, 'the end')

const EXPECTED = /^(?:ok|E_(?:UNCERTAIN|CHANNEL_CLOSED|CONN_CLOSED|CONN_LOST))$/
const ALL_WELL = { state: 'closed', end: {}, left: [0, 0, 0], strange: [], settledTooLate: 0 }

describe.skipIf(gate.skip)(`ending a connection to RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let proxy: FaultProxy
  let url: string
  let queues = 0

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    proxy = await startFaultProxy(broker)
    url = proxy.urlFor(broker.url)
  })
  afterEach(() => proxy[Symbol.asyncDispose]())

  /** A connection at work: it consumes, holds a message, and has publishes, calls and waits under way. */
  async function atWork(options: ConnectionOptions = QUICK) {
    const connection = await Connection.connect(url, options)
    const channel = await connection.openChannel({ maxUnconfirmed: 10 })
    const queue = `ends.${++queues}`
    await channel.declareQueue(queue, { durable: false })
    const messages: Message[] = []
    const subscription = await channel.consume(queue, {}, (message) => messages.push(message))
    await channel.publish('', queue, body)
    await eventually(() => messages.length === 1)
    const publishes = (): Promise<unknown>[] => [
      ...Array.from({ length: 50 }, () => channel.publish('', queue, body)),
      channel.publish('', queue, body, { resend: true }),
    ]
    const work = (): Promise<unknown>[] => [
      ...publishes(),
      channel.declareQueue(queue, { durable: false }),
      channel.get(queue),
      connection.openChannel(),
      connection.queueStatus(queue),
      channel.settle(),
      subscription.cancel(),
    ]
    return { connection, channel, subscription, messages, publishes, work }
  }

  /** What became of a connection and of all that was under way; {@link ALL_WELL} when nothing is left behind. */
  async function aftermath(
    { connection, channel, subscription, messages }: Awaited<ReturnType<typeof atWork>>,
    fates: readonly Promise<unknown>[],
  ): Promise<unknown> {
    const [end, outcomes] = await inTime(
      Promise.all([connection.closed, Promise.all(fates), channel.closed, subscription.closed]),
    )
    await eventually(() => proxy.connections === 0)
    const { unconfirmed, waiting, channels } = connection.stats()
    const unsettled = messages.filter(({ state }) => state === 'received')
    return {
      state: connection.state,
      end,
      left: [unconfirmed, waiting, channels],
      strange: outcomes.filter((outcome) => !EXPECTED.test(String(outcome))),
      settledTooLate: unsettled.filter((message) => message.ack()).length,
    }
  }

  it.each([
    ['nothing is wrong', () => {}],
    ['the peer is half-open', () => void proxy.halfOpen()],
    ['the peer hears and is not heard', () => void proxy.halfOpen('to-client')],
    ['the peer does not read', () => void proxy.pause()],
    ['it is being cut', () => void setImmediate(() => proxy.cut())],
  ])('by close works while %s', async (_, breakIt) => {
    const one = await atWork()
    breakIt()
    const fates = one.work().map(fate)
    await inTime(one.connection.close())
    proxy.heal()
    expect(await aftermath(one, fates)).toEqual(ALL_WELL)
  })

  it.each([
    ['nothing is wrong', async () => {}, 'ok', MOST_MS],
    ['the peer is half-open', async () => void proxy.halfOpen(), 'E_TIMEOUT', 2_000],
    [
      'the peer becomes half-open meanwhile',
      () => sleep(5).then(() => void proxy.halfOpen()),
      undefined,
      2_000,
    ],
  ])('by drain works while %s', async (_, breakIt, expected, timeoutMs) => {
    const one = await atWork()
    one.messages[0]?.ack()
    const broken = breakIt()
    const fates = one.publishes().map(fate)
    const drained = await inTime(fate(one.connection.drain({ timeoutMs })))
    expect(['ok', 'E_TIMEOUT']).toContain(drained)
    expect(drained).toBe(expected ?? drained)
    // A drain may be over before the proxy is told.
    await broken
    proxy.heal()
    expect(await aftermath(one, fates)).toEqual(ALL_WELL)
  })

  it('by close works while it waits for the next attempt, and while it makes one', async () => {
    for (const fault of ['refuse', 'halfOpen'] as const) {
      const one = await atWork()
      const before = proxy.stats()
      proxy[fault]()
      proxy.cut()
      await eventually(() => one.connection.state === 'reconnecting')
      const fates = one.work().map(fate)
      await eventually(
        () => proxy.stats().refused > before.refused || proxy.stats().accepted > before.accepted,
      )
      await inTime(one.connection.close())
      proxy.heal()
      expect(await aftermath(one, fates)).toEqual(ALL_WELL)
    }
  })

  it('by close works while channels and topology are being restored', async () => {
    for (let turns = 1; turns < 40; turns += 3) {
      const one = await atWork({ reconnect: { initialMs: 1, maxMs: 1 } })
      const accepted = proxy.stats().accepted
      proxy.cut()
      await eventually(() => proxy.stats().accepted > accepted, { intervalMs: 0 })
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      const fates = one.work().map(fate)
      await inTime(one.connection.close())
      expect(await aftermath(one, fates)).toEqual(ALL_WELL)
    }
  })

  it('by a signal works while it connects, at any point of the handshake', async () => {
    proxy.delay({ delayMs: 5 })
    for (let afterMs = 0; afterMs < 60; afterMs += 4) {
      const connected = Connection.connect(url, { signal: AbortSignal.timeout(afterMs) })
      const outcome = await inTime(
        connected.then(
          async (connection) => {
            await connection.close()
            return 'connected'
          },
          (reason: { name?: string }) => reason.name,
        ),
      )
      expect(['connected', 'TimeoutError']).toContain(outcome)
    }
    await eventually(() => proxy.connections === 0)
  })

  it('by connectTimeoutMs works when the peer never answers', async () => {
    proxy.halfOpen()
    const beganMs = performance.now()
    await expect(Connection.connect(url, { connectTimeoutMs: 300 })).rejects.toMatchObject({ code: 'E_CONN' })
    expect(performance.now() - beganMs).toBeLessThan(MOST_MS)
    await eventually(() => proxy.connections === 0 || (proxy.heal(), false))
  })

  it('closes a channel within 5 s when its peer is half-open, and leaves the rest to the heartbeat', async () => {
    const { connection, channel } = await atWork()
    const fault = proxy.halfOpen()
    await inTime((channel satisfies Channel).close())
    fault.heal()
    connection.abort()
    expect(await connection.closed).toEqual({})
  })
})
