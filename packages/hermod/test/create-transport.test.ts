import { InvalidUrlError } from '@hermod/kernel'
import { parseConf, type DriverFactory } from '@hermod/messaging'
import { describe, expect, it } from 'vitest'
import { createRpcClient, createRpcServer, createTransport } from '../src/index.ts'

describe('createTransport of hermod', () => {
  it.each([
    ['rabbit://127.0.0.1:5672/', 'rabbit'],
    ['kombu://127.0.0.1:5672/', 'kombu'],
    ['memory://', 'memory'],
    ['fake://', 'fake'],
    [undefined, 'rabbit'],
  ])('has a driver for %s', (url, driver) => {
    expect(createTransport(url).driver.name).toBe(driver)
  })

  it.each(['memory://', 'fake://'])('carries calls over %s without more', async (url) => {
    await using transport = createTransport(url)
    const endpoint = { test: ({ arg }: { arg: string }) => arg }
    const target = { topic: 'hermod-create-transport', server: 'server1' }
    await using server = createRpcServer(transport, target, { endpoints: [endpoint] })
    await server.start()
    const client = createRpcClient<typeof endpoint>(transport, target)
    expect(await client.call('test', { arg: 'hello' })).toBe('hello')
  })

  it('takes the URL and other settings from a conf file', () => {
    const text = '[DEFAULT]\ntransport_url = fake://\nrpc_response_timeout = 7\ncontrol_exchange = nova\n'
    const transport = createTransport(undefined, { conf: parseConf(text, 'nova.conf') })
    const { driver, responseTimeoutMs, controlExchange } = transport
    expect([driver.name, responseTimeoutMs, controlExchange]).toEqual(['fake', 7000, 'nova'])
  })

  it('asks given drivers first', () => {
    const made: string[] = []
    const own: DriverFactory = {
      schemes: ['fake'],
      create: () => {
        made.push('own')
        throw new TypeError('not needed here')
      },
    }
    expect(() => createTransport('fake://', { drivers: [own] })).toThrow('not needed here')
    expect(made).toEqual(['own'])
    expect(createTransport('rabbit://', { drivers: [own] }).driver.name).toBe('rabbit')
  })

  it('names the drivers that there are for a scheme that none has', () => {
    const make = (): unknown => createTransport('zmq://h')
    expect(make).toThrow(InvalidUrlError)
    expect(make).toThrow('there are rabbit://, kombu://, memory://, fake://')
  })
})
