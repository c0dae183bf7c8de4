import { Connection, type CredentialsSource, type Dial, type TlsOptions } from '@hermod/amqp'
import type { DriverFactory } from '@hermod/messaging'
import { RabbitDriver } from './rabbit-driver.ts'
import { readRabbitOptions } from './rabbit-options.ts'
import { rabbitServers } from './rabbit-servers.ts'
import type { RabbitOptions } from './rabbit-settings.ts'

/** What a program says about all transports of a factory. */
export interface RabbitDriverConfig {
  /** Options of the driver; those of a transport's URL count before them, those of its conf file after. */
  readonly options?: RabbitOptions | undefined
  /** TLS with these settings, which count before the files of the options. */
  readonly tls?: TlsOptions | undefined
  /** Gives the password or token, instead of those in the URL. */
  readonly credentials?: CredentialsSource | undefined
  /** Opens the byte stream to a broker; by default TCP or TLS. */
  readonly dial?: Dial | undefined
}

/**
 * The driver of `rabbit://` and `kombu://`, for `createTransport`.
 *
 * @example
 * const transport = createTransport('rabbit://user:secret@host/', { drivers: [rabbit()] })
 */
export function rabbit(config: RabbitDriverConfig = {}): DriverFactory {
  return {
    schemes: ['rabbit', 'kombu'],
    create: (options) => {
      const { url, conf, logger, clock } = options
      const { settings, notes } = readRabbitOptions({ url, options: config.options, conf })
      const servers = rabbitServers(url, settings, config.tls)
      for (const note of [...notes, ...servers.notes]) logger.warn({}, note)
      return new RabbitDriver({
        ...options,
        settings,
        connect: (wanted) =>
          Connection.connect(servers.target, {
            ...wanted,
            // Who waits has a deadline of its own, and stops waiting by the signal.
            connectRetries: Infinity,
            blockedTimeoutMs: Infinity,
            credentials: config.credentials,
            dial: config.dial,
            logger,
            clock,
          }),
      })
    },
  }
}
