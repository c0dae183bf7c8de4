import { startRabbitMq } from '@hermod/testkit'
import type { Task } from '../jobs/job.ts'
import type { BenchBroker, BrokerShare, RunSize } from './bench-broker.ts'
import { findChildProcess } from './find-child-process.ts'
import { Referee } from './referee.ts'

/** The Erlang machine, which runs the whole node in one process. */
const NODE_PROGRAM = 'beam.smp'
const QUEUE = 'hermod-bench'
const WARM_UP_QUEUE = 'hermod-bench-warm-up'

/** A RabbitMQ node of its own, with its default configuration. */
export class RabbitMqBenchBroker implements BenchBroker {
  readonly title: string
  readonly #node: Awaited<ReturnType<typeof startRabbitMq>>
  readonly #referee: Referee

  private constructor(node: Awaited<ReturnType<typeof startRabbitMq>>, referee: Referee) {
    this.title = referee.product
    this.#node = node
    this.#referee = referee
  }

  static async start(): Promise<RabbitMqBenchBroker> {
    const node = await startRabbitMq()
    return new RabbitMqBenchBroker(node, await Referee.connect(node.url))
  }

  async prepare(task: Task, size: RunSize): Promise<BrokerShare> {
    await this.#referee.empty(QUEUE)
    await this.#referee.empty(WARM_UP_QUEUE)
    if (task === 'consume') {
      await this.#referee.fill(WARM_UP_QUEUE, size.warmUpCount, size.bodySize)
      await this.#referee.fill(QUEUE, size.count, size.bodySize)
    }
    const pid = findChildProcess(NODE_PROGRAM)
    return {
      url: this.#node.url,
      queue: QUEUE,
      warmUpQueue: WARM_UP_QUEUE,
      ...(pid !== undefined && { brokerPid: pid }),
    }
  }

  async verify(task: Task, size: RunSize): Promise<void> {
    // What a client left unacked is ready again once it is gone, so an empty queue shows that all was acked.
    const depth = await this.#referee.depth(QUEUE)
    const expected = task === 'publish' ? size.count : 0
    if (depth !== expected) throw new Error(`the queue holds ${depth} messages instead of ${expected}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#referee[Symbol.asyncDispose]()
    await this.#node[Symbol.asyncDispose]()
  }
}
