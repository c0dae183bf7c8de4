import { memory } from '@hermod/driver-memory'
import { rabbit } from '@hermod/driver-rabbit'
import {
  createTransport as createTransportOf,
  fake,
  type DriverFactory,
  type Transport,
  type TransportOptions as MessagingTransportOptions,
  type TransportUrl,
} from '@hermod/messaging'

/** How a {@link Transport} is made. */
export interface TransportOptions extends Omit<MessagingTransportOptions, 'drivers'> {
  /** Drivers that count before those of this package: others, or one of these with settings of its own. */
  readonly drivers?: readonly DriverFactory[] | undefined
}

/**
 * Makes a transport with every driver of this package: `rabbit://`, `kombu://`, `memory://` and `fake://`.
 *
 * @param url absent: the conf file's `transport_url`, else `rabbit://`, the broker on this machine.
 * @throws {InvalidUrlError} E_URL for a URL that cannot be understood or whose scheme none of the drivers has.
 * @throws {ConfigurationError} E_CONFIG for options that the driver does not know or cannot use.
 * @example
 * const transport = createTransport('rabbit://user:secret@host/')
 */
export function createTransport(url?: string | TransportUrl, options: TransportOptions = {}): Transport {
  const drivers = [...(options.drivers ?? []), rabbit(), memory(), fake()]
  return createTransportOf(url, { ...options, drivers })
}
