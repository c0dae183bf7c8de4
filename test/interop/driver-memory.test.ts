import { memory } from '@hermod/driver-memory'
import { createTransport, type DriverFactory, type Transport } from '@hermod/messaging'
import { driverContract } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { copyingDriver, DRIVER_MODES, publishCopies } from './driver-modes.ts'

function open(name: string, factory: DriverFactory): Transport {
  return createTransport(`memory://${name}/`, { drivers: [factory] })
}

describe('the contract of drivers in memory', () => {
  publishCopies()
  describe.each(DRIVER_MODES)('$mode', ({ mode, options }) => {
    const name = mode.replaceAll(' ', '-')
    const subject = {
      open: () => open(name, memory({ options })),
      openCopying: () => open(name, copyingDriver(memory({ options }))),
    }
    it.each(driverContract(subject))('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined()
    })
  })
})
