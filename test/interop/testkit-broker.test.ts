import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from '@hermod/amqp'
import {
  findPython,
  findRabbitMq,
  needs,
  startRabbitMq,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findRabbitMq(), findPython(['pika']))
/** A folder that stands in for the system's temporary one, to see what stays behind. */
function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermod-own-'))
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** The addresses, in the kernel's hexadecimal, on which anybody listens on a port that only the testkit gives away. */
function listeningAddresses(): string[] {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => readFileSync(path, 'utf8').split('\n'))
  return lines.flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    const number = Number.parseInt(port, 16)
    return state === LISTEN && number >= 20_000 && number < 32_000 ? [address] : []
  })
}

const LISTEN = '0A'
const LOOPBACK = /^(?:0100007F|0{24}01000000)$/

const publisher = (): PythonPeer => startPeer('pika_publish')

describe.skipIf(gate.skip)(`a RabbitMQ node of the tests' own${gate.note}`, () => {
  let broker: BrokerFixture
  beforeAll(async () => {
    broker = await startRabbitMq({ plugins: ['rabbitmq_consistent_hash_exchange'] })
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('counts queues, and shows exchanges, bindings and connections', async () => {
    await using pika = publisher()
    const bind = { exchange: 'amq.topic', routing_key: 'a.*' }
    const queue = { name: 'facts ☃', auto_delete: true, arguments: { 'x-max-length': 3 }, bind }
    const [exchange, routing_key] = ['amq.topic', 'a.b']
    for (const body of ['one', 'two']) {
      const body_base64 = Buffer.from(body).toString('base64')
      await pika.ask({ url: broker.url, queue, exchange, routing_key, body_base64 })
    }
    expect(await broker.queues()).toEqual([
      {
        name: 'facts ☃',
        messages: 2,
        messagesReady: 2,
        messagesUnacknowledged: 0,
        consumers: 0,
        arguments: { 'x-max-length': 3 },
        durable: false,
        exclusive: false,
        autoDelete: true,
      },
    ])
    expect(await broker.exchanges()).toContainEqual({
      name: 'amq.topic',
      type: 'topic',
      durable: true,
      autoDelete: false,
      internal: false,
      arguments: {},
    })
    expect(await broker.bindings()).toEqual([
      {
        source: 'amq.topic',
        destination: 'facts ☃',
        destinationKind: 'queue',
        routingKey: 'a.*',
        arguments: {},
      },
    ])
    expect(await broker.connections()).toEqual([
      expect.objectContaining({
        user: 'guest',
        vhost: '/',
        state: 'running',
        channels: 1,
        clientProperties: expect.objectContaining({ product: 'Pika Python Client Library' }) as unknown,
      }),
    ])
    await broker.deleteQueue('facts ☃')
    expect(await broker.queues()).toEqual([])
  })

  it('takes users and virtual hosts, and refuses others', async () => {
    await broker.createVhost('tenants/é')
    await broker.addUser('reader', 'p@ss:/wörd', ['tenants/é'])
    const login = { user: 'reader', password: 'p@ss:/wörd', vhost: 'tenants/é' }
    await using pika = publisher()
    await pika.ask({ url: broker.urlFor(login), queue: { name: 'theirs' } })
    expect((await broker.queues('tenants/é')).map(({ name }) => name)).toEqual(['theirs'])
    const wrong = pika.ask({ url: broker.urlFor({ ...login, password: 'no' }), queue: { name: 'theirs' } })
    await expect(wrong).rejects.toThrow('ACCESS_REFUSED')
    const elsewhere = pika.ask({ url: broker.urlFor({ ...login, vhost: '/' }), queue: { name: 'theirs' } })
    await expect(elsewhere).rejects.toThrow('refused')
  })

  it('takes another password for a user, and then no user of that name', async () => {
    await broker.addUser('rotated', 'old')
    const ask = async (password: string): Promise<unknown> => {
      await using pika = publisher()
      return await pika.ask({
        url: broker.urlFor({ user: 'rotated', password }),
        queue: { name: '', exclusive: true },
      })
    }
    await ask('old')
    await broker.changePassword('rotated', 'new')
    await expect(ask('old')).rejects.toThrow('ACCESS_REFUSED')
    await ask('new')
    await broker.deleteUser('rotated')
    await expect(ask('new')).rejects.toThrow('ACCESS_REFUSED')
    await expect(broker.changePassword('rotated', 'newer')).rejects.toMatchObject({ code: 'E_CONN' })
  })

  it('switches plugins on', async () => {
    await using connection = await Connection.connect(broker.url)
    const channel = await connection.openChannel()
    await channel.declareExchange('shards', 'x-consistent-hash', { autoDelete: true })
    expect(await broker.exchanges()).toContainEqual(
      expect.objectContaining({ name: 'shards', type: 'x-consistent-hash' }),
    )
  })

  it('deletes a queue that is exclusive to a connection', async () => {
    await using pika = publisher()
    const { queue } = await pika.ask({ url: broker.url, queue: { name: '', exclusive: true } })
    expect(await broker.queues()).toEqual([expect.objectContaining({ name: queue, exclusive: true })])
    await broker.deleteQueue(String(queue))
    expect(await broker.queues()).toEqual([])
  })

  it('closes connections with a text', async () => {
    await using pika = publisher()
    await pika.ask({ url: broker.url, queue: { name: '', exclusive: true } })
    expect(await broker.closeConnections('tidying up')).toBe(1)
    const next = pika.ask({ url: broker.url, queue: { name: '', exclusive: true } })
    await expect(next).rejects.toThrow('CONNECTION_FORCED - tidying up')
  })

  it.each(['memory', 'disk'] as const)('blocks publishers while the %s alarm is on', async (kind) => {
    await using pika = publisher()
    const publish = { url: broker.url, exchange: '', routing_key: 'held', body_base64: '' }
    await pika.ask({ url: broker.url, queue: { name: 'held' } })
    await broker.setAlarm(kind, true)
    // RabbitMQ reads nothing more from a connection after its first publish under an alarm.
    await pika.ask(publish)
    expect(await broker.connections()).toEqual([expect.objectContaining({ state: 'blocked' })])
    pika.send(publish)
    await expect(pika.next({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(await broker.queues()).toEqual([expect.objectContaining({ name: 'held', messages: 1 })])
    await broker.setAlarm(kind, false)
    expect(await pika.next()).toEqual({ ok: true })
    expect(await broker.queues()).toEqual([expect.objectContaining({ name: 'held', messages: 2 })])
    await broker.deleteQueue('held')
  })
})

describe.skipIf(gate.skip)(`the life of a RabbitMQ node${gate.note}`, () => {
  it.runIf(existsSync('/proc/net/tcp'))('listens on loopback alone, and leaves nothing behind', async () => {
    const folder = ownTemporaryFolder()
    {
      await using broker = await startRabbitMq()
      expect(broker.host).toBe('127.0.0.1')
      const addresses = listeningAddresses()
      expect(addresses.length).toBeGreaterThanOrEqual(3) // AMQP, distribution, epmd
      for (const address of addresses) expect(address).toMatch(LOOPBACK)
      expect(readdirSync(folder)).toHaveLength(1)
    }
    expect(readdirSync(folder)).toEqual([])
  })

  it('keeps its port and its data through kill, stop and restart', async () => {
    await using broker = await startRabbitMq()
    const body_base64 = Buffer.from('still here').toString('base64')
    const persistent = {
      queue: { name: 'kept', durable: true },
      exchange: '',
      routing_key: 'kept',
      body_base64,
      properties: { delivery_mode: 2 },
    }
    {
      await using pika = publisher()
      await pika.ask({ url: broker.url, ...persistent })
    }
    // RabbitMQ 3.10 writes down a durable queue with delay: one that is killed within a second forgets it.
    await broker.restart()
    {
      await using pika = publisher()
      const unrouted = { url: broker.url, exchange: '', routing_key: 'nobody', body_base64 }
      await pika.ask(unrouted)
      await broker.kill()
      await expect(pika.ask(unrouted)).rejects.toMatchObject({ code: 'E_CONN_LOST' })
    }
    await expect(broker.queues()).rejects.toMatchObject({ code: 'E_CONN' })
    await broker.start()
    expect(await broker.queues()).toEqual([expect.objectContaining({ name: 'kept', messages: 1 })])
    await using getter = startPeer('pika_get')
    const { message } = await getter.ask({ url: broker.url, queue: 'kept' })
    expect(message).toMatchObject({ body_base64, properties: { delivery_mode: 2 } })
  })

  it('says in its own words why it did not start, and cleans up', async () => {
    const folder = ownTemporaryFolder()
    await expect(startRabbitMq({ config: { no_such_setting: '1' } })).rejects.toMatchObject({
      code: 'E_CONN',
      message: expect.stringContaining('no_such_setting') as string,
    })
    expect(readdirSync(folder)).toEqual([])
  })
})
