import { ConfigurationError } from '@hermod/kernel'
import type { DriverFactory } from '../driver.ts'
import { FakeDriver } from './fake-driver.ts'
import { FakeWorld } from './fake-world.ts'

/** How {@link fake} carries messages. */
export interface FakeOptions {
  /** How many messages a queue holds that nobody took yet; the oldest goes for a newer one and is counted. 10 000. */
  readonly queueLimit?: number | undefined
  /**
   * How often each request and notification is sent, under one id, as by a peer that sends again what it is not sure
   * of: for tests of what duplicates do. 1.
   */
  readonly copies?: number | undefined
}

/**
 * The driver for `fake://`, which stays within the process: for tests, and for programs that are their own peer.
 *
 * It can all that drivers can, and every message goes through JSON, so that what cannot travel fails here too. All
 * transports of one URL meet, whoever made them: those of `fake://` have the whole process for themselves, those of
 * `fake://NAME` and `fake://NAME/VIRTUAL-HOST` everybody who knows the names. What nobody takes stays, up to
 * `queueLimit`, for as long as the process lives.
 *
 * @source oslo.messaging _drivers/impl_fake.py
 */
export function fake(options: FakeOptions = {}): DriverFactory {
  const settings = {
    queueLimit: countOf('queueLimit', options.queueLimit ?? 10_000),
    copies: countOf('copies', options.copies ?? 1),
  }
  return {
    schemes: ['fake'],
    create(driverOptions) {
      const { hosts, virtualHost, query } = driverOptions.url
      const unknown = Object.keys(query)
      if (unknown.length > 0) {
        throw new ConfigurationError(unknown.map((name) => `the fake driver has no option '${name}'`))
      }
      const name = JSON.stringify([...hosts.map(({ hostname, port }) => [hostname, port]), virtualHost])
      return new FakeDriver(FakeWorld.named(name), driverOptions, settings)
    },
  }
}

function countOf(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new ConfigurationError([`'${name}' of the fake driver is ${value}; it is a whole number from 1`])
}
