import { Connection, type Message } from '@hermod/amqp'
import { sleep } from '@hermod/kernel'
import { eventually, findRabbitMq, needs, startRabbitMq, type BrokerFixture } from '@hermod/testkit'
import acm, { type AmqpConnectionManager, type ChannelWrapper } from 'amqp-connection-manager'
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documented } from './library.ts'

const LIBRARY = 'amqp-connection-manager'
const gate = needs(findRabbitMq())

/** A connection of the library, and why it was lost each time. */
function connectTheirs(url: string): { readonly manager: AmqpConnectionManager; readonly lost: string[] } {
  const manager = acm.connect(url, { reconnectTimeInSeconds: 0.05 })
  const lost: string[] = []
  manager.on('disconnect', ({ err }) => lost.push(err.message))
  return { manager, lost }
}

describe.skipIf(gate.skip)(`beside amqp-connection-manager${gate.note}`, () => {
  let broker: BrokerFixture
  let helper: Connection
  beforeAll(async () => {
    broker = await startRabbitMq()
    helper = await Connection.connect(broker.url, { reconnect: { initialMs: 20, maxMs: 100 } })
  })
  afterAll(async () => {
    await helper?.close()
    await broker?.[Symbol.asyncDispose]()
  })

  /** Puts a message into a queue. */
  async function put(queue: string, body: string): Promise<void> {
    await using channel = await helper.openChannel()
    await channel.publish('', queue, Buffer.from(body), { resend: true })
  }

  async function declare(queue: string): Promise<void> {
    await using channel = await helper.openChannel()
    await channel.declareQueue(queue)
  }

  /** The messages of a queue that nobody consumes any more. */
  async function leftIn(queue: string): Promise<readonly string[]> {
    await eventually(async () => (await facts(queue))?.messagesUnacknowledged === 0)
    await using channel = await helper.openChannel()
    const bodies: string[] = []
    for (;;) {
      const message = await channel.get(queue)
      if (message === undefined) return bodies
      bodies.push(message.body.toString())
      message.ack()
    }
  }

  const facts = async (queue: string) => (await broker.queues()).find(({ name }) => name === queue)

  /**
   * Two messages are delivered; the first is acked, and the second held while the connection is cut. After that it
   * is delivered again, as number 1 of the new channel.
   */
  async function holdOverReconnect(queue: string, received: readonly unknown[]): Promise<void> {
    await put(queue, 'first')
    await put(queue, 'second')
    await eventually(() => received.length === 2)
    // The ack of the first may still be on its way.
    await eventually(async () => (await facts(queue))?.messages === 1)
    await broker.closeConnections('a test of reconnects')
    await eventually(() => received.length === 3)
  }

  /** A consumer of the library that acks the first message and keeps the others. */
  async function consumeTheirs(
    manager: AmqpConnectionManager,
    queue: string,
  ): Promise<{ readonly channel: ChannelWrapper; readonly received: ConsumeMessage[] }> {
    const channel = manager.createChannel()
    channel.on('error', () => {})
    const received: ConsumeMessage[] = []
    await channel.waitForConnect()
    await channel.consume(queue, (message) => {
      received.push(message)
      if (message.content.toString() === 'first') channel.ack(message)
    })
    return { channel, received }
  }

  async function consumeOurs(connection: Connection, queue: string): Promise<readonly Message[]> {
    const channel = await connection.openChannel()
    const received: Message[] = []
    await channel.consume(queue, {}, (message) => {
      received.push(message)
      if (message.body.toString() === 'first') message.ack()
    })
    return received
  }

  const connectOurs = () => Connection.connect(broker.url, { reconnect: { initialMs: 20, maxMs: 100 } })

  it('amqp-connection-manager acks with an old message a new one, which is lost; ours refuses and loses nothing', async () => {
    await declare('wrong.theirs')
    await declare('wrong.ours')
    {
      const { manager } = connectTheirs(broker.url)
      const { channel, received } = await consumeTheirs(manager, 'wrong.theirs')
      await holdOverReconnect('wrong.theirs', received)
      await put('wrong.theirs', 'third')
      await eventually(() => received.length === 4)
      // It was number 2 of its channel; number 2 of this one is the third message.
      channel.ack(received[1] as ConsumeMessage)
      await eventually(async () => (await facts('wrong.theirs'))?.messages === 1)
      await manager.close()
      const left = await leftIn('wrong.theirs')
      documented(LIBRARY, () => expect(left).toEqual(['second']))
    }
    await using ours = await connectOurs()
    const received = await consumeOurs(ours, 'wrong.ours')
    await holdOverReconnect('wrong.ours', received)
    await put('wrong.ours', 'third')
    await eventually(() => received.length === 4)
    expect(received[1]?.ack()).toBe(false)
    expect(ours.stats().staleSettles).toBe(1)
    await ours.close()
    expect(await leftIn('wrong.ours')).toEqual(['second', 'third'])
  })

  it('amqp-connection-manager loses its connection over the ack of an old message; ours keeps it', async () => {
    await declare('unknown.theirs')
    await declare('unknown.ours')
    {
      const { manager, lost } = connectTheirs(broker.url)
      const { channel, received } = await consumeTheirs(manager, 'unknown.theirs')
      await holdOverReconnect('unknown.theirs', received)
      lost.length = 0
      channel.ack(received[1] as ConsumeMessage)
      await eventually(() => received.length === 4)
      documented(LIBRARY, () => expect(lost).toEqual([expect.stringContaining('unknown delivery tag 2')]))
      await manager.close()
    }
    await using ours = await connectOurs()
    const received = await consumeOurs(ours, 'unknown.ours')
    await holdOverReconnect('unknown.ours', received)
    expect(received[1]?.ack()).toBe(false)
    // The one that was delivered again can be acked, and nothing was lost by the other.
    expect(received[2]?.ack()).toBe(true)
    await eventually(async () => (await facts('unknown.ours'))?.messages === 0)
    expect(ours.stats()).toMatchObject({ reconnects: 1, staleSettles: 1 })
  })

  it('amqp-connection-manager does not open a channel again that the broker closed; ours does', async () => {
    await declare('target')
    {
      const { manager } = connectTheirs(broker.url)
      const errors: string[] = []
      const channel = manager.createChannel({
        // As in a program that wants to know of the errors of its channel.
        setup: (inner: ConfirmChannel) => {
          inner.on('error', ({ message }: Error) => errors.push(message))
          return Promise.resolve()
        },
      })
      await channel.waitForConnect()
      await expect(channel.publish('missing', 'key', 'x')).rejects.toThrow('channel closed')
      expect(errors).toEqual([expect.stringContaining("no exchange 'missing'")])
      let outcome = 'open'
      channel.publish('', 'target', 'x').then(
        () => (outcome = 'confirmed'),
        () => (outcome = 'rejected'),
      )
      // Sixty times its delay before a new attempt.
      await sleep(3000)
      const after = { outcome, connected: manager.isConnected() }
      documented(LIBRARY, () => expect(after).toEqual({ outcome: 'open', connected: true }))
      await manager.close()
    }
    await using ours = await connectOurs()
    const channel = await ours.openChannel()
    const refused = channel.publish('missing', 'key', Buffer.from('x'))
    await expect(refused).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 404 })
    await channel.publish('', 'target', Buffer.from('x'))
  })

  it('amqp-connection-manager loses its connection when a channel fails and nobody listens to it; ours the channel', async () => {
    {
      const { manager, lost } = connectTheirs(broker.url)
      const channel = manager.createChannel()
      await channel.waitForConnect()
      channel.publish('missing', 'key', 'x').catch(() => {})
      await eventually(() => lost.length > 0)
      documented(LIBRARY, () => expect(lost).toEqual([expect.stringContaining("no exchange 'missing'")]))
      await manager.close()
    }
    await using ours = await connectOurs()
    const [channel, other] = [await ours.openChannel(), await ours.openChannel()]
    const { number } = other
    const refused = channel.publish('missing', 'key', Buffer.from('x'))
    await expect(refused).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 404 })
    await other.declareQueue('', { exclusive: true })
    expect({ reconnects: ours.stats().reconnects, number: other.number }).toEqual({ reconnects: 0, number })
  })
})
