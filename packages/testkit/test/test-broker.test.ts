import { connect as connectTcp } from 'node:net'
import { once } from 'node:events'
import { Connection } from '@hermod/amqp'
import { describe, expect, it } from 'vitest'
import { startTestBroker, useTestBroker, type TestBroker } from '../src/test-broker.ts'

describe('a broker for tests', () => {
  it('takes connections by its URL, and its port is free when it is closed', async () => {
    const server = await startTestBroker()
    await using connection = await Connection.connect(server.url)
    expect(connection.server).toMatchObject({ product: 'Hermod', virtualHost: '/' })
    expect(server.broker.connections()).toHaveLength(1)
    await server.close()
    const [error] = (await once(connectTcp(server.port, server.host), 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })

  it('has users and virtual hosts of its own in its URL', async () => {
    const users = [{ name: 'worker@1', password: 'p/w', virtualHosts: ['orders'] }]
    await using server = await startTestBroker({ users, virtualHosts: ['/', 'orders'] })
    await using connection = await Connection.connect(server.url)
    expect(connection.server?.virtualHost).toBe('orders')
  })

  it('refuses options that cannot be used', async () => {
    const profile = 'rabbitmq-1.0' as 'rabbitmq-4.2'
    await expect(startTestBroker({ profile })).rejects.toMatchObject({ code: 'E_CONFIG' })
  })
})

describe('a broker between the hooks of a runner', () => {
  const [starts, ends]: (() => Promise<void>)[][] = [[], []]
  const server: TestBroker = useTestBroker({
    before: (start) => starts!.push(start),
    after: (end) => ends!.push(end),
  })

  it('is a new one each time, and none outside', async () => {
    const seen = new Set<unknown>()
    for (let round = 0; round < 2; round++) {
      expect(() => server.url).toThrow('the broker runs in tests alone')
      await starts![0]!()
      await using connection = await Connection.connect(server.url)
      const channel = await connection.openChannel()
      await channel.declareQueue('jobs')
      seen.add(server.broker)
      expect(server.broker.queues().map(({ name }) => name)).toEqual(['jobs'])
      await ends![0]!()
    }
    expect(seen.size).toBe(2)
    expect(() => server.broker).toThrow('the broker runs in tests alone')
  })

  it('ends without having begun, where its start failed', async () => {
    await expect(ends![0]!()).resolves.toBeUndefined()
  })
})
