import { InvalidUrlError } from '@hermod/kernel'
import type { OsloConf } from './oslo-conf.ts'
import { parseTransportUrl } from './parse-transport-url.ts'
import type { TransportUrl } from './transport-url.ts'

const NOTIFICATIONS = 'oslo_messaging_notifications'
const RABBIT = 'oslo_messaging_rabbit'

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

const LOGIN_METHODS = ['PLAIN', 'AMQPLAIN', 'EXTERNAL'] as const

/** What `[oslo_messaging_rabbit]` says about connections; absent: not set, so oslo.messaging's default holds. */
export interface RabbitConf {
  /** `ssl`; oslo.messaging's default is false. */
  readonly tls: boolean | undefined
  /** `ssl_ca_file`, a path. oslo.messaging verifies the broker only where this is set. */
  readonly caFile: string | undefined
  /** `ssl_cert_file`, a path. */
  readonly certFile: string | undefined
  /** `ssl_key_file`, a path. */
  readonly keyFile: string | undefined
  /** `ssl_enforce_hostname_verification`; true by default since oslo.messaging 18.1. */
  readonly verifyHostname: boolean | undefined
  /** `heartbeat_timeout_threshold` in milliseconds (seconds in the file); 60 000 by default, 0: no heartbeats. */
  readonly heartbeatTimeoutMs: number | undefined
  /** `rabbit_login_method`; AMQPLAIN by default. */
  readonly loginMethod: (typeof LOGIN_METHODS)[number] | undefined
}

/**
 * Reads `[oslo_messaging_rabbit]`, the TLS options under their former names too.
 *
 * @throws {ConfigurationError} E_CONFIG for a value of the wrong type.
 * @source oslo.messaging _drivers/impl_rabbit.py rabbit_opts
 */
export function rabbitConfFrom(conf: OsloConf): RabbitConf {
  const path = (...names: readonly [string, ...string[]]): string | undefined =>
    conf.get(RABBIT, ...names) || undefined
  const heartbeatSeconds = conf.getInteger(RABBIT, 'heartbeat_timeout_threshold')
  return {
    tls: conf.getBoolean(RABBIT, 'ssl', 'rabbit_use_ssl'),
    caFile: path('ssl_ca_file', 'kombu_ssl_ca_certs'),
    certFile: path('ssl_cert_file', 'kombu_ssl_certfile'),
    keyFile: path('ssl_key_file', 'kombu_ssl_keyfile'),
    verifyHostname: conf.getBoolean(RABBIT, 'ssl_enforce_hostname_verification'),
    heartbeatTimeoutMs: heartbeatSeconds === undefined ? undefined : Math.max(0, heartbeatSeconds) * 1000,
    loginMethod: conf.getChoice(LOGIN_METHODS, RABBIT, 'rabbit_login_method'),
  }
}
