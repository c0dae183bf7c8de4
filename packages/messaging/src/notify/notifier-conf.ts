import { notificationTopicsFromConf } from '../messaging-conf.ts'
import type { OsloConf } from '../oslo-conf.ts'

const NOTIFICATIONS = 'oslo_messaging_notifications'

/** What a service's configuration file says about its notifications. */
export interface NotifierConf {
  /** Names, in the order of the file; empty: it emits none. */
  readonly drivers: readonly string[]
  readonly topics: readonly string[]
  /** `Infinity`: for ever, which is oslo.messaging's default. */
  readonly retries: number
  /** `routing_config`: the path of the file of the driver `routing`; undefined: not set. Reading it is up to the program. */
  readonly routingFile: string | undefined
}

/**
 * Reads `[oslo_messaging_notifications]`: `driver` (repeated), `topics`, `retry` and `routing_config`, the drivers and
 * the routing file also under their former names in `[DEFAULT]`.
 *
 * @throws {ConfigurationError} E_CONFIG for a value of the wrong type.
 * @source oslo.messaging notify/notifier.py _notifier_opts; notify/_impl_routing.py router_config
 */
export function notifierConfFrom(conf: OsloConf): NotifierConf {
  const named = conf.getAll(NOTIFICATIONS, 'driver')
  const drivers = named.length > 0 ? named : conf.getAll('DEFAULT', 'notification_driver')
  const retry = conf.getInteger(NOTIFICATIONS, 'retry') ?? -1
  const routingFile =
    conf.get(NOTIFICATIONS, 'routing_config') ?? conf.get('DEFAULT', 'routing_notifier_config')
  return {
    drivers: drivers.filter((name) => name !== ''),
    topics: notificationTopicsFromConf(conf),
    retries: retry < 0 ? Infinity : retry,
    routingFile: routingFile || undefined,
  }
}
