/** What differs between versions of RabbitMQ, and is asked of a {@link Profile} wherever it matters. */
export interface Profile {
  /** The version whose behaviour this is. */
  readonly version: string
  /** Queues that are neither durable nor exclusive: taken, or refused with 541. */
  readonly transientQueues: 'taken' | 'refused'
  /** The smallest frame_max that a client may ask for. */
  readonly smallestFrameMax: number
  /** `basic.qos` with `global`: one limit for the channel, or one for each later consumer as without the flag. */
  readonly globalPrefetch: 'channel' | 'consumer'
  /** The largest body. */
  readonly maxMessageBytes: number
  /** How often a quorum queue delivers a message again where no `x-delivery-limit` says so. */
  readonly deliveryLimit: number | undefined
  /** Whether giving a message back to a quorum queue by `basic.nack` counts as a delivery that failed. */
  readonly nackCounts: boolean
  /** Whether basic.get from a quorum queue says of what never came back that it did so 0 times. */
  readonly getSaysZero: boolean
  /** The highest priority that quorum queues know; 0 for none. */
  readonly quorumPriorities: number
  /** Whether a classic queue with one active consumer refuses basic.get (405), as quorum queues always do. */
  readonly classicRefusesGet: boolean
  /**
   * Whether a quorum queue with one active consumer heeds priorities: the highest is next, and takes the place of an
   * active one that is lower once that holds nothing. If not, who came first is next. Classic queues choose the highest
   * when the active one has gone.
   */
  readonly activeByPriority: boolean
  /** Whether a reply to `amq.rabbitmq.reply-to…` counts as routed: if not, a mandatory one comes back as well. */
  readonly repliesAreRouted: boolean
  /** How an exchange type that does not exist is refused. */
  readonly unknownExchangeType: 406 | 503
  /** Whether an `x-death` header that a publisher sent is read as the history of its message. */
  readonly trustsPublishedDeath: boolean
  /** Whether dead letters name the last death in headers of their own, `x-last-death-queue` and so on. */
  readonly namesLastDeath: boolean
  /** How many `#` a topic binding may have. */
  readonly maxTopicHashes: number | undefined
  /** Queue arguments that are refused though older versions took them. */
  readonly refusedQueueArguments: readonly string[]
}

/** The names of {@link PROFILES}. */
export type ProfileName = 'rabbitmq-3.10' | 'rabbitmq-3.13' | 'rabbitmq-4.2' | 'rabbitmq-4.3'

const V3_10: Profile = {
  version: '3.10.8',
  transientQueues: 'taken',
  smallestFrameMax: 4096,
  globalPrefetch: 'channel',
  maxMessageBytes: 134_217_728,
  deliveryLimit: undefined,
  nackCounts: true,
  getSaysZero: true,
  quorumPriorities: 0,
  classicRefusesGet: false,
  activeByPriority: false,
  repliesAreRouted: false,
  unknownExchangeType: 503,
  trustsPublishedDeath: true,
  namesLastDeath: false,
  maxTopicHashes: undefined,
  refusedQueueArguments: [],
}

const V4_2: Profile = {
  ...V3_10,
  version: '4.2.0',
  maxMessageBytes: 16_777_216,
  // RabbitMQ 4.1 and later refuse less than 8192; clients that are still in use ask for 4096.
  smallestFrameMax: 4096,
  deliveryLimit: 20,
  getSaysZero: false,
  // RabbitMQ 4.0 to 4.2 have two classes, which share; that is not copied here.
  classicRefusesGet: true,
  activeByPriority: true,
  repliesAreRouted: true,
  unknownExchangeType: 406,
  trustsPublishedDeath: false,
  namesLastDeath: true,
}

/** Every profile as data: the whole difference between them. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  'rabbitmq-3.10': V3_10,
  'rabbitmq-3.13': { ...V3_10, version: '3.13.7', namesLastDeath: true },
  'rabbitmq-4.2': V4_2,
  'rabbitmq-4.3': {
    ...V4_2,
    version: '4.3.0',
    transientQueues: 'refused',
    smallestFrameMax: 8192,
    globalPrefetch: 'consumer',
    nackCounts: false,
    quorumPriorities: 31,
    maxTopicHashes: 2,
    refusedQueueArguments: ['x-queue-mode', 'x-queue-version', 'x-queue-master-locator'],
  },
})
