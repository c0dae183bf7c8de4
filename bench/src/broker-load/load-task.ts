/** What is measured of brokers. */
export type LoadTask =
  | 'broker-publish'
  | 'broker-confirm'
  | 'broker-flow'
  | 'broker-flow-50'
  | 'broker-topic-1'
  | 'broker-topic-10'
  | 'broker-topic-10000'
  | 'broker-rpc'
  | 'broker-rpc-64'
  | 'broker-latency'
  | 'broker-backlog'
  | 'broker-hermod-confirm'
  | 'broker-hermod-flow'
  | 'broker-hermod-rpc-64'
  | 'broker-memory'

/** What makes the load: the C program, Hermod's AMQP client, or its transports. */
type LoadProgram = 'librabbitmq' | 'hermod' | 'messaging'

/** How a load is made and shown. */
export interface LoadPlan {
  readonly program: LoadProgram
  /** What the program is told to do. */
  readonly mode: 'publish' | 'confirm' | 'flow' | 'calls' | 'backlog'
  readonly title: string
  readonly unit: 'messages' | 'calls' | 'notifications'
  /** Messages on RabbitMQ; the embedded broker gets {@link EMBEDDED_FACTOR} times as many where `isScaled`. */
  readonly count: number
  readonly isScaled: boolean
  /** Without a confirm, unsettled, or calls without a reply. */
  readonly window: number
  readonly queues?: number
  /** Of a topic exchange; absent: messages go through the default exchange. */
  readonly bindings?: number
  /** Whether messages are sent at half of the rate that RabbitMQ reached in `broker-flow`. */
  readonly isPaced?: true
  /** Each run has a broker of its own, and so there is none to be warmed up. */
  readonly isFresh?: true
}

/** So that a run takes about as long on the faster broker. */
export const EMBEDDED_FACTOR = 5

const FLOW = { program: 'librabbitmq', mode: 'flow', unit: 'messages', isScaled: true, window: 500 } as const
const TOPIC = { ...FLOW, count: 40_000 } as const

/** Every load, in the order in which they run. */
export const LOAD_PLANS: Readonly<Record<LoadTask, LoadPlan>> = {
  'broker-publish': {
    ...FLOW,
    mode: 'publish',
    title: 'publish, nothing confirmed, no consumer',
    count: 60_000,
  },
  'broker-confirm': {
    ...FLOW,
    mode: 'confirm',
    title: 'publish with confirms, 500 in flight, no consumer',
    count: 60_000,
  },
  'broker-flow': { ...FLOW, title: 'from a publisher to a consumer that acks, one queue', count: 60_000 },
  'broker-flow-50': {
    ...FLOW,
    title: 'from a publisher to a consumer that acks, 50 queues',
    count: 60_000,
    queues: 50,
  },
  'broker-topic-1': {
    ...TOPIC,
    title: 'from a publisher to a consumer that acks, topic exchange, 1 binding',
    bindings: 1,
  },
  'broker-topic-10': {
    ...TOPIC,
    title: 'from a publisher to a consumer that acks, topic exchange, 10 bindings',
    bindings: 10,
  },
  'broker-topic-10000': {
    ...TOPIC,
    title: 'from a publisher to a consumer that acks, topic exchange, 10,000 bindings',
    bindings: 10_000,
  },
  'broker-rpc': {
    ...FLOW,
    mode: 'calls',
    unit: 'calls',
    title: 'calls one by one by direct reply-to',
    count: 4_000,
    window: 1,
  },
  'broker-rpc-64': {
    ...FLOW,
    mode: 'calls',
    unit: 'calls',
    title: 'calls by direct reply-to, 64 in flight',
    count: 20_000,
    window: 64,
  },
  'broker-latency': {
    ...FLOW,
    title: "from a publisher to a consumer at half of RabbitMQ's top rate",
    count: 40_000,
    isScaled: false,
    isPaced: true,
  },
  'broker-backlog': {
    ...FLOW,
    mode: 'backlog',
    title: 'a queue of a million messages: filled with confirms, then emptied with acks',
    count: 1_000_000,
    isScaled: false,
    isFresh: true,
  },
  'broker-hermod-confirm': {
    ...FLOW,
    program: 'hermod',
    mode: 'confirm',
    title: "Hermod's client: publish with confirms, 500 in flight, no consumer",
    count: 60_000,
  },
  'broker-hermod-flow': {
    ...FLOW,
    program: 'hermod',
    title: "Hermod's client: from a publisher to a consumer that acks, in one process",
    count: 60_000,
  },
  'broker-hermod-rpc-64': {
    ...FLOW,
    program: 'hermod',
    mode: 'calls',
    unit: 'calls',
    title: "Hermod's client: calls by direct reply-to and their echo in one process, 64 in flight",
    count: 20_000,
    window: 64,
  },
  'broker-memory': {
    program: 'messaging',
    mode: 'flow',
    unit: 'notifications',
    title: 'notifications emitted and handled by one thread, with envelopes, 100 in flight',
    count: 40_000,
    isScaled: false,
    window: 100,
  },
}

/** Every load, in the order in which they run. */
export const LOAD_TASKS: readonly LoadTask[] = Object.keys(LOAD_PLANS) as LoadTask[]

/** Whether this is a load on brokers. */
export function isLoadTask(task: string): task is LoadTask {
  return Object.hasOwn(LOAD_PLANS, task)
}

/** Bytes of a body. */
export const LOAD_BODY_SIZE = 1024
