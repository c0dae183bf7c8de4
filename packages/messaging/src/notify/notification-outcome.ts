/** What became of a notification in its handlers. */
export type NotificationOutcome =
  | { readonly kind: 'handled' | 'requeue' }
  /** It was to be tried again, but the listener stops: it goes back. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly error: unknown }

export const HANDLED: NotificationOutcome = Object.freeze({ kind: 'handled' })
export const REQUEUE: NotificationOutcome = Object.freeze({ kind: 'requeue' })
export const INTERRUPTED: NotificationOutcome = Object.freeze({ kind: 'interrupted' })
