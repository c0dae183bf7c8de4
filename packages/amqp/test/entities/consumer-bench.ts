import { contentBytes, eventually, ScriptedBroker, type BrokerLink } from '@hermod/testkit'
import {
  Consumer,
  Queue,
  type Connection,
  type ConsumerEvents,
  type ConsumerOptions,
  type Message,
} from '../../src/index.ts'

export const queue: Queue = new Queue('jobs')

/** A consumer of one queue on a scripted broker, and a way to deliver to it. */
export class Bench {
  readonly broker = new ScriptedBroker()
  readonly handled: unknown[] = []
  readonly errors: ConsumerEvents['handler-error'][] = []
  connection!: Connection
  consumer!: Consumer
  #tag = 0

  static async open(
    handler?: (body: unknown, message: Message) => unknown,
    options?: ConsumerOptions,
    queues: readonly Queue[] = [queue],
  ): Promise<Bench> {
    const bench = new Bench()
    bench.connection = await bench.broker.connect()
    bench.consumer = new Consumer(bench.connection, queues, handler, options)
    return bench
  }

  get link(): BrokerLink {
    return this.broker.link
  }

  /** Delivers bodies to the consumer that was started last, or to the one with this tag. */
  deliver(
    bodies: readonly string[],
    { redelivered = false, consumerTag = '', contentType = 'application/json' } = {},
  ): void {
    const consume = this.link.all('basic.consume').at(-1)
    const parts = bodies.map((body) => {
      const deliveryTag = ++this.#tag
      const tag = consumerTag === '' ? (consume?.args.consumerTag as string) : consumerTag
      const args = { consumerTag: tag, deliveryTag, redelivered, exchange: '', routingKey: 'jobs' }
      return contentBytes(consume?.channel as number, 'basic.deliver', args, { contentType }, body)
    })
    this.link.raw(Buffer.concat(parts))
  }

  /** A broker that lost the connection counts anew. */
  forgetTags(): void {
    this.#tag = 0
  }

  /** What was settled, in order: `ack 1`, `ack* 3`, `requeue 2`, `reject 4`. */
  get settled(): string[] {
    return this.link.methods.flatMap((method) => {
      if (method.name === 'basic.ack')
        return [`ack${method.args.multiple ? '*' : ''} ${method.args.deliveryTag}`]
      if (method.name === 'basic.reject')
        return [`${method.args.requeue ? 'requeue' : 'reject'} ${method.args.deliveryTag}`]
      return []
    })
  }

  /** {@link settled}, once there is so much of it. */
  async settles(count: number): Promise<string[]> {
    await eventually(() => this.settled.length >= count)
    return this.settled
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close()
  }
}
