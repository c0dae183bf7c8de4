import { randomUUID } from 'node:crypto'
import { connect, type Channel, type ChannelModel, type Options } from 'amqplib'
import { notificationText } from '@hermod/driver-rabbit'
import type { JsonObject } from '@hermod/kernel'
import { publishInWindow } from '../contestants/publish-in-window.ts'

/** Looks at a broker from beside the contestants: fills and empties queues, and reads how much they hold. */
export class Referee {
  /** What the broker says of itself. */
  readonly product: string
  readonly #connection: ChannelModel
  readonly #channel: Channel

  private constructor(connection: ChannelModel, channel: Channel) {
    const { product, version, platform } = connection.connection.serverProperties
    this.product = `${product} ${version} on ${platform}`
    this.#connection = connection
    this.#channel = channel
  }

  static async connect(url: string): Promise<Referee> {
    const connection = await connect(url, { noDelay: true })
    return new Referee(connection, await connection.createChannel())
  }

  /** Makes sure that the durable queue exists and is empty. */
  async empty(queue: string): Promise<void> {
    await this.#channel.assertQueue(queue, { durable: true })
    await this.#channel.purgeQueue(queue)
  }

  /** Deletes a queue, if there is one. */
  async remove(queue: string): Promise<void> {
    await this.#channel.deleteQueue(queue)
  }

  /** Adds `count` transient messages and waits until the broker has them all. */
  async fill(queue: string, count: number, bodySize: number): Promise<void> {
    const body = Buffer.alloc(bodySize, 'x')
    await this.#publish(queue, count, () => body, { deliveryMode: 1 })
  }

  /** Adds `count` notifications as oslo.messaging sends them, to a queue declared as it declares them. */
  async fillWithNotifications(queue: string, count: number, textSize: number): Promise<void> {
    await this.#channel.assertQueue(queue, { durable: false })
    const payload = { text: 'x'.repeat(textSize) }
    const properties = { contentType: 'application/json', contentEncoding: 'utf-8', deliveryMode: 2 }
    await this.#publish(queue, count, () => notificationBody(payload), properties)
  }

  async #publish(queue: string, count: number, body: () => Buffer, options: Options.Publish): Promise<void> {
    const channel = await this.#connection.createConfirmChannel()
    await publishInWindow(count, 2000, (confirmed, failed) => {
      channel.sendToQueue(queue, body(), options, (error: unknown) => {
        if (error === null || error === undefined) confirmed()
        else failed(error)
      })
    })
    await channel.close()
  }

  /** The messages that are ready in a queue, by a passive declare. */
  async depth(queue: string): Promise<number> {
    return (await this.#channel.checkQueue(queue)).messageCount
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }
}

function notificationBody(payload: JsonObject): Buffer {
  const message = {
    message_id: randomUUID(),
    publisher_id: 'bench',
    event_type: 'bench.event',
    priority: 'INFO' as const,
    payload,
    timestamp: '2026-01-02 03:04:05.678901',
  }
  const uniqueId = randomUUID().replaceAll('-', '')
  return Buffer.from(notificationText({ message, context: {}, headers: {} }, uniqueId, '2.0'))
}
