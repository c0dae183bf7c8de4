import {
  ConfigurationError,
  createDeferred,
  InvalidUrlError,
  redactingLogger,
  silentLogger,
  systemClock,
  TypedEvents,
  type Clock,
  type DeadlineOptions,
  type Logger,
} from '@hermod/kernel'
import { MESSAGING_DIAGNOSTICS } from './diagnostics.ts'
import type { DriverCapabilities } from './driver/driver-capabilities.ts'
import type { ConnectOptions, Driver, DriverEvent, DriverFactory, DriverStats } from './driver/driver.ts'
import { controlExchangeFromConf } from './messaging-conf.ts'
import type { OsloConf } from './oslo-conf.ts'
import { parseTransportUrl } from './parse-transport-url.ts'
import type { TransportUrl } from './transport-url.ts'

/** What exchange targets have that name none, unless the service sets its own. */
export const DEFAULT_CONTROL_EXCHANGE = 'openstack'

/** How long a call waits by default. */
export const DEFAULT_RESPONSE_TIMEOUT_MS = 60_000

/** How a {@link Transport} is made. */
export interface TransportOptions {
  /** The drivers to choose from by the scheme of the URL. */
  readonly drivers: readonly DriverFactory[]
  /** The exchange of targets that name none; by default the conf file's `control_exchange`, else `openstack`. */
  readonly controlExchange?: string | undefined
  /** How long calls wait for their reply; by default the conf file's `rpc_response_timeout`, else 60 000. */
  readonly responseTimeoutMs?: number | undefined
  /** A service's configuration file. Options of the URL win over it. */
  readonly conf?: OsloConf | undefined
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
}

/** What a transport reports. */
export type TransportEvents = { readonly [Type in DriverEvent['type']]: Extract<DriverEvent, { type: Type }> }

/**
 * A way to a peer that carries requests, replies and notifications: a driver behind a URL.
 *
 * Making one does no I/O; it connects when it is first needed, or with {@link connect}. Services keep one for remote
 * calls and one for notifications, which may go elsewhere.
 *
 * @source oslo.messaging transport.py Transport
 */
export class Transport extends TypedEvents<TransportEvents> implements AsyncDisposable {
  /** Its output shows no password. */
  readonly url: TransportUrl
  readonly controlExchange: string
  readonly responseTimeoutMs: number
  /** The service's configuration file, where one was given: what is made on the transport takes its defaults from it. */
  readonly conf: OsloConf | undefined
  readonly logger: Logger
  readonly clock: Clock
  /** The driver, for the patterns of this package. */
  readonly driver: Driver
  readonly #closed = createDeferred<void>()
  #closing = false

  constructor(url: TransportUrl, factory: DriverFactory, options: TransportOptions) {
    super()
    const { conf } = options
    this.url = url
    this.conf = conf
    this.controlExchange =
      options.controlExchange ?? (conf && controlExchangeFromConf(conf)) ?? DEFAULT_CONTROL_EXCHANGE
    this.responseTimeoutMs = responseTimeoutOf(options)
    this.logger = redactingLogger(options.logger ?? silentLogger)
    this.clock = options.clock ?? systemClock
    this.driver = factory.create({
      url,
      defaultExchange: this.controlExchange,
      conf,
      logger: this.logger,
      clock: this.clock,
      onEvent: (event) => this.#report(event),
    })
  }

  /** What its driver can do. */
  get capabilities(): DriverCapabilities {
    return this.driver.capabilities
  }

  /** Resolves when it is over; never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /**
   * Resolves once the peer is reached and has let us in, or rejects with the reason.
   * @throws {MessageDeliveryError} E_DELIVERY when connecting failed once more than `retries`.
   */
  connect(options?: ConnectOptions): Promise<void> {
    return this.driver.connect(options)
  }

  /** What the driver has counted, by name. */
  stats(): DriverStats {
    return this.driver.stats()
  }

  /** Waits for what was sent to be confirmed, then closes. Calls that wait are rejected. Never rejects itself. */
  async close(options?: DeadlineOptions): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      await this.driver.close(options)
      this.#closed.resolve()
    }
    await this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #report(event: DriverEvent): void {
    if (MESSAGING_DIAGNOSTICS.transport.hasSubscribers)
      MESSAGING_DIAGNOSTICS.transport.publish({ driver: this.driver.name, event })
    this.emit(event.type, event)
  }
}

function responseTimeoutOf({ responseTimeoutMs, conf }: TransportOptions): number {
  if (responseTimeoutMs !== undefined) {
    if (responseTimeoutMs > 0) return responseTimeoutMs
    throw new ConfigurationError([`'responseTimeoutMs' is ${responseTimeoutMs}; it must be above 0`])
  }
  const seconds = conf?.getInteger('DEFAULT', 'rpc_response_timeout')
  return seconds === undefined ? DEFAULT_RESPONSE_TIMEOUT_MS : seconds * 1000
}

/**
 * Makes a transport.
 *
 * @param url absent: the conf file's `transport_url`, else `rabbit://`.
 * @throws {InvalidUrlError} E_URL for a URL that cannot be understood or whose scheme none of the drivers has.
 * @throws {ConfigurationError} E_CONFIG for options that the driver does not know or cannot use.
 */
export function createTransport(
  url: string | TransportUrl | undefined,
  options: TransportOptions,
): Transport {
  const given = url ?? options.conf?.get('DEFAULT', 'transport_url')
  const parsed = typeof given === 'object' ? given : parseTransportUrl(given)
  const factory = options.drivers.find(({ schemes }) => schemes.includes(parsed.driver))
  if (factory === undefined) throw new InvalidUrlError(noDriver(parsed.driver, options.drivers))
  return new Transport(parsed, factory, options)
}

/** The packages that hold drivers, by scheme. */
const DRIVER_PACKAGES: Readonly<Record<string, string>> = {
  rabbit: '@hermod/driver-rabbit',
  kombu: '@hermod/driver-rabbit',
  memory: '@hermod/driver-memory',
}

function noDriver(scheme: string, drivers: readonly DriverFactory[]): string {
  const known = drivers.flatMap(({ schemes }) => schemes)
  const offered =
    known.length === 0 ? 'none was given' : `there are ${known.map((name) => `${name}://`).join(', ')}`
  const source = DRIVER_PACKAGES[scheme]
  const way = source === undefined ? '' : `; install ${source} and pass it in 'drivers'`
  return `no driver serves ${scheme}:// (${offered})${way}`
}
