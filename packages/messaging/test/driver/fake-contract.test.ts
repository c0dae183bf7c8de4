import { driverContract, ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { createTransport, fake, type Transport } from '../../src/index.ts'

const clock = new ManualClock()
const open = (copies?: number): Transport =>
  createTransport('fake://contract', { drivers: [fake({ copies })], clock })

describe('the fake driver keeps the contract of drivers: it', () => {
  const subject = {
    open: () => open(),
    openCopying: () => open(2),
    elapse: (byMs: number) => clock.pass(byMs),
  }
  it.each(driverContract(subject))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined()
  })
})
