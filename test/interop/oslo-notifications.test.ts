import { rabbit } from '@hermod/driver-rabbit'
import {
  createTransport,
  PRIORITIES,
  type IncomingNotification,
  type NotificationSource,
  type NotifyOptions,
  type Transport,
} from '@hermod/messaging'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'

const EXCHANGE = 'notifying'
const PAYLOADS: readonly [string, unknown][] = [
  ['text of many scripts', { name: 'café \u{1f600} \\ "quoted"' }],
  ['nothing', null],
  ['numbers', [0, -1.5, 12345678901234]],
  ['nested objects', { a: { b: { c: [true, false, null] } } }],
]

let broker: BrokerFixture
const gate = needs(findBroker('administer'))

function openTransport(): Transport {
  return createTransport(broker.url.replace('amqp:', 'rabbit:'), { drivers: [rabbit()] })
}

/** Takes everything from the sources, and acknowledges it. */
async function listenTo(
  { driver }: Transport,
  sources: readonly NotificationSource[],
  pool?: string,
): Promise<IncomingNotification[]> {
  const taken: IncomingNotification[] = []
  await driver.listen(sources, {
    pool,
    backlog: 20,
    onNotification: (notification) => {
      notification.acknowledge()
      taken.push(notification)
    },
  })
  return taken
}

describe.skipIf(gate.skip)(`notifications of the rabbit driver${gate.note}`, () => {
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  for (const { release, python, availability } of OSLO_PYTHONS) {
    const peers = needs(availability)
    describe.skipIf(peers.skip)(`and oslo.messaging ${release}${peers.note}`, () => {
      it('reach a listener of Python, in either envelope and at every priority', async () => {
        const topic = `to-python-${release}`
        const targets = [{ exchange: EXCHANGE, topic }]
        await using listener = startPeer('oslo_listen', { url: broker.url, targets }, python)
        await listener.next()
        await using transport = openTransport()
        for (const [n, priority] of PRIORITIES.entries()) {
          const envelope: NotifyOptions['envelope'] = n % 2 === 0 ? '1.0' : '2.0'
          const [, payload] = PAYLOADS[n % PAYLOADS.length]!
          const message = {
            message_id: `id-${n}`,
            publisher_id: 'compute.host1',
            event_type: `event.${n}`,
            priority: priority.toUpperCase(),
            payload: payload as null,
            timestamp: '2026-05-13 12:53:00.123456',
          }
          await transport.driver.notify(
            { exchange: EXCHANGE, topic, priority },
            { message, context: { user_id: 'u-17' }, headers: {} },
            { signal: undefined, timeoutMs: 30_000, retries: undefined, envelope },
          )
          const line = await listener.next()
          expect(line).toMatchObject({
            priority,
            publisher_id: 'compute.host1',
            event_type: `event.${n}`,
            message_id: `id-${n}`,
            timestamp: '2026-05-13 12:53:00.123456',
            ctxt: { user_id: 'u-17' },
          })
          expect(JSON.parse((line['payload'] as { readonly json: string }).json)).toEqual(payload)
        }
      })

      it('come from a notifier of Python, in either envelope, to listeners and pools', async () => {
        const topic = `from-python-${release}`
        await using transport = openTransport()
        const sources = [{ exchange: EXCHANGE, topic, priority: 'info' }] as const
        const listened = await listenTo(transport, sources)
        const pooled = await listenTo(transport, sources, `pool-${release}`)
        await using notifier = startPeer('oslo_notify', {}, python)
        for (const [n, [what, payload]] of PAYLOADS.entries()) {
          const driver = n % 2 === 0 ? 'messaging' : 'messagingv2'
          const command = { url: broker.url, exchange: EXCHANGE, topics: [topic], driver, payload }
          const answer = await notifier.ask({ ...command, event_type: 'peer.says', publisher_id: what })
          await eventually(() => listened.length > n && pooled.length > n)
          for (const { notification, topic: by, duplicate } of [listened[n]!, pooled[n]!]) {
            expect(notification).toMatchObject({
              messageId: answer['message_id'],
              publisherId: what,
              eventType: 'peer.says',
              priority: 'INFO',
              payload,
              uniqueId: expect.stringMatching(/^[0-9a-f]{32}$/),
            })
            expect([by, duplicate]).toEqual([topic, false])
          }
        }
      })
    })
  }
})
