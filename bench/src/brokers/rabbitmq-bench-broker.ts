import { startRabbitMq } from '@hermod/testkit'
import { TASK_KINDS, type TaskKind } from '../jobs/task.ts'
import type { BenchBroker, BrokerShare, RunSize } from './bench-broker.ts'
import { EchoServer } from './echo-server.ts'
import { findChildProcesses } from './find-child-process.ts'
import { Referee } from './referee.ts'

/** The Erlang machine, which runs the whole node in one process. */
const NODE_PROGRAM = 'beam.smp'
const QUEUE = 'hermod-bench'
const WARM_UP_QUEUE = 'hermod-bench-warm-up'
const ECHO_QUEUE = 'hermod-bench-echo'
const RPC_TOPIC = 'hermod-bench-rpc'
const TOPIC = 'hermod-bench-events'
const WARM_UP_TOPIC = 'hermod-bench-warm-up-events'

/** What a run leaves its messages in, or nothing. */
const VERIFIED_QUEUES: Readonly<Record<TaskKind, string>> = {
  publish: QUEUE,
  consume: QUEUE,
  call: ECHO_QUEUE,
  'oslo-call': RPC_TOPIC,
  'oslo-cast': RPC_TOPIC,
  notify: `${TOPIC}.info`,
  listen: `${TOPIC}.info`,
}

/** A RabbitMQ node of its own, with its default configuration. */
export class RabbitMqBenchBroker implements BenchBroker {
  readonly name = 'rabbitmq'
  readonly kinds: readonly TaskKind[] = TASK_KINDS
  readonly title: string
  readonly #node: Awaited<ReturnType<typeof startRabbitMq>>
  readonly #referee: Referee
  /** Started when it is first called, so that it takes no processor time from what needs no echo. */
  #echo: EchoServer | undefined

  private constructor(node: Awaited<ReturnType<typeof startRabbitMq>>, referee: Referee) {
    this.title = referee.product
    this.#node = node
    this.#referee = referee
  }

  static async start(): Promise<RabbitMqBenchBroker> {
    const node = await startRabbitMq()
    return new RabbitMqBenchBroker(node, await Referee.connect(node.url))
  }

  async prepare(kind: TaskKind, size: RunSize): Promise<BrokerShare> {
    const [pid] = findChildProcesses(NODE_PROGRAM)
    const place = { url: this.#node.url, ...(pid !== undefined && { brokerPid: pid }) }
    if (kind === 'call') {
      await this.#referee.empty(ECHO_QUEUE)
      this.#echo ??= await EchoServer.start(this.#node.url, ECHO_QUEUE)
      return { ...place, queue: ECHO_QUEUE, warmUpQueue: ECHO_QUEUE }
    }
    // Whoever serves declares its queue; one that is left over would be taken for its own.
    if (kind === 'oslo-call' || kind === 'oslo-cast') {
      await this.#referee.remove(RPC_TOPIC)
      return { ...place, queue: RPC_TOPIC, warmUpQueue: RPC_TOPIC }
    }
    if (kind === 'notify' || kind === 'listen') {
      await this.#notifications(kind, size)
      return { ...place, queue: TOPIC, warmUpQueue: WARM_UP_TOPIC }
    }
    await this.#referee.empty(QUEUE)
    await this.#referee.empty(WARM_UP_QUEUE)
    if (kind === 'consume') {
      await this.#referee.fill(WARM_UP_QUEUE, size.warmUpCount, size.bodySize)
      await this.#referee.fill(QUEUE, size.count, size.bodySize)
    }
    return { ...place, queue: QUEUE, warmUpQueue: WARM_UP_QUEUE }
  }

  async verify(kind: TaskKind, size: RunSize): Promise<void> {
    // What a client left unacked is ready again once it is gone, so an empty queue shows that all was acked.
    const depth = await this.#referee.depth(VERIFIED_QUEUES[kind])
    const expected = kind === 'publish' || kind === 'notify' ? size.count : 0
    if (depth !== expected) throw new Error(`the queue holds ${depth} messages instead of ${expected}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#echo?.[Symbol.asyncDispose]()
    await this.#referee[Symbol.asyncDispose]()
    await this.#node[Symbol.asyncDispose]()
  }

  async #notifications(kind: 'notify' | 'listen', { count, warmUpCount, bodySize }: RunSize): Promise<void> {
    for (const [topic, messages] of [
      [TOPIC, count],
      [WARM_UP_TOPIC, warmUpCount],
    ] as const) {
      await this.#referee.remove(`${topic}.info`)
      if (kind === 'listen') await this.#referee.fillWithNotifications(`${topic}.info`, messages, bodySize)
    }
  }
}
