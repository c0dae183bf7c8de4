import { isHermodError, MessageDeliveryError } from '@hermod/kernel'

/** One of the places that something is to reach. */
export interface Delivery {
  /** Named in errors, such as `topic 'notifications'`. */
  readonly place: string
  readonly send: () => Promise<void>
}

/**
 * Begins all deliveries in their order, waits for every one, and fails when one of them failed: a place that cannot be
 * reached keeps nothing from the others.
 *
 * @throws {HermodError} what the delivery failed with, when there is only one.
 * @throws {MessageDeliveryError} E_DELIVERY naming each place that was not reached and why; the first failure is its
 *   cause, and it is retryable when all failures are. Trying again repeats it for the places that were reached.
 */
export async function deliverToAll(
  deliveries: readonly Delivery[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const [only] = deliveries
  if (only === undefined) return
  if (deliveries.length === 1) return only.send()
  const outcomes = await Promise.allSettled(deliveries.map(({ send }) => begin(send)))
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected'
      ? [{ place: deliveries[index]!.place, reason: outcome.reason as unknown }]
      : [],
  )
  if (failures.length === 0) return
  if (signal?.aborted === true && failures.some(({ reason }) => reason === signal.reason)) throw signal.reason
  const why = failures.map(({ place, reason }) => `${place}: ${messageOf(reason)}`).join('; ')
  throw new MessageDeliveryError(
    `the notification reached ${deliveries.length - failures.length} of ${deliveries.length} places (${why})`,
    {
      cause: failures[0]!.reason,
      retryable: failures.every(({ reason }) => isHermodError(reason) && reason.retryable),
      details: { failed: failures.map(({ place }) => place) },
    },
  )
}

/** What throws at once must not keep the rest from beginning. */
async function begin(send: () => Promise<void>): Promise<void> {
  return send()
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : 'failed'
}
