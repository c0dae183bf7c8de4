import type { Duplex } from 'node:stream'
import type { Broker, BrokerOptions } from '@hermod/broker'
import { rabbit, type RabbitOptions } from '@hermod/driver-rabbit'
import { InvalidUrlError } from '@hermod/kernel'
import { TransportUrl, type DriverFactory, type DriverOptions } from '@hermod/messaging'
import { leaseBroker, type BrokerLease } from './memory-broker.ts'

/** What a program says about all transports of a factory. */
export interface MemoryDriverConfig {
  /** Options of the rabbit driver; those of a transport's URL count before them, those of its conf file after. */
  readonly options?: RabbitOptions | undefined
  /**
   * A broker of the program's own, whatever name a URL has: to look into it, to put faults on it, or to let others in by
   * TCP. It has the virtual hosts and users that it was given, and whoever made it closes it. Or the options of those
   * that this driver makes; where several make one of the same name, the first one's count.
   */
  readonly broker?: Broker | BrokerOptions | undefined
}

/**
 * The driver of `memory://`, for `createTransport`: the rabbit driver, on a broker in this process that holds what it
 * has in memory.
 *
 * `memory://NAME` is one broker for all transports of the process that name it, and gone when the last of them closes;
 * `memory://` is its transport's alone. A virtual host (`memory://NAME/VHOST`) is there as soon as it is named. Options
 * are those of `rabbit://`; of TLS there is none.
 *
 * @example
 * const transport = createTransport('memory://disks-test', { drivers: [memory()] })
 */
export function memory(config: MemoryDriverConfig = {}): DriverFactory {
  return {
    schemes: ['memory'],
    create: (given) => {
      const url = onRabbit(given.url)
      const lease = leaseOf(url, config.broker, given)
      const dial = async (): Promise<Duplex> => {
        const broker = await lease.broker()
        return broker.connect()
      }
      const driver = rabbit({ options: config.options, dial }).create({ ...given, url })
      const close = driver.close.bind(driver)
      return Object.assign(driver, {
        name: 'memory',
        close: async (...options: Parameters<typeof close>) => {
          await close(...options)
          await lease.release()
        },
      })
    },
  }
}

/** The URL in the rabbit driver's words. */
function onRabbit({ hosts, virtualHost, query, scheme }: TransportUrl): TransportUrl {
  if (scheme !== 'memory')
    throw new InvalidUrlError(`the scheme '${scheme}' is not known here; use memory://`)
  if (hosts.length > 1) throw new InvalidUrlError('memory:// names one broker; give each its own transport')
  if (hosts.some(({ port }) => port !== undefined))
    throw new InvalidUrlError('memory:// has no ports; a broker that others reach is rabbit://')
  // A service's conf file may ask for TLS, which is for the broker that it has otherwise.
  return new TransportUrl({ scheme: 'rabbit', hosts, virtualHost, query: { ...query, ssl: 'false' } })
}

function leaseOf(
  { hosts, virtualHost }: TransportUrl,
  broker: MemoryDriverConfig['broker'],
  { clock, logger }: DriverOptions,
): BrokerLease {
  if (broker !== undefined && 'connect' in broker)
    return { broker: () => Promise.resolve(broker), release: () => Promise.resolve() }
  const lease = leaseBroker(hosts[0]?.hostname ?? '', async () => {
    // Loaded when it is needed: who has the driver at hand and never uses it does not pay for a broker.
    const { createBroker } = await import('@hermod/broker')
    return createBroker({ clock, logger, ...broker })
  })
  if (virtualHost === '') return lease
  return {
    broker: async () => {
      const made = await lease.broker()
      made.createVirtualHost(virtualHost)
      return made
    },
    release: () => lease.release(),
  }
}
