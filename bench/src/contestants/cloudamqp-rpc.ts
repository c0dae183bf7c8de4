import { AMQPClient, type AMQPChannel, type AMQPProperties } from '@cloudamqp/amqp-client'
import { BARE_PREFETCH, bareMethods } from './bare-methods.ts'
import { OpenCalls } from './open-calls.ts'
import type { OsloContestant, RpcSession } from './oslo-contestant.ts'

/** Publishes; with confirms the promise is that of the confirm. */
type Publish = (queue: string, body: string, properties: AMQPProperties) => Promise<number>

class CloudamqpRpcSession implements RpcSession {
  readonly #client: AMQPClient
  readonly #publish: Publish
  readonly #topic: string
  readonly #replyTo: string
  readonly #calls: OpenCalls

  constructor(client: AMQPClient, publish: Publish, topic: string, replyTo: string, calls: OpenCalls) {
    this.#client = client
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
    await this.#client.close()
  }

  #call(type: string, body: string): Promise<string> {
    const replyTo = this.#replyTo
    return this.#calls.call((correlationId) =>
      this.#publish(this.#topic, body, { type, replyTo, correlationId }),
    )
  }
}

/** A connection with a channel, and how that publishes: with `guaranteed` each message is mandatory and confirmed. */
async function open(
  url: string,
  guaranteed: boolean,
): Promise<{ readonly client: AMQPClient; readonly channel: AMQPChannel; readonly publish: Publish }> {
  const client = new AMQPClient(url)
  await client.connect()
  client.socket?.setNoDelay(true)
  const channel = await client.channel()
  if (guaranteed) await channel.confirmSelect()
  channel.onReturn = () => {
    throw new Error('a message was returned')
  }
  return {
    client,
    channel,
    publish: (queue, body, properties) =>
      channel.basicPublish('', queue, Buffer.from(body), properties, guaranteed),
  }
}

function cloudamqpRpc(guaranteed: boolean): OsloContestant {
  return {
    async serve(url, topic) {
      const { client, channel, publish } = await open(url, guaranteed)
      const answer = bareMethods()
      await channel.queueDeclare(topic, { durable: false, autoDelete: false })
      await channel.basicQos(BARE_PREFETCH)
      await channel.basicConsume(topic, { noAck: false }, async (message) => {
        void message.ack()
        const { type, replyTo = '', correlationId } = message.properties
        const body = await answer(type, message.bodyString() ?? '')
        if (body !== undefined)
          await publish(replyTo, body, correlationId === undefined ? {} : { correlationId })
      })
      return { [Symbol.asyncDispose]: () => client.close() }
    },
    async connect(url, topic) {
      const { client, channel, publish } = await open(url, guaranteed)
      const { name } = await channel.queueDeclare('', { exclusive: true })
      const calls = new OpenCalls()
      await channel.basicConsume(name, { noAck: true }, (message) =>
        calls.replied(message.properties.correlationId, message.bodyString() ?? ''),
      )
      return new CloudamqpRpcSession(client, publish, topic, name, calls)
    },
  }
}

/** As little as a call can be: the body is the argument, nothing is confirmed. */
export const bare: OsloContestant = cloudamqpRpc(false)

/** The same with what Hermod's calls have: requests and replies confirmed, and returned where no queue takes them. */
export const guaranteed: OsloContestant = cloudamqpRpc(true)
