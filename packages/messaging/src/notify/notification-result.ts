/**
 * What a handler makes of a notification: `handled` (as does returning nothing), or `requeue`: give it back, to be
 * delivered again.
 *
 * @source oslo.messaging notify/dispatcher.py NotificationResult
 */
export const NotificationResult = { HANDLED: 'handled', REQUEUE: 'requeue' } as const

/** One of {@link NotificationResult}. */
export type NotificationResult = (typeof NotificationResult)[keyof typeof NotificationResult]
