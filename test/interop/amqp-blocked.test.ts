import { Connection, type ConnectionStatus } from '@hermod/amqp'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const gate = needs(findBroker('alarm'))

const BLOCKED_MS = 600
const body = Buffer.from('body')

describe.skipIf(gate.skip)(`connection.blocked of RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterEach(() => broker?.setAlarm('memory', false))
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('shows in the state, as events and in the figures; publishers give up in time; consumers go on', async () => {
    const seen: ConnectionStatus[] = []
    const publishing = await Connection.connect(broker.url, {
      blockedTimeoutMs: BLOCKED_MS,
      onStatus: (status) => seen.push(status),
    })
    const channel = await publishing.openChannel()
    const consuming = await Connection.connect(broker.url)
    const reader = await consuming.openChannel()
    await reader.declareQueue('work')
    await Promise.all(Array.from({ length: 500 }, () => channel.publish('', 'work', body)))
    await broker.setAlarm('memory', true)
    // The broker begins to read this one, says that it is blocked, and reads on when that is over.
    const first = channel.publish('', 'work', body).catch((reason: unknown) => reason)
    await eventually(() => publishing.state === 'blocked')
    expect(seen.at(-1)).toEqual({ type: 'blocked', reason: 'low on memory' })
    const beganMs = performance.now()
    const held = await channel.publish('', 'work', body).catch((reason: unknown) => reason)
    expect(held).toMatchObject({ code: 'E_BLOCKED', details: { reason: 'low on memory' } })
    // The alarm is still on: whoever did not give up in time would be waiting now.
    expect(performance.now() - beganMs).toBeLessThan(BLOCKED_MS + 10_000)
    expect(await first).toMatchObject({ code: 'E_UNCERTAIN', cause: { code: 'E_BLOCKED' } })
    expect(seen.map(({ type }) => type)).toContain('blocked-too-long')
    await expect(channel.publish('', 'work', body)).rejects.toMatchObject({ code: 'E_BLOCKED' })

    let handled = 0
    const subscription = await reader.consume('work', { prefetchCount: 10 }, (message) => {
      if (message.ack()) handled++
    })
    await eventually(() => handled === 500)
    await subscription.cancel()
    expect(consuming.state).toBe('open')

    await broker.setAlarm('memory', false)
    await eventually(() => publishing.state === 'open')
    await channel.publish('', 'work', body)
    expect(publishing.stats()).toMatchObject({ reconnects: 0, publishesFailed: 3 })
    expect(publishing.stats().blockedMs).toBeGreaterThan(BLOCKED_MS)
    // The one that was uncertain did arrive.
    expect(await reader.deleteQueue('work')).toBe(2)
    await Promise.all([publishing.close(), consuming.close()])
  })

  it('loses nothing that waits until it is over, in order', async () => {
    const connection = await Connection.connect(broker.url, { blockedTimeoutMs: Infinity })
    const channel = await connection.openChannel({ maxUnconfirmed: 100 })
    await channel.declareQueue('waits')
    await broker.setAlarm('memory', true)
    const sent = Array.from({ length: 2_000 }, (_, no) =>
      channel.publish('', 'waits', Buffer.from(String(no))),
    )
    await eventually(() => connection.state === 'blocked')
    expect(connection.stats().waiting).toBeGreaterThan(1_000)
    await broker.setAlarm('memory', false)
    await Promise.all(sent)
    const read: number[] = []
    await channel.consume('waits', { noAck: true }, (message) => read.push(Number(message.body)))
    await eventually(() => read.length === sent.length)
    expect(read).toEqual(sent.map((_, no) => no))
    await connection.close()
  })

  it.each(['close', 'drain', 'abort'] as const)('ends within 10 s of %s', async (how) => {
    const connection = await Connection.connect(broker.url)
    const channel = await connection.openChannel()
    await channel.declareQueue('ends', { durable: false })
    await broker.setAlarm('memory', true)
    const first = channel.publish('', 'ends', body).catch((reason: unknown) => reason)
    await eventually(() => connection.state === 'blocked')
    const held = channel.publish('', 'ends', body).catch((reason: unknown) => reason)
    const beganMs = performance.now()
    const ended =
      how === 'drain' ? connection.drain({ timeoutMs: 1_000 }) : Promise.resolve(connection[how]())
    const fate = await ended.then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
    expect(fate).toBe(how === 'drain' ? 'E_TIMEOUT' : 'ok')
    expect(performance.now() - beganMs).toBeLessThan(10_000)
    expect(await connection.closed).toEqual({})
    expect(await first).toMatchObject({ code: 'E_UNCERTAIN' })
    expect(await held).toMatchObject({ code: 'E_CHANNEL_CLOSED' })
  })
})
