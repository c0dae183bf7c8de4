import { AsyncLocalStorage } from 'node:async_hooks'
import { Channel } from '@hermod/amqp'
import { rabbit, type RabbitOptions } from '@hermod/driver-rabbit'
import { createTransport, type Driver, type DriverFactory, type Transport } from '@hermod/messaging'
import { driverContract, findRabbitMq, needs, startRabbitMq, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let broker: BrokerFixture
const gate = needs(findRabbitMq())

/** Modes that differ in nearly everything that is declared, each in a virtual host of its own. */
const MODES: readonly { readonly mode: string; readonly options: RabbitOptions }[] = [
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

/** The rabbit driver, all of whose messages are published twice as they are. */
function copyingRabbit(options: RabbitOptions): DriverFactory {
  const factory = rabbit({ options })
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

function open(vhost: string, factory: DriverFactory): Transport {
  return createTransport(broker.urlFor({ vhost }).replace('amqp:', 'rabbit:'), { drivers: [factory] })
}

describe.skipIf(gate.skip)(`the contract of drivers over RabbitMQ${gate.note}`, () => {
  const { value: publish } = Object.getOwnPropertyDescriptor(Channel.prototype, 'publish') as {
    readonly value: Channel['publish']
  }

  beforeAll(async () => {
    broker = await startRabbitMq()
    for (const { mode } of MODES) await broker.createVhost(mode)
    Channel.prototype.publish = function (...message) {
      if (copying.getStore() === true) void publish.apply(this, message)
      return publish.apply(this, message)
    }
  })
  afterAll(async () => {
    Channel.prototype.publish = publish
    await broker?.[Symbol.asyncDispose]()
  })

  describe.each(MODES)('$mode', ({ mode, options }) => {
    const subject = {
      open: () => open(mode, rabbit({ options })),
      openCopying: () => open(mode, copyingRabbit(options)),
    }
    it.each(driverContract(subject))('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined()
    })
  })
})
