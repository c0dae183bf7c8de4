import { createBroker } from '@hermod/broker'
import { InvalidUrlError } from '@hermod/kernel'
import {
  createRpcClient,
  createRpcServer,
  createTransport,
  parseConf,
  type RpcServer,
  type Transport,
  type TransportOptions,
} from '@hermod/messaging'
import { eventually } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { memory, type MemoryDriverConfig } from '../src/index.ts'

const TARGET = { topic: 'disks', server: 'one' }
const endpoint = { size: () => 7 }

function open(
  url: string | undefined,
  config?: MemoryDriverConfig,
  options?: Partial<TransportOptions>,
): Transport {
  return createTransport(url, { ...options, drivers: [memory(config)] })
}

async function serve(transport: Transport): Promise<RpcServer> {
  const server = createRpcServer(transport, TARGET, { endpoints: [endpoint] })
  await server.start()
  return server
}

const size = (transport: Transport): Promise<number> =>
  createRpcClient<typeof endpoint>(transport, TARGET).call('size')

/** Rejects where the broker has no queue for it. */
const castSize = (transport: Transport): Promise<void> =>
  createRpcClient<typeof endpoint>(transport, TARGET, { atLeastOnce: true }).cast('size')

const UNROUTABLE = { code: 'E_UNROUTABLE' }

describe('a broker in memory', () => {
  it('is one for the transports that name it, and another one for each other name', async () => {
    await using serving = open('memory://shared')
    await using calling = open('memory://shared')
    await using elsewhere = open('memory://other')
    await using _ = await serve(serving)
    expect(await size(calling)).toBe(7)
    await expect(castSize(elsewhere)).rejects.toMatchObject(UNROUTABLE)
  })

  it('is its transport’s alone where it has no name', async () => {
    await using serving = open('memory://')
    await using other = open('memory://')
    await using _ = await serve(serving)
    expect(await size(serving)).toBe(7)
    await expect(castSize(other)).rejects.toMatchObject(UNROUTABLE)
  })

  it('keeps what it holds until the last transport that names it closes', async () => {
    await using staying = open('memory://kept')
    {
      await using serving = open('memory://kept')
      const server = await serve(serving)
      await server.stop()
    }
    await castSize(staying)
    await staying.close()
    await using later = open('memory://kept')
    await expect(castSize(later)).rejects.toMatchObject(UNROUTABLE)
  })

  it('counts a transport that closes twice once', async () => {
    await using staying = open('memory://twice')
    await using _ = await serve(staying)
    const passing = open('memory://twice')
    await passing.connect()
    await Promise.all([passing.close(), passing.driver.close(), passing.driver.close()])
    await using calling = open('memory://twice')
    expect(await size(calling)).toBe(7)
  })

  it('has every virtual host that a URL names, each on its own', async () => {
    await using serving = open('memory://hosts/one')
    await using calling = open('memory://hosts/one')
    await using other = open('memory://hosts/two')
    await using _ = await serve(serving)
    expect(await size(calling)).toBe(7)
    await expect(castSize(other)).rejects.toMatchObject(UNROUTABLE)
  })

  it('may be the program’s own, with its virtual hosts, and stays when transports close', async () => {
    await using broker = createBroker({
      virtualHosts: ['rooms'],
      users: [{ name: 'nova', password: 'secret' }],
    })
    {
      await using transport = open('memory://nova:secret@any/rooms', { broker })
      await using _ = await serve(transport)
      expect(await size(transport)).toBe(7)
      expect(broker.queues('rooms').map(({ name }) => name)).toContain('disks.one')
      expect(broker.connections().map(({ user }) => user)).toEqual(['nova', 'nova'])
    }
    expect(broker.queues('rooms').map(({ name }) => name)).toContain('disks.one')
    await using refused = open('memory://any/rooms', { broker })
    await expect(refused.connect({ retries: 0 })).rejects.toMatchObject({ code: 'E_AUTH' })
  })

  it('is behind transports as RabbitMQ is: they come back when it hangs up', async () => {
    await using broker = createBroker()
    await using transport = open('memory://', { broker, options: { retryIntervalMs: 1 } })
    await using _ = await serve(transport)
    for (const connection of broker.connections()) connection.drop()
    await eventually(() => transport.stats()['disconnects'] === 1)
    expect(await size(transport)).toBe(7)
  })

  it('is made with the options of the driver that comes first', async () => {
    await using transport = open('memory://', { broker: { profile: 'rabbitmq-4.3' } })
    await expect(serve(transport)).rejects.toThrow(/durable|transient/)
  })
})

describe('the URL of a broker in memory', () => {
  it.each([
    ['memory://one,two', 'memory:// names one broker'],
    ['memory://one:5672', 'memory:// has no ports'],
    ['memory+tls://one', "the scheme 'memory+tls' is not known here"],
  ])('%s is refused', (url, text) => {
    expect(() => open(url)).toThrow(InvalidUrlError)
    expect(() => open(url)).toThrow(text)
  })

  it('has the options of rabbit://', async () => {
    await using broker = createBroker()
    await using transport = open('memory://?rabbit_quorum_queue=true', { broker })
    await using _ = await serve(transport)
    expect(broker.queues().find(({ name }) => name === 'disks')?.arguments).toMatchObject({
      'x-queue-type': 'quorum',
    })
    expect(() => open('memory://?rabbit_quorum_queues=true')).toThrow("did you mean 'rabbit_quorum_queue'?")
  })

  it('may stand in a conf file whose options ask for TLS, which there is none of', async () => {
    const text =
      '[DEFAULT]\ntransport_url = memory://\n[oslo_messaging_rabbit]\nssl = true\nssl_ca_file = /absent\n'
    await using transport = open(undefined, {}, { conf: parseConf(text, 'nova.conf') })
    await using _ = await serve(transport)
    expect(transport.driver.name).toBe('memory')
    expect(await size(transport)).toBe(7)
  })
})
