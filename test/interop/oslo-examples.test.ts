import { findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { ExampleProgram } from './example-program.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'

const linesOf = (program: ExampleProgram): readonly string[] => program.stdout.trimEnd().split('\n')

const FROM = { publisher_id: 'publisher1', event_type: 'this is type' }
const NOTIFICATIONS = [
  { priority: 'error', ...FROM, payload: { reason: 'an error' } },
  { priority: 'warn', ...FROM, payload: { reason: 'a warning' } },
]

const rabbitMq = findBroker('inspect')
const peers = OSLO_PYTHONS.map((peer) => ({ ...peer, gate: needs(rabbitMq, peer.availability) }))
let broker: BrokerFixture
/** As the examples have it by default, but for the port: no credentials. */
let url: string
beforeAll(async () => {
  if (peers.every(({ gate }) => gate.skip)) return
  broker = await startBroker()
  url = `rabbit://127.0.0.1:${new URL(broker.url).port}/`
})
afterAll(() => broker?.[Symbol.asyncDispose]())

for (const { python, release, gate } of peers) {
  describe.skipIf(gate.skip)(`the examples and oslo.messaging ${release}${gate.note}`, () => {
    it('client: casts to all servers of the topic and calls one of them', async () => {
      await using server1 = startPeer('oslo_example_server', { url }, python)
      await using server2 = startPeer('oslo_example_server', { url, server: 'server2' }, python)
      for (const server of [server1, server2]) expect(await server.next()).toEqual({ ready: true })
      await using client = new ExampleProgram('oslo-client', url)
      expect([await client.ended(), client.stdout, client.stderr]).toEqual([0, 'to one\n', ''])
      const toAll = { namespace: 'namespace2', arg: 'to all' }
      const toOne = { namespace: 'namespace2', arg: 'to one' }
      const seen = [await server1.next(), await server1.next()]
      expect(seen).toHaveLength(2)
      expect(seen).toEqual(expect.arrayContaining([toAll, toOne]))
      expect(await server2.next()).toEqual(toAll)
    })

    it('server: answers, and ends when it is interrupted', async () => {
      await using server = new ExampleProgram('oslo-server', url)
      await server.until(() => server.stdout.includes('serving'))
      await using client = startPeer('oslo_example_client', { url }, python)
      expect(await client.next()).toEqual({ result: 'to one' })
      await server.until(() => linesOf(server).length === 3)
      expect(linesOf(server).toSorted()).toEqual(['namespace2 to all', 'namespace2 to one', 'serving'])
      expect([await server.interrupt(), server.stderr]).toEqual([0, ''])
    })

    it('notifier: sends an error and a warning', async () => {
      await using listener = startPeer('oslo_example_listener', { url }, python)
      expect(await listener.next()).toEqual({ ready: true })
      await using notifier = new ExampleProgram('oslo-notifier', url)
      expect([await notifier.ended(), notifier.stderr]).toEqual([0, ''])
      const got = [await listener.next(), await listener.next()]
      expect(got).toHaveLength(NOTIFICATIONS.length)
      expect(got).toEqual(expect.arrayContaining(NOTIFICATIONS))
    })

    it('listener: handles them by their priority', async () => {
      await using listener = new ExampleProgram('oslo-listener', url)
      await listener.until(() => listener.stdout.includes('listening'))
      await using notifier = startPeer('oslo_example_notifier', { url }, python)
      expect(await notifier.next()).toEqual({ sent: true })
      await listener.until(() => linesOf(listener).length === 3)
      expect(linesOf(listener).toSorted()).toEqual([
        "error publisher1 this is type { reason: 'an error' }",
        'listening',
        "warn publisher1 this is type { reason: 'a warning' }",
      ])
      const queues = async (): Promise<readonly [name: string, messages: number][]> =>
        (await broker.queues())
          .filter(({ name }) => name.startsWith('notification_'))
          .map(({ name, messages }) => [name, messages])
      await listener.until(async () => (await queues()).every(([, messages]) => messages === 0))
      expect((await queues()).map(([name]) => name).toSorted()).toEqual(
        ['notification_1', 'notification_2'].flatMap((topic) => [`${topic}.error`, `${topic}.warn`]),
      )
      expect([await listener.interrupt(), listener.stderr]).toEqual([0, ''])
    })
  })
}
