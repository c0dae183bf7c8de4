import { AsyncLocalStorage } from 'node:async_hooks'
import { Channel } from '@hermod/amqp'
import type { RabbitOptions } from '@hermod/driver-rabbit'
import type { Driver, DriverFactory } from '@hermod/messaging'
import { afterAll, beforeAll } from 'vitest'

/** Modes that differ in nearly everything that is declared, each for a virtual host of its own. */
export const DRIVER_MODES: readonly { readonly mode: string; readonly options: RabbitOptions }[] = [
  { mode: 'as it is by default', options: {} },
  {
    mode: 'with quorum queues and streams',
    options: {
      quorumQueues: true,
      transientQuorumQueues: true,
      streamFanout: true,
      prefetchCount: 1000,
      useQueueManager: true,
      compression: 'gzip',
    },
  },
]

/** Set while something is sent that is to arrive twice. */
const copying = new AsyncLocalStorage<true>()

/** A driver on AMQP, all of whose messages are published twice as they are; needs {@link publishCopies}. */
export function copyingDriver(factory: DriverFactory): DriverFactory {
  return {
    schemes: factory.schemes,
    create(given) {
      const driver = factory.create(given)
      const call = driver.call.bind(driver)
      const cast = driver.cast.bind(driver)
      const notify = driver.notify.bind(driver)
      const twice: Pick<Driver, 'call' | 'cast' | 'notify'> = {
        call: (...message) => copying.run(true, () => call(...message)),
        cast: (...message) => copying.run(true, () => cast(...message)),
        notify: (...message) => copying.run(true, () => notify(...message)),
      }
      return Object.assign(driver, twice)
    },
  }
}

/** For the tests of this suite, channels publish twice what {@link copyingDriver}s send. */
export function publishCopies(): void {
  const { value: publish } = Object.getOwnPropertyDescriptor(Channel.prototype, 'publish') as {
    readonly value: Channel['publish']
  }
  beforeAll(() => {
    Channel.prototype.publish = function (...message) {
      if (copying.getStore() === true) void publish.apply(this, message)
      return publish.apply(this, message)
    }
  })
  afterAll(() => {
    Channel.prototype.publish = publish
  })
}
