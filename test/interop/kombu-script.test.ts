import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
  type QueueFacts,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { ExampleProgram } from './example-program.ts'

const gate = needs(findBroker('administer', 'inspect'), findPython(['oslo_messaging', 'kombu']))

const QUEUES: readonly (readonly [exchange: string, queue: string])[] = [
  ['nova', 'notification.nova'],
  ['neutron', 'notifications.neutron'],
]
const DRIVERS: readonly string[] = ['messaging', 'messagingv2']

describe.skipIf(gate.skip)(`the well-known kombu script${gate.note}`, () => {
  let broker: BrokerFixture
  let oslo: PythonPeer
  let kombu: PythonPeer
  beforeAll(async () => {
    broker = await startBroker()
    oslo = startPeer('oslo_notify')
    kombu = startPeer('kombu_emit')
  })
  afterAll(async () => {
    await oslo?.[Symbol.asyncDispose]()
    await kombu?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  const scriptQueues = async (): Promise<QueueFacts[]> =>
    (await broker.queues()).filter(({ name }) => QUEUES.some(([, queue]) => queue === name))
  const isConsuming = async (): Promise<boolean> => {
    const queues = await scriptQueues()
    return queues.length === QUEUES.length && queues.every(({ consumers }) => consumers === 1)
  }
  const isDrained = async (): Promise<boolean> =>
    (await scriptQueues()).every(({ messages }) => messages === 0)
  /** One notification for each exchange and driver, each of an event type of its own. */
  const emitAll = async (round: string): Promise<string[]> => {
    const types: string[] = []
    for (const [exchange] of QUEUES) {
      for (const driver of DRIVERS) {
        const event_type = `${round}.${exchange}.${driver}.end`
        await oslo.ask({ url: broker.url, exchange, driver, event_type, payload: { name: 'web ☃ 1' } })
        types.push(event_type)
      }
    }
    return types
  }

  it('prints and acks what oslo.messaging and kombu emit on both exchanges', async () => {
    const types = await emitAll('before') // oslo.messaging declares the exchanges first
    await using script = new ExampleProgram('kombu-script', broker.url)
    await script.until(isConsuming)
    expect(types.filter((type) => script.stdout.includes(type))).toEqual([])

    types.splice(0, types.length, ...(await emitAll('while')))
    for (const [exchange] of QUEUES) {
      const body = { kombu: `plain.${exchange}` }
      await kombu.ask({ url: broker.url, exchange: { name: exchange }, routing_key: 'anything', body })
      types.push(body.kombu)
    }
    const printed = (type: string): number => script.stdout.split(type).length - 1
    await script.until(() => types.every((type) => printed(type) > 0))
    await script.until(isDrained)
    expect(types.map(printed)).toEqual(types.map(() => 1))
    expect(script.stdout.split('Receive message')).toHaveLength(types.length + 1)
    expect(script.stderr).toBe('')
    expect((await scriptQueues()).map(({ messagesUnacknowledged }) => messagesUnacknowledged)).toEqual([0, 0])
  })

  it('leaves queues that fill when nobody reads, and copies remote calls', async () => {
    expect((await scriptQueues()).map(({ name }) => name).toSorted()).toEqual(
      QUEUES.map(([, queue]) => queue).toSorted(),
    )
    const body = { method: 'build_instances', args: {} }
    await kombu.ask({ url: broker.url, exchange: { name: 'nova' }, routing_key: 'compute.host1', body })
    await emitAll('unread')
    const waiting = async (): Promise<Record<string, number>> =>
      Object.fromEntries((await scriptQueues()).map(({ name, messages }) => [name, messages]))
    const expected = { 'notification.nova': DRIVERS.length + 1, 'notifications.neutron': DRIVERS.length }
    await eventually(async () => (await waiting())['notification.nova'] === expected['notification.nova'])
    expect(await waiting()).toEqual(expected)
  })

  it('declares its exchanges as oslo.messaging does, whoever comes first', async () => {
    const vhost = 'fresh'
    await broker.createVhost(vhost)
    const url = broker.urlFor({ vhost })
    await using script = new ExampleProgram('kombu-script', url)
    await script.until(
      async () => (await broker.queues(vhost)).filter(({ consumers }) => consumers === 1).length === 2,
    )
    const flags = { type: 'topic', durable: false, autoDelete: false, internal: false, arguments: {} }
    for (const [exchange] of QUEUES) {
      expect(await broker.exchanges(vhost)).toContainEqual({ name: exchange, ...flags })
      const event_type = `first.${exchange}.end`
      await oslo.ask({ url, exchange, event_type })
      await script.until(() => script.stdout.includes(event_type))
    }
  })
})
