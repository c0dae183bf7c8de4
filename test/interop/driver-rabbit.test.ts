import { AsyncLocalStorage } from 'node:async_hooks'
import { Channel } from '@hermod/amqp'
import { rabbit } from '@hermod/driver-rabbit'
import { createTransport, type Driver, type DriverFactory, type Transport } from '@hermod/messaging'
import { driverContract, findRabbitMq, needs, startRabbitMq, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let broker: BrokerFixture
const gate = needs(findRabbitMq())

/** Set while something is sent that is to arrive twice. */
const copying = new AsyncLocalStorage<true>()

/** The rabbit driver, all of whose messages are published twice as they are. */
function copyingRabbit(): DriverFactory {
  const factory = rabbit()
  return {
    schemes: factory.schemes,
    create(options) {
      const driver = factory.create(options)
      const call = driver.call.bind(driver)
      const cast = driver.cast.bind(driver)
      const notify = driver.notify.bind(driver)
      const twice: Pick<Driver, 'call' | 'cast' | 'notify'> = {
        call: (...given) => copying.run(true, () => call(...given)),
        cast: (...given) => copying.run(true, () => cast(...given)),
        notify: (...given) => copying.run(true, () => notify(...given)),
      }
      return Object.assign(driver, twice)
    },
  }
}

function open(factory: DriverFactory): Transport {
  return createTransport(broker.url.replace('amqp:', 'rabbit:'), { drivers: [factory] })
}

describe.skipIf(gate.skip)(`the contract of drivers over RabbitMQ${gate.note}`, () => {
  const { value: publish } = Object.getOwnPropertyDescriptor(Channel.prototype, 'publish') as {
    readonly value: Channel['publish']
  }

  beforeAll(async () => {
    broker = await startRabbitMq()
    Channel.prototype.publish = function (...message) {
      if (copying.getStore() === true) void publish.apply(this, message)
      return publish.apply(this, message)
    }
  })
  afterAll(async () => {
    Channel.prototype.publish = publish
    await broker?.[Symbol.asyncDispose]()
  })

  const subject = { open: () => open(rabbit()), openCopying: () => open(copyingRabbit()) }
  it.each(driverContract(subject))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined()
  })
})
