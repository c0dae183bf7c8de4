import { Exchange } from './exchange.ts'
import { headersOf } from './message-properties.ts'
import type { Message } from './message.ts'
import type { RoutedQueue } from './queue.ts'

/** Where a message goes that comes to an exchange, and whether its routing key alone decided that. */
export interface Routed {
  readonly queues: readonly RoutedQueue[]
  readonly byKeyAlone: boolean
}

/**
 * Follows bindings from an exchange to queues, through other exchanges and each of them once, however they are bound to
 * each other. An exchange of which no binding matches hands on to its alternate exchange, where that exists.
 *
 * @source rabbit_exchange:route1
 */
export function routeFrom(
  first: Exchange,
  message: Message,
  exchangeNamed: (name: string) => Exchange | undefined,
): Routed {
  const queues = new Set<RoutedQueue>()
  const seen = new Set([first])
  const subject = {
    keys: message.extraKeys.length === 0 ? [message.routingKey] : [message.routingKey, ...message.extraKeys],
    headers: () => headersOf(message),
  }
  let byKeyAlone = message.extraKeys.length === 0
  // A set is walked in the order in which it grew: it is the list of work, too.
  for (const exchange of seen) {
    if (exchange.type === 'headers') byKeyAlone = false
    let matched = false
    exchange.match(subject, (destination) => {
      matched = true
      if (destination instanceof Exchange) seen.add(destination)
      else queues.add(destination)
    })
    if (matched || exchange.alternate === undefined) continue
    const alternate = exchangeNamed(exchange.alternate)
    // The default exchange has bindings only for what is published to it.
    if (alternate !== undefined && alternate.name !== '') seen.add(alternate)
  }
  return { queues: [...queues], byKeyAlone }
}
