import { Connection } from '@hermod/amqp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, startEmbeddedBroker, type BrokerFixture } from '../src/index.ts'

let broker: BrokerFixture
beforeEach(async () => {
  broker = await startEmbeddedBroker({ config: { heartbeat: '7', frame_max: '8192' } })
})
afterEach(() => broker[Symbol.asyncDispose]())

describe('the embedded broker as a fixture', () => {
  it('counts what is there, and takes settings of RabbitMQ', async () => {
    await using connection = await Connection.connect(broker.url, { heartbeatMs: 60_000 })
    const channel = await connection.openChannel()
    await channel.declareQueue('jobs', { durable: true, arguments: { 'x-max-length': 9 } })
    await channel.publish('', 'jobs', Buffer.from('one'))
    expect(await broker.queues()).toMatchObject([
      {
        name: 'jobs',
        messages: 1,
        messagesReady: 1,
        messagesUnacknowledged: 0,
        arguments: { 'x-max-length': 9 },
      },
    ])
    expect(await broker.connections()).toMatchObject([
      { user: 'guest', vhost: '/', state: 'running', channels: 1 },
    ])
    expect((await broker.exchanges()).map(({ name }) => name)).toContain('amq.topic')
    expect(await broker.bindings()).toEqual([])
    await broker.deleteQueue('jobs')
    expect(await broker.queues()).toEqual([])
  })

  it('has virtual hosts and users as it is told', async () => {
    await broker.createVhost('rooms')
    await broker.addUser('nova', 'one', ['rooms'])
    const login = { user: 'nova', vhost: 'rooms' }
    const connect = async (password: string): Promise<void> => {
      const options = { connectRetries: 0 }
      await (await Connection.connect(broker.urlFor({ ...login, password }), options)).close()
    }
    await connect('one')
    await broker.changePassword('nova', 'two')
    await expect(connect('one')).rejects.toMatchObject({ code: 'E_AUTH' })
    await connect('two')
    await broker.deleteUser('nova')
    await expect(connect('two')).rejects.toMatchObject({ code: 'E_AUTH' })
  })

  it.each(['kill', 'stop'] as const)(
    'starts again after %s: same port, users and virtual hosts, and no queues',
    async (end) => {
      await broker.createVhost('rooms')
      const { url } = broker
      const reconnect = { initialMs: 5, maxMs: 20 }
      await using connection = await Connection.connect(broker.urlFor({ vhost: 'rooms' }), { reconnect })
      await (await Connection.connect(url)).close()
      const channel = await connection.openChannel({ recover: false })
      await channel.declareQueue('jobs', { durable: true, exclusive: false })
      await broker[end]()
      await eventually(() => connection.state === 'reconnecting')
      await broker.start()
      await eventually(() => connection.state === 'open')
      expect(broker.url).toBe(url)
      await expect(broker.start()).rejects.toThrow('runs already')
    },
  )

  it('closes connections with the words of an operator, and blocks publishers', async () => {
    await using connection = await Connection.connect(broker.url, { reconnect: false })
    const publisher = await connection.openChannel()
    await broker.setAlarm('memory', true)
    const publishing = publisher.publish('', 'nowhere', Buffer.from('x'))
    publishing.catch(() => {})
    await eventually(async () => (await broker.connections())[0]?.state === 'blocked')
    await broker.setAlarm('memory', false)
    await publishing
    expect(await broker.closeConnections('tidying up')).toBe(1)
    expect(await connection.closed).toMatchObject({
      error: { message: expect.stringContaining('tidying up') as string },
    })
  })

  it.each([{ plugins: ['rabbitmq_management'] }, { config: { load_definitions: '/absent' } }])(
    'refuses what it does not have: %o',
    async (options) => {
      await expect(startEmbeddedBroker(options)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
    },
  )
})
