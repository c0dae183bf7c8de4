/** Messages that one connection moved since it was made, over all of its channels and sessions. */
export interface Traffic {
  /** Written to the broker; one that was sent again counts again. */
  published: number
  confirmed: number
  /** Mandatory messages that no queue took. */
  returned: number
  /** Handed to a handler or to the caller of `get`. */
  delivered: number
  acked: number
  /** Rejected without requeue. */
  rejected: number
  requeued: number
  /** Settled after their channel had died; the broker delivers them again. */
  staleSettles: number
}
