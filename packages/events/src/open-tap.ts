import { BrokerTap } from './broker-tap.ts'
import { resolveTapOptions, type TapOptions } from './tap-options.ts'
import type { Tap } from './tap.ts'

/**
 * Opens a tap: an exclusive queue of its own, bound to the notification topics of every known exchange that exists.
 * Exchanges that appear later are bound when they do. It comes back by itself after every disconnect.
 *
 * @throws {ConnectionError} E_CONN when no broker answers; only a tap that was open once tries again by itself.
 * @throws {AuthenticationError} E_AUTH
 * @throws {AccessRefusedError} E_ACCESS for the virtual host, or for the queue.
 * @example
 * await using tap = await openTap({ servers: [parseAmqpUrl('amqp://localhost/')] })
 * for await (const event of tap) console.log(event.time, event.service, event.type, event.resource.id)
 */
export function openTap(options: TapOptions): Promise<Tap> {
  return BrokerTap.open(resolveTapOptions(options))
}
