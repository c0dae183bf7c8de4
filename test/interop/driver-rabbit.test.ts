import { rabbit } from '@hermod/driver-rabbit'
import { createTransport, type DriverFactory, type Transport } from '@hermod/messaging'
import { driverContract, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyingDriver, DRIVER_MODES, publishCopies } from './driver-modes.ts'

let broker: BrokerFixture
const gate = needs(findBroker('administer'))

function open(vhost: string, factory: DriverFactory): Transport {
  return createTransport(broker.urlFor({ vhost }).replace('amqp:', 'rabbit:'), { drivers: [factory] })
}

describe.skipIf(gate.skip)(`the contract of drivers over RabbitMQ${gate.note}`, () => {
  publishCopies()
  beforeAll(async () => {
    broker = await startBroker()
    for (const { mode } of DRIVER_MODES) await broker.createVhost(mode)
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  describe.each(DRIVER_MODES)('$mode', ({ mode, options }) => {
    const subject = {
      open: () => open(mode, rabbit({ options })),
      openCopying: () => open(mode, copyingDriver(rabbit({ options }))),
    }
    it.each(driverContract(subject))('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined()
    })
  })
})
