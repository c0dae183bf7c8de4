import { UnsupportedFeatureError } from '@hermod/kernel'
import { createTransport, fake, type Driver, type DriverFactory } from '@hermod/messaging'
import { describe, expect, it } from 'vitest'
import { driverContract, type DriverContractSubject } from '../src/index.ts'

/** The fake driver with some of its members replaced. */
function changed(change: (driver: Driver) => Partial<Driver>, copies = 1): DriverFactory {
  const factory = fake({ copies })
  return {
    schemes: factory.schemes,
    create(options) {
      const driver = factory.create(options)
      const whole: Driver = {
        name: driver.name,
        capabilities: driver.capabilities,
        connect: (given) => driver.connect(given),
        call: (...given) => driver.call(...given),
        cast: (...given) => driver.cast(...given),
        serve: (...given) => driver.serve(...given),
        notify: (...given) => driver.notify(...given),
        listen: (...given) => driver.listen(...given),
        stats: () => driver.stats(),
        close: () => driver.close(),
      }
      return { ...whole, ...change(driver) }
    },
  }
}

function subjectOf(change: (driver: Driver) => Partial<Driver>): DriverContractSubject {
  const open = (copies?: number) =>
    createTransport('fake://contract-of-contracts', { drivers: [changed(change, copies)] })
  return { open: () => open(), openCopying: () => open(2) }
}

const FAULTS: readonly {
  readonly fault: string
  readonly found: string
  readonly change: (driver: Driver) => Partial<Driver>
}[] = [
  {
    fault: 'takes false for nothing',
    found: 'brings back false',
    change: (driver) => ({
      call: async (...given) => ({ result: (await driver.call(...given)).result || null }),
    }),
  },
  {
    fault: 'forgets the backlog',
    found: 'hands over no more than the backlog before something is accepted',
    change: (driver) => ({
      serve: (served, options) => driver.serve(served, { ...options, backlog: 1000 }),
    }),
  },
  {
    fault: 'accepts everything, and always',
    found: 'knows the second copy of a request',
    change: (driver) => ({
      serve: (served, options) =>
        driver.serve(served, {
          ...options,
          onRequest: (request) => {
            const accept = request.accept.bind(request)
            request.accept = () => (accept(), 'accepted')
            options.onRequest(request)
          },
        }),
    }),
  },
  {
    fault: 'does what it says it cannot',
    found: 'hands a fanout to every server of the topic once, also where it names one',
    change: ({ capabilities }) => ({ capabilities: { ...capabilities, fanout: false } }),
  },
  {
    fault: 'writes a request later',
    found: 'has written a request when its call returns, so that it may be changed',
    change: (driver) => ({
      cast: async (...given) => {
        await Promise.resolve()
        await driver.cast(...given)
      },
    }),
  },
  {
    fault: 'goes on with a start that was given up',
    found: 'begins no start whose signal has aborted',
    change: (driver) => ({
      serve: (served, { backlog, onRequest }) => driver.serve(served, { backlog, onRequest }),
    }),
  },
  {
    fault: 'says of a notification that it is new',
    found: 'brings a notification that was given back again, and says so',
    change: (driver) => ({
      listen: (sources, options) =>
        driver.listen(sources, {
          ...options,
          onNotification: (notification) => {
            Object.defineProperty(notification, 'redelivered', { value: false })
            options.onNotification(notification)
          },
        }),
    }),
  },
]

describe('the contract of drivers', () => {
  it.each(FAULTS)('finds a driver that $fault', async ({ found, change }) => {
    const { run } = driverContract(subjectOf(change)).find(({ name }) => name === found)!
    const sound = driverContract(subjectOf(() => ({}))).find(({ name }) => name === found)!
    await expect(sound.run()).resolves.toBeUndefined()
    await expect(run()).rejects.toMatchObject({ name: 'AssertionError' })
  })

  it('wants nothing of a driver that refuses what it says it cannot do', async () => {
    const refuse = (): Promise<never> => Promise.reject(new UnsupportedFeatureError('it only connects'))
    const nothing = {
      rpc: false,
      fanout: false,
      mandatory: false,
      callMonitoring: false,
      redelivery: false,
      notifications: false,
      pools: false,
      requeue: false,
      headers: false,
    }
    const members = { call: refuse, cast: refuse, serve: refuse, notify: refuse, listen: refuse }
    for (const { run } of driverContract(subjectOf(() => ({ ...members, capabilities: nothing })))) {
      await expect(run()).resolves.toBeUndefined()
    }
  })

  it('has no two tests of one name', () => {
    const names = driverContract(subjectOf(() => ({}))).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
