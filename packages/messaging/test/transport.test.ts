import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createTransport,
  fake,
  MESSAGING_DIAGNOSTICS,
  parseConf,
  parseTransportUrl,
  type DriverFactory,
  type DriverOptions,
} from '../src/index.ts'

/** Makes drivers of fake://, under other schemes, and keeps what it was given. */
function watchedDriver(...schemes: readonly string[]): DriverFactory & { readonly made: DriverOptions[] } {
  const made: DriverOptions[] = []
  return {
    schemes,
    made,
    create(options) {
      made.push(options)
      return fake().create(options)
    },
  }
}

describe('createTransport', () => {
  it('takes the driver of the scheme, the first one where there are several', () => {
    const [first, second] = [watchedDriver('fake', 'one'), watchedDriver('fake', 'two')]
    const drivers = [first, second]
    expect(createTransport('two://h', { drivers }).driver.name).toBe('two')
    expect([first.made.length, second.made.length]).toEqual([0, 1])
    createTransport(parseTransportUrl('fake://'), { drivers })
    expect([first.made.length, second.made.length]).toEqual([1, 1])
  })

  it('takes the URL from the conf file when there is none, and rabbit:// when that has none', () => {
    const driver = watchedDriver('rabbit', 'one')
    const conf = parseConf('[DEFAULT]\ntransport_url = one://u:secret@h/v\n')
    expect(createTransport(undefined, { drivers: [driver], conf }).url.virtualHost).toBe('v')
    expect(createTransport(undefined, { drivers: [driver] }).url.driver).toBe('rabbit')
    expect(createTransport('one://other/', { drivers: [driver], conf }).url.hosts[0]?.hostname).toBe('other')
  })

  it.each([
    ['rabbit://u:secret@h', 'install @hermod/driver-rabbit'],
    ['memory://', 'install @hermod/driver-memory'],
    ['zmq://u:secret@h', 'no driver serves zmq:// (there are fake://)'],
  ])('says of %s what is missing', (url, text) => {
    const make = (): unknown => createTransport(url, { drivers: [fake()] })
    expect(make).toThrow(InvalidUrlError)
    expect(make).toThrow(text)
    expect(make).not.toThrow('secret')
  })

  it('says that no driver was given', () => {
    expect(() => createTransport('fake://', { drivers: [] })).toThrow('none was given')
  })
})

describe('the settings of a transport', () => {
  const conf = parseConf('[DEFAULT]\ncontrol_exchange = nova\nrpc_response_timeout = 7\n')

  it.each([
    ['defaults', {}, ['openstack', 60_000]],
    ['the conf file', { conf }, ['nova', 7000]],
    ['the program', { conf, controlExchange: 'mine', responseTimeoutMs: 5 }, ['mine', 5]],
  ])('come from %s', (_, options, expected) => {
    const driver = watchedDriver('fake')
    const { controlExchange, responseTimeoutMs } = createTransport('fake://', {
      drivers: [driver],
      ...options,
    })
    expect([controlExchange, responseTimeoutMs]).toEqual(expected)
    expect(driver.made[0]?.defaultExchange).toBe(expected[0])
  })

  it.each([0, -1, NaN])('refuse a response timeout of %d', (responseTimeoutMs) => {
    expect(() => createTransport('fake://', { drivers: [fake()], responseTimeoutMs })).toThrow(
      ConfigurationError,
    )
  })
})

describe('a transport', () => {
  const reports: unknown[] = []
  const subscriber = (message: unknown): void => {
    reports.push(message)
  }
  afterEach(() => {
    MESSAGING_DIAGNOSTICS.transport.unsubscribe(subscriber)
    reports.length = 0
  })

  it('passes on what its driver reports, to listeners and as diagnostics', () => {
    const driver = watchedDriver('fake')
    const transport = createTransport('fake://', { drivers: [driver] })
    const heard: unknown[] = []
    transport.on('blocked', (event) => heard.push(event))
    MESSAGING_DIAGNOSTICS.transport.subscribe(subscriber)
    const event = { type: 'blocked', reason: 'low on disk' } as const
    driver.made[0]?.onEvent(event)
    expect(heard).toEqual([event])
    expect(reports).toEqual([{ driver: 'fake', event }])
  })

  it('is over once it is closed, however often', async () => {
    const transport = createTransport('fake://', { drivers: [fake()] })
    await transport.connect()
    await Promise.all([transport.close(), transport.close()])
    await expect(transport.closed).resolves.toBeUndefined()
    await expect(transport.connect()).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
  })

  it('is closed with its block', async () => {
    let closed: Promise<void>
    {
      await using transport = createTransport('fake://', { drivers: [fake()] })
      closed = transport.closed
    }
    await expect(closed).resolves.toBeUndefined()
  })

  it('shows no password', () => {
    const transport = createTransport('one://u:secret@h/', { drivers: [watchedDriver('one')] })
    expect(`${transport.url.toString()} ${JSON.stringify(transport.url)}`).not.toContain('secret')
  })
})
