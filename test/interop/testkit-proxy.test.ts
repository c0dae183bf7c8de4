import { Connection, type ConnectionEvents, type ConnectionOptions } from '@hermod/amqp'
import {
  eventually,
  findRabbitMq,
  needs,
  startFaultProxy,
  startRabbitMq,
  type BrokerFixture,
  type FaultProxy,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const gate = needs(findRabbitMq())

describe.skipIf(gate.skip)(`the client through a fault proxy, with RabbitMQ behind it${gate.note}`, () => {
  let broker: BrokerFixture
  let proxy: FaultProxy
  beforeAll(async () => {
    broker = await startRabbitMq()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    proxy = await startFaultProxy(broker)
  })
  afterEach(() => proxy[Symbol.asyncDispose]())

  const connect = (options: ConnectionOptions = {}): Promise<Connection> =>
    Connection.connect(proxy.urlFor(broker.url), { reconnect: { initialMs: 10, maxMs: 50 }, ...options })

  it.each(['to-broker', 'to-client'] as const)(
    'connects again after a cut in a frame %s',
    async (direction) => {
      await using connection = await connect()
      const channel = await connection.openChannel()
      const bodies: string[] = []
      const queue = `cut ${direction}`
      await channel.declareQueue(queue, { durable: false, autoDelete: true })
      await channel.consume(queue, { noAck: true }, (message) => void bodies.push(message.body.toString()))
      const restored = next(connection, 'restored')
      proxy.cutAfter({ direction, bytes: 20_000 })
      // A message is one frame of 30 000 bytes, which the cut leaves unfinished.
      const published = await channel.publish('', queue, Buffer.alloc(30_000, '.'), { resend: true }).then(
        () => 'confirmed',
        () => 'rejected',
      )
      await restored
      expect(proxy.stats()).toMatchObject({ cut: 1, accepted: 2 })
      expect(published).toBe('confirmed')
      bodies.length = 0
      await channel.publish('', queue, Buffer.from('after'))
      await eventually(() => bodies.includes('after'))
    },
  )

  it('notices by its heartbeat that the other side is gone', async () => {
    await using connection = await connect({ heartbeatMs: 1000 })
    const lost = next(connection, 'lost')
    using fault = proxy.halfOpen()
    expect((await lost).error).toMatchObject({ code: 'E_HEARTBEAT' })
    const restored = next(connection, 'restored')
    fault.heal()
    await restored
    const channel = await connection.openChannel()
    expect(await channel.declareQueue('', { exclusive: true })).toMatchObject({ messageCount: 0 })
  })

  it('works when every byte comes by itself, and when many come at once', async () => {
    using _pieces = proxy.rechunk({ bytes: 1 })
    await using connection = await connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    const bodies: string[] = []
    await channel.consume(queue, { noAck: true }, (message) => void bodies.push(message.body.toString()))
    const sent = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(index))
    await Promise.all(sent.map((body) => channel.publish('', queue, Buffer.from(body))))
    await eventually(() => bodies.length === sent.length)
    proxy.rechunk({ bytes: [1, 5000], holdMs: 20 })
    await Promise.all(sent.map((body) => channel.publish('', queue, Buffer.from(body))))
    await eventually(() => bodies.length === 2 * sent.length)
    expect(bodies, `seed ${proxy.seed}`).toEqual([...sent, ...sent])
    expect(proxy.stats().toClient.writes).toBeGreaterThan(1000)
  })

  it('says that bytes were no AMQP, and connects again', async () => {
    await using connection = await connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    const [lost, restored] = [next(connection, 'lost'), next(connection, 'restored')]
    // The type of the next frame.
    proxy.corrupt({ direction: 'to-client', change: Buffer.of(77) })
    await channel.publish('', queue, Buffer.from('x'), { resend: true })
    expect((await lost).error).toMatchObject({
      message: expect.stringContaining('unknown frame type 77') as string,
    })
    await restored
    expect(proxy.stats().toClient.corruptedBytes).toBe(1)
  })

  it('is told by the broker that bytes were no AMQP, and connects again', async () => {
    await using connection = await connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    const [lost, restored] = [next(connection, 'lost'), next(connection, 'restored')]
    proxy.corrupt({ direction: 'to-broker', change: Buffer.of(77) })
    await channel.publish('', queue, Buffer.from('x'), { resend: true })
    expect((await lost).error).toMatchObject({ details: { replyCode: 501 } })
    await restored
  })
})

/** The next event of a kind. */
function next<Name extends keyof ConnectionEvents>(
  connection: Connection,
  name: Name,
): Promise<ConnectionEvents[Name]> {
  return new Promise((resolve) => connection.on(name, resolve))
}
