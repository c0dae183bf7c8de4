/** What one confirmed-publish run does. */
export interface PublishPlan {
  readonly queue: string
  readonly count: number
  readonly body: Buffer
  /** The most messages that may be unconfirmed at once. */
  readonly window: number
}

/** What one consume run does. */
export interface ConsumePlan {
  readonly queue: string
  readonly count: number
  readonly bodySize: number
  readonly prefetch: number
}

/** What one run of calls does. */
export interface CallPlan {
  /** Where the echo listens. */
  readonly queue: string
  readonly count: number
  readonly body: Buffer
  /** The most calls that may be without a reply at once. */
  readonly inFlight: number
}

/** RabbitMQ's direct reply-to: replies come to the channel that asked, through no queue. */
export const REPLY_TO = 'amq.rabbitmq.reply-to'

/** A client that is connected and has a channel open. */
export interface ContestantSession {
  /**
   * Publishes transient messages to `queue` through the default exchange, each with its own confirmation.
   * Resolves when the last one is confirmed.
   */
  confirmedPublish(plan: PublishPlan): Promise<void>
  /**
   * Consumes `count` messages, acking each by itself. Resolves after cancelling the consumer, so that the
   * broker has taken the acks that went before.
   */
  consumeAck(plan: ConsumePlan): Promise<void>
  /** Consumes {@link REPLY_TO} without acks, makes `count` calls and resolves when all replies have come. */
  call(plan: CallPlan): Promise<void>
  close(): Promise<void>
}

/** How a session is going to be used. */
interface SessionNeeds {
  /** Whether the channel is asked to confirm. Only some clients can do without. */
  readonly confirms: boolean
}

/** One client library, used as its documentation recommends for speed. */
export interface Contestant {
  connect(url: string, needs: SessionNeeds): Promise<ContestantSession>
}
