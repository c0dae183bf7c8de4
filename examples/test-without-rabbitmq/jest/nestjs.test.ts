/** @jest-environment ./broker-environment.cjs */
// NestJS as `nest new` makes it, CommonJS with ts-jest: npx jest nestjs
import 'reflect-metadata'
import type { RunningTestBroker } from '@hermod/testkit/test-broker' with { 'resolution-mode': 'import' }
import type { INestMicroservice } from '@nestjs/common'
import { ClientProxyFactory, Transport, type ClientProxy, type RmqOptions } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { filter, firstValueFrom } from 'rxjs'
import { StockController } from './stock.controller'

declare const server: RunningTestBroker

let service: INestMicroservice
let client: ClientProxy

beforeEach(async () => {
  const options: RmqOptions = {
    transport: Transport.RMQ,
    options: {
      urls: [server.url],
      queue: 'stock',
      queueOptions: { durable: true },
      socketOptions: { reconnectTimeInSeconds: 0.05 },
    },
  }
  const module = await Test.createTestingModule({ controllers: [StockController] }).compile()
  service = module.createNestMicroservice<RmqOptions>({ ...options, logger: false })
  await service.listen()
  client = ClientProxyFactory.create(options)
})

afterEach(async () => {
  await client.close()
  await service.close()
})

const ask = (fruit: string): Promise<number> => firstValueFrom(client.send<number>('stock', fruit))

test('an event changes what is answered', async () => {
  expect(await ask('apple')).toBe(10)
  await firstValueFrom(client.emit('order.placed', { fruit: 'apple', count: 3 }), { defaultValue: undefined })
  expect(await ask('apple')).toBe(7)
  expect(server.broker.queues()).toMatchObject([{ name: 'stock', durable: true, ready: 0, consumers: 1 }])
})

test('sending fails while the broker is away, and goes on afterwards', async () => {
  await client.connect()
  const became = (wanted: 'connected' | 'disconnected'): Promise<unknown> =>
    firstValueFrom(client.status.pipe(filter((status) => status === wanted)))
  server.broker.refuse(true)
  for (const connection of server.broker.connections()) connection.drop()
  await became('disconnected')
  await expect(ask('apple')).rejects.toContain('Connection lost')
  server.broker.refuse(false)
  await became('connected')
  expect(await ask('apple')).toBe(10)
})
