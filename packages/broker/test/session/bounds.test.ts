import { connect as connectTcp } from 'node:net'
import { PROTOCOL_HEADER } from '@hermod/amqp/wire'
import { contentBytes, eventually, ManualClock } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { FrameClient } from '../frame-client.ts'
import { consumeFrom, queueNamed, SessionFixture } from './session-fixture.ts'

const fixture = new SessionFixture()
afterEach(() => fixture.end())

const KIB = 'x'.repeat(1024)

describe('time', () => {
  it('ends what does not greet within five seconds, and what does not log in within ten', async () => {
    const clock = new ManualClock()
    const broker = fixture.broker({ clock })
    const silent = new FrameClient(broker.connect())
    const slow = new FrameClient(broker.connect())
    slow.raw(PROTOCOL_HEADER)
    await slow.expect('connection.start')
    clock.advance(5000)
    expect(await silent.next()).toBe('end')
    expect(broker.connections()).toHaveLength(1)
    clock.advance(5000)
    expect(await slow.next()).toBe('end')
  })

  it('has a heartbeat sent twice an interval, and gives up a client that is silent for two', async () => {
    const clock = new ManualClock()
    const broker = fixture.broker({ clock })
    const client = await fixture.client(broker, { heartbeat: 10 })
    await clock.pass(20_000)
    expect(client.heartbeats).toBeGreaterThanOrEqual(3)
    expect(broker.connections()).toHaveLength(1)
    await clock.pass(6000)
    expect(await client.next()).toBe('end')
  })

  it('is not lost to a client that takes its answers slowly, and is not read from meanwhile', async () => {
    const clock = new ManualClock()
    const broker = fixture.broker({ clock })
    const client = await fixture.client(broker, { heartbeat: 10 })
    await client.call(1, 'queue.declare', queueNamed('q'))
    client.publish(1, '', 'q', 'x'.repeat(8_000_000))
    await eventually(() => expect(broker.stats().ready).toBe(1))
    client.stream.pause()
    client.send(1, 'basic.get', { queue: 'q', noAck: true })
    await eventually(() => expect(broker.connections()[0]?.outputBytes).toBeGreaterThan(4_200_000))
    await clock.pass(100_000)
    client.stream.resume()
    await client.expect('basic.get-ok')
    await client.call(1, 'queue.declare', queueNamed('q'))
  })

  it('is not lost to a client that is held up by an alarm', async () => {
    const clock = new ManualClock()
    const broker = fixture.broker({ clock })
    const client = await fixture.client(broker, {
      heartbeat: 10,
      capabilities: { 'connection.blocked': true },
    })
    broker.setAlarm('disk', true)
    client.publish(1, '', 'q', 'x')
    expect((await client.expect('connection.blocked')).args).toEqual({ reason: 'low on disk' })
    await clock.pass(100_000)
    expect(broker.connections()[0]?.state).toBe('blocked')
    broker.setAlarm('disk', false)
    await client.expect('connection.unblocked')
  })
})

describe('memory', () => {
  it('holds up publishers above the limit, and lets them go on at nine tenths of it', async () => {
    const broker = fixture.broker({ memoryLimitBytes: 100_000 })
    const [publisher, consumer] = [await fixture.client(broker), await fixture.client(broker)]
    await publisher.call(1, 'queue.declare', queueNamed('q'))
    for (let i = 0; i < 500; i++) publisher.publish(1, '', 'q', KIB)
    await eventually(() => expect(broker.stats().alarms).toEqual(['memory']))
    await eventually(() => expect(broker.connections()[0]?.state).toBe('blocked'))
    await consumer.call(1, 'basic.consume', consumeFrom('q', 'c', { noAck: true }))
    for (let i = 0; i < 500; i++) await consumer.expect('basic.deliver')
    await eventually(() => expect(broker.stats()).toMatchObject({ alarms: [], memoryBytes: 0, ready: 0 }))
  })

  it('counts bodies that are on their way, and what a transaction holds', async () => {
    const broker = fixture.broker({ memoryLimitBytes: 250_000 })
    const client = await fixture.client(broker)
    await client.call(1, 'queue.declare', queueNamed('q'))
    await client.call(1, 'tx.select', {})
    for (let i = 0; i < 10; i++) client.publish(1, '', 'q', KIB)
    await eventually(() => expect(broker.stats().memoryBytes).toBeGreaterThan(10_000))
    await client.call(1, 'tx.rollback', {})
    expect(broker.stats().memoryBytes).toBe(0)
    const args = { exchange: '', routingKey: 'q', mandatory: false, immediate: false }
    for (let channel = 2; channel < 14; channel++) await client.call(channel, 'channel.open', {})
    // Method, header and three frames of each body, and never the rest.
    for (let channel = 2; channel < 14; channel++)
      client.raw(
        contentBytes(channel, 'basic.publish', args, {}, KIB.repeat(200)).subarray(0, 18 + 22 + 3 * 4096),
      )
    await eventually(() => expect(broker.stats().memoryBytes).toBeGreaterThan(140_000))
    expect(broker.stats().alarms).toEqual([])
    client.stream.destroy()
    await eventually(() => expect(broker.stats().memoryBytes).toBe(0))
  })

  it('is not taken by a consumer that does not read', async () => {
    const broker = fixture.broker()
    const [publisher, consumer] = [await fixture.client(broker), await fixture.client(broker)]
    await publisher.call(1, 'queue.declare', queueNamed('q'))
    await consumer.call(1, 'basic.consume', consumeFrom('q', 'c', { noAck: true }))
    consumer.stream.pause()
    for (let i = 0; i < 5000; i++) publisher.publish(1, '', 'q', KIB)
    await publisher.call(1, 'queue.declare', queueNamed('q', { passive: true }))
    const { outputBytes } = broker.connections()[1] ?? { outputBytes: Infinity }
    expect(outputBytes).toBeLessThan(1_200_000)
    expect(broker.stats().ready).toBeGreaterThan(3000)
    consumer.stream.resume()
    for (let i = 0; i < 5000; i++) await consumer.expect('basic.deliver')
  })

  it('counts what waits for a consumer that does not read', async () => {
    const broker = fixture.broker({ limits: { maxOutputBytes: 500_000 }, memoryLimitBytes: 300_000 })
    const [publisher, consumer] = [await fixture.client(broker), await fixture.client(broker)]
    await publisher.call(1, 'queue.declare', queueNamed('q', { autoDelete: true }))
    await consumer.call(1, 'basic.consume', consumeFrom('q', 'c', { noAck: true }))
    consumer.stream.pause()
    for (let i = 0; i < 600; i++) publisher.publish(1, '', 'q', KIB)
    await eventually(() => expect(broker.stats().alarms).toEqual(['memory']))
    // Nothing of it is in the queue.
    expect(broker.stats()).toMatchObject({ ready: 0, unsettled: 0 })
    consumer.stream.destroy()
    await eventually(() => expect(broker.stats()).toMatchObject({ alarms: [], memoryBytes: 0 }))
  })

  it('is not taken by a client that asks and does not read the answers', async () => {
    const broker = fixture.broker({ limits: { maxOutputBytes: 20_000 } })
    const client = await fixture.client(broker)
    client.stream.pause()
    for (let i = 0; i < 50_000; i++)
      client.send(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 0, global: false })
    await eventually(() => expect(broker.connections()[0]?.outputBytes).toBeGreaterThan(80_000))
    const read = broker.connections()[0]?.bytesRead
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(broker.connections()[0]?.bytesRead).toBe(read)
    client.stream.resume()
    for (let i = 0; i < 50_000; i++) await client.expect('basic.qos-ok')
  })
})

describe('numbers', () => {
  it('end a handshake that is too long', async () => {
    const client = new FrameClient(fixture.broker().connect())
    client.raw(PROTOCOL_HEADER)
    await client.expect('connection.start')
    for (let i = 0; i < 5000; i++) client.raw(Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]))
    expect(await client.next()).toBe('end')
  })

  it('keep out who comes too often without a name, but nobody of this process', async () => {
    const broker = fixture.broker({ limits: { maxUnauthenticatedPerAddress: 2 } })
    const { port } = await broker.listen()
    const dial = (): FrameClient => new FrameClient(connectTcp(port, '127.0.0.1'))
    const first = [dial(), dial()]
    await eventually(() => expect(broker.connections()).toHaveLength(2))
    expect(await dial().next()).toBe('end')
    expect(broker.stats().refusedConnections).toBe(1)
    await first[0]?.open()
    expect(await dial().open()).toBeDefined()
    const near = Array.from({ length: 300 }, () => new FrameClient(broker.connect()).open())
    expect(await Promise.all(near)).toHaveLength(300)
  })

  it('end a connection whose channels are too much beside all that is declared', async () => {
    const broker = fixture.broker({ limits: { maxDeclaredBytes: 20_000 } })
    const [first, second] = [await fixture.client(broker), await fixture.client(broker)]
    for (let channel = 2; channel < 5; channel++) await first.call(channel, 'channel.open', {})
    await first.call(3, 'channel.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 })
    expect(broker.stats().declaredBytes).toBe(10_000)
    for (let channel = 2; channel < 6; channel++) await second.call(channel, 'channel.open', {})
    second.send(6, 'channel.open', {})
    expect((await second.expect('connection.close')).args).toMatchObject({
      replyCode: 530,
      replyText:
        'NOT_ALLOWED - cannot open a channel: memory limit for declarations (20000 bytes) is reached; delete what is not needed',
    })
    second.send(0, 'connection.close-ok', {})
    await eventually(() => expect(broker.stats().declaredBytes).toBe(7500))
  })

  it('end a connection that gets more than a channel may leave unsettled', async () => {
    const broker = fixture.broker({ limits: { maxUnsettledPerChannel: 2 } })
    const client = await fixture.client(broker)
    await client.call(1, 'queue.declare', queueNamed('q'))
    for (let message = 0; message < 4; message++) client.publish(1, '', 'q', 'x')
    const get = { queue: 'q', noAck: false }
    for (const noAck of [false, false, true]) {
      client.send(1, 'basic.get', { queue: 'q', noAck })
      await client.expect('basic.get-ok')
    }
    client.send(1, 'basic.get', get)
    expect((await client.expect('connection.close')).args).toMatchObject({
      replyCode: 530,
      replyText: 'NOT_ALLOWED - reached maximum (2) of unsettled messages per channel',
    })
    client.send(0, 'connection.close-ok', {})
    await eventually(() => expect(broker.queues()[0]).toMatchObject({ ready: 3, unsettled: 0 }))
  })

  it('end a channel over headers or arguments that hold more', async () => {
    const broker = fixture.broker({ limits: { maxTableFields: 2, maxTableDepth: 1 } })
    const client = await fixture.client(broker)
    const text =
      'PRECONDITION_FAILED - a field table is nested deeper than 1 levels or holds more than 2 values'
    const refused = async (): Promise<void> => {
      expect((await client.expect('channel.close')).args).toMatchObject({ replyCode: 406, replyText: text })
      client.send(1, 'channel.close-ok', {})
      await client.call(1, 'channel.open', {})
    }
    client.publish(1, '', 'q', 'x', { headers: { a: 1, b: 2, c: 3 } })
    await refused()
    client.publish(1, '', 'q', 'x', { headers: { a: { b: {} } } })
    await refused()
    client.send(1, 'queue.declare', queueNamed('q', { arguments: { a: 1, b: 2, c: 3 } }))
    await refused()
    await client.call(1, 'queue.declare', queueNamed('q', { arguments: { a: { b: 1 } } }))
    expect(() => fixture.broker({ limits: { maxTableDepth: 256 } })).toThrow("limit 'maxTableDepth'")
  })

  it('keep guest to this machine', async () => {
    const { Users } = await import('../../src/users.ts')
    const users = new Users()
    users.put({ name: 'guest', password: 'guest' })
    expect(users.admits('guest', 'guest', true)).toBe(true)
    expect(users.admits('guest', 'guest', false)).toBe(false)
  })
})

describe('faults', () => {
  it('can be put on a connection', async () => {
    const broker = fixture.broker()
    const client = await fixture.client(broker)
    const [connection] = broker.connections()
    connection?.pause()
    client.send(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 0, global: false })
    await new Promise((resolve) => setTimeout(resolve, 30))
    connection?.delay(20)
    connection?.resume()
    const startMs = performance.now()
    await client.expect('basic.qos-ok')
    expect(performance.now() - startMs).toBeGreaterThan(15)
    connection?.halfOpen()
    expect(connection?.state).toBe('running')
    connection?.drop()
    expect(await client.next()).toBe('end')
    broker.refuse(true)
    expect(await new FrameClient(broker.connect()).next()).toBe('end')
  })
})
