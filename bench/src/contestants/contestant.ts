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
  close(): Promise<void>
}

/** One client library, used as its documentation recommends for speed. */
export interface Contestant {
  connect(url: string): Promise<ContestantSession>
}
