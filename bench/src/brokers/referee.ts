import { connect, type Channel, type ChannelModel } from 'amqplib'
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

  /** Adds `count` transient messages and waits until the broker has them all. */
  async fill(queue: string, count: number, bodySize: number): Promise<void> {
    const body = Buffer.alloc(bodySize, 'x')
    const channel = await this.#connection.createConfirmChannel()
    await publishInWindow(count, 2000, (confirmed, failed) => {
      channel.sendToQueue(queue, body, { deliveryMode: 1 }, (error: unknown) => {
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
