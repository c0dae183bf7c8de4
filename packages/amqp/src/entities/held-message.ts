import { isHermodError } from '@hermod/kernel'
import type { Subscription } from '../client/consumer-subscription.ts'
import type { Message, Settlement } from '../client/message.ts'

/** The consuming of one queue; its subscription is known once the broker has answered. */
export interface MessageSource {
  readonly subscription: Subscription | undefined
}

/**
 * Reads a message when its turn has come: read before, a thousand small bombs that wait would be a thousand large bodies.
 * @returns undefined when it cannot be read; it has been dealt with then.
 */
export type ReadMessage = (message: Message) => { readonly body: unknown } | undefined

/** A message that waits for its turn, as it came. */
export interface HeldMessage {
  readonly message: Message
  readonly source: MessageSource
}

/**
 * Whether the channel has died since the message came: the broker delivers it again, so whoever has not begun with it
 * leaves it. One that needs no ack is not delivered again.
 */
export function isStale({ message, source }: HeldMessage): boolean {
  const { subscription } = source
  if (subscription === undefined || message.state === 'none') return false
  // A consumer has another tag after each reopening of its channel.
  return subscription.state === 'away' || subscription.consumerTag !== message.consumerTag
}

/** Settles a message that nobody has settled, also together with others. */
export function settleIfOpen(message: Message, how: Settlement): void {
  if (message.state !== 'received') return
  try {
    message[how]()
  } catch (error) {
    if (!isHermodError(error) || error.code !== 'E_MESSAGE_STATE') throw error
  }
}
