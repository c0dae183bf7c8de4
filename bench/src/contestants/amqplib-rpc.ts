import {
  connect,
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  type Options,
} from 'amqplib'
import { BARE_PREFETCH, bareMethods } from './bare-methods.ts'
import { OpenCalls } from './open-calls.ts'
import type { OsloContestant, RpcSession } from './oslo-contestant.ts'

/** Publishes; with confirms the promise is that of the confirm. */
type Publish = (queue: string, body: string, options: Options.Publish) => Promise<void> | void

class AmqplibRpcSession implements RpcSession {
  readonly #connection: ChannelModel
  readonly #publish: Publish
  readonly #topic: string
  readonly #replyTo: string
  readonly #calls: OpenCalls

  constructor(connection: ChannelModel, publish: Publish, topic: string, replyTo: string, calls: OpenCalls) {
    this.#connection = connection
    this.#publish = publish
    this.#topic = topic
    this.#replyTo = replyTo
    this.#calls = calls
  }

  echo(text: string): Promise<string> {
    return this.#call('echo', text)
  }

  async note(text: string): Promise<void> {
    await this.#publish(this.#topic, text, { type: 'note' })
  }

  async noted(count: number): Promise<void> {
    await this.#call('noted', String(count))
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  #call(type: string, body: string): Promise<string> {
    const replyTo = this.#replyTo
    return this.#calls.call((correlationId) =>
      this.#publish(this.#topic, body, { type, replyTo, correlationId }),
    )
  }
}

/** A channel, and how it publishes: with `guaranteed` each message is mandatory and confirmed. */
async function openChannel(
  connection: ChannelModel,
  guaranteed: boolean,
): Promise<{ readonly channel: Channel; readonly publish: Publish }> {
  if (!guaranteed) {
    const channel = await connection.createChannel()
    return {
      channel,
      publish: (queue, body, options) => void channel.publish('', queue, Buffer.from(body), options),
    }
  }
  const channel: ConfirmChannel = await connection.createConfirmChannel()
  channel.on('return', () => {
    throw new Error('a message was returned')
  })
  return {
    channel,
    publish: (queue, body, options) =>
      new Promise((resolve, reject) => {
        channel.publish('', queue, Buffer.from(body), { ...options, mandatory: true }, (error: unknown) => {
          if (error === null || error === undefined) resolve()
          else reject(error)
        })
      }),
  }
}

function amqplibRpc(guaranteed: boolean): OsloContestant {
  return {
    async serve(url, topic) {
      const connection = await connect(url, { noDelay: true })
      const { channel, publish } = await openChannel(connection, guaranteed)
      const answer = bareMethods()
      await channel.assertQueue(topic, { durable: false })
      await channel.prefetch(BARE_PREFETCH)
      const serve = async (message: ConsumeMessage): Promise<void> => {
        channel.ack(message)
        const { type, replyTo, correlationId } = message.properties
        const body = await answer(type, message.content.toString())
        if (body !== undefined) await publish(replyTo, body, { correlationId })
      }
      await channel.consume(topic, (message) => {
        if (message !== null) void serve(message)
      })
      return { [Symbol.asyncDispose]: () => connection.close() }
    },
    async connect(url, topic) {
      const connection = await connect(url, { noDelay: true })
      const { channel, publish } = await openChannel(connection, guaranteed)
      const { queue } = await channel.assertQueue('', { exclusive: true })
      const calls = new OpenCalls()
      await channel.consume(
        queue,
        (message) => calls.replied(message?.properties.correlationId, String(message?.content)),
        { noAck: true },
      )
      return new AmqplibRpcSession(connection, publish, topic, queue, calls)
    },
  }
}

/** As little as a call can be: the body is the argument, nothing is confirmed. */
export const bare: OsloContestant = amqplibRpc(false)

/** The same with what Hermod's calls have: requests and replies confirmed, and returned where no queue takes them. */
export const guaranteed: OsloContestant = amqplibRpc(true)
