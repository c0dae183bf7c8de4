import { PRIORITIES } from '@hermod/messaging'
import { eventSample } from '@hermod/openstack'
import { findBroker, needs, startBroker, type BrokerFixture, type PythonPeer } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OSLO_PYTHONS } from '../interop/oslo-pythons.ts'
import { runHermod, type CommandEnd } from './running-command.ts'
import { startPeer } from './start-peer.ts'

describe.each(OSLO_PYTHONS)('hermod notify to oslo.messaging $release', ({ availability, python }) => {
  const gate = needs(findBroker('inspect'), availability)

  describe.skipIf(gate.skip)(`on RabbitMQ${gate.note}`, () => {
    let broker: BrokerFixture
    let listener: PythonPeer
    beforeAll(async () => {
      broker = await startBroker()
      const targets = [
        { exchange: 'openstack', topic: 'notifications' },
        { exchange: 'nova', topic: 'notifications' },
        { exchange: 'shop', topic: 'orders' },
      ]
      listener = startPeer('oslo_listen', { url: broker.url, targets }, python)
      await listener.until((line) => line['ready'] === true)
    })
    afterAll(async () => {
      await listener?.[Symbol.asyncDispose]()
      await broker?.[Symbol.asyncDispose]()
    })

    const notify = (...args: readonly string[]): Promise<CommandEnd> =>
      runHermod(['notify', ...args], { url: broker.url })

    /** The payload as Python read it. */
    const payloadOf = (line: Readonly<Record<string, unknown>>): unknown =>
      JSON.parse((line['payload'] as { json: string }).json)

    it.each(['v1', 'v2'])('arrives at every priority, in envelope %s', async (envelope) => {
      for (const priority of PRIORITIES) {
        const flags = ['-P', priority, '--envelope', envelope, '--publisher-id', 'shop.host1']
        const end = await notify('demo.order', 'id=42', `at=${priority}`, 'tags:=["ü",null]', ...flags)
        expect(end).toMatchObject({ code: 0, stdout: '' })
        const line = await listener.next()
        expect(line).toMatchObject({
          priority,
          event_type: 'demo.order',
          publisher_id: 'shop.host1',
          ctxt: {},
        })
        expect(payloadOf(line)).toEqual({ id: '42', at: priority, tags: ['ü', null] })
      }
    })

    it('goes to the exchange and topic asked for', async () => {
      const end = await notify('demo.order', '-x', 'shop', '-t', 'orders')
      expect(end.stderr).toBe("hermod: sent 1 notification 'demo.order' to orders.info on exchange 'shop'\n")
      expect(await listener.next()).toMatchObject({ event_type: 'demo.order', priority: 'info' })
    })

    it('is a whole sample', async () => {
      const type = 'compute.instance.create.end'
      expect((await notify(type, '--sample', 'display_name=web-1')).code).toBe(0)
      const line = await listener.next()
      const sample = eventSample(type)
      expect(line).toMatchObject({ event_type: type, publisher_id: sample?.publisherId, priority: 'info' })
      expect(line['ctxt']).toMatchObject({ request_id: sample?.context['request_id'] })
      expect(payloadOf(line)).toEqual({ ...(sample?.payload as object), display_name: 'web-1' })
    })

    it('comes as often as asked for, each with an id of its own', async () => {
      expect((await notify('tick', '--count', '5', '--interval', '10ms')).code).toBe(0)
      const ids = new Set<unknown>()
      for (let n = 0; n < 5; n++) ids.add((await listener.next())['message_id'])
      expect(ids.size).toBe(5)
    })

    it('leaves nothing on the broker in a dry run', async () => {
      const before = await broker.exchanges()
      const end = await notify('demo.order', '-x', 'elsewhere', '--dry-run')
      expect(end.code).toBe(0)
      expect(JSON.parse(end.stdout)).toMatchObject({
        exchange: 'elsewhere',
        routing_key: 'notifications.info',
      })
      expect(await broker.exchanges()).toEqual(before)
    })
  })
})
