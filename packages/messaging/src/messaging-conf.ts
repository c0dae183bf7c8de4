import { InvalidUrlError } from '@hermod/kernel'
import type { OsloConf } from './oslo-conf.ts'
import { parseTransportUrl } from './parse-transport-url.ts'
import type { TransportUrl } from './transport-url.ts'

const NOTIFICATIONS = 'oslo_messaging_notifications'

/**
 * Where the service sends its notifications: `[oslo_messaging_notifications] transport_url`, else the one of
 * `[DEFAULT]`, else oslo.messaging's own default, `rabbit://`.
 *
 * @throws {InvalidUrlError} E_URL naming file and option.
 * @throws {ConfigurationError} E_CONFIG when the URL refers to an option that the file lacks.
 * @source oslo.messaging notify/notifier.py get_notification_transport
 */
export function transportUrlFromConf(conf: OsloConf): TransportUrl {
  const own = conf.get(NOTIFICATIONS, 'transport_url') ?? conf.get('DEFAULT', 'notification_transport_url')
  const url = own === undefined || own === '' ? conf.get('DEFAULT', 'transport_url') : own
  try {
    return parseTransportUrl(url)
  } catch (error) {
    if (!(error instanceof InvalidUrlError)) throw error
    throw new InvalidUrlError(`${conf.source}: option 'transport_url': ${error.message}`, { cause: error })
  }
}

/**
 * The topics that the service's notifications go to: `[oslo_messaging_notifications] topics`, by default
 * `notifications`.
 * @source oslo.messaging notify/notifier.py, option `topics`
 */
export function notificationTopicsFromConf(conf: OsloConf): readonly string[] {
  return (
    conf.getList(NOTIFICATIONS, 'topics') ??
    conf.getList('DEFAULT', 'notification_topics') ?? ['notifications']
  )
}

/**
 * `[DEFAULT] control_exchange`, the exchange of the service's topics. Absent: the service's own default, which is
 * mostly its name, and `openstack` for one that sets none.
 * @source oslo.messaging transport.py, option `control_exchange` and set_transport_defaults
 */
export function controlExchangeFromConf(conf: OsloConf): string | undefined {
  return conf.get('DEFAULT', 'control_exchange')
}
