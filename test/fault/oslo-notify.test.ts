import { rabbit } from '@hermod/driver-rabbit'
import { createNotificationListener, createTransport, type Transport } from '@hermod/messaging'
import {
  eventually,
  findRabbitMq,
  needs,
  startFaultProxy,
  startRabbitMq,
  type BrokerFixture,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_SUITE } from './fault-settings.ts'
import { CountingHandler, expectNoteInvariants, NoteLoad } from './note-load.ts'
import { OsloChild } from './oslo-child.ts'

const gate = needs(findRabbitMq())

let broker: BrokerFixture
let topics = 0
const closing: AsyncDisposable[] = []

function transportAt(url: string): Transport {
  const drivers = [
    rabbit({ options: { durableQueues: true, retryIntervalMs: 100, retryIntervalMaxMs: 500 } }),
  ]
  const transport = createTransport(url.replace('amqp:', 'rabbit:'), { drivers })
  closing.push(transport)
  return transport
}

/** A listener in this process, and notifications for it; each over connections of its own. */
async function startLoad(notifierUrl: string, listenerUrl: string): Promise<NoteLoad> {
  const topic = `notes-${topics++}`
  const handler = new CountingHandler()
  // One at a time: a copy that comes while the first one is still being handled is not known as one yet.
  const options = { topics: [topic], endpoints: [handler] }
  await createNotificationListener(transportAt(listenerUrl), options).start()
  return new NoteLoad(transportAt(notifierUrl), { topic, handled: (id) => handler.handled(id) })
}

describe.skipIf(gate.skip)(`notifications under faults${gate.note}`, FAULT_SUITE, () => {
  beforeAll(async () => {
    broker = await startRabbitMq()
  })
  afterEach(async () => {
    for (const one of closing.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('are all handled, each once, when connections are cut, those of notifier and of listener', async () => {
    const [senders, listeners] = [await startFaultProxy(broker), await startFaultProxy(broker)]
    closing.push(senders, listeners)
    const load = await startLoad(senders.urlFor(broker.url), listeners.urlFor(broker.url))
    const proxies = [senders, listeners]
    for (let cut = 1; cut <= 6; cut++) {
      await load.reaches(cut / 8)
      const proxy = proxies[cut % 2]!
      const { accepted } = proxy
      expect(proxy.cut()).toBe(1)
      await eventually(() => proxy.accepted > accepted)
    }
    // In the middle of a frame.
    senders.cutAfter({ direction: 'to-broker', bytes: 1001 })
    listeners.cutAfter({ direction: 'to-client', bytes: 1003 })
    await expectNoteInvariants(load)
    expect(load.repeated()).toEqual([])
  })

  it('are all handled when the broker is killed', async () => {
    const load = await startLoad(broker.url, broker.url)
    await load.reaches(0.4)
    const before = load.confirmed.length
    await broker.kill()
    await broker.start()
    await expectNoteInvariants(load)
    expect(load.confirmed.length).toBeGreaterThan(before)
  })

  it('are all handled when listeners are killed', async () => {
    const topic = `notes-${topics++}`
    const listeners: OsloChild[] = []
    const start = async (): Promise<void> => {
      const listener = new OsloChild('listen', broker.url, topic, `listener${listeners.length}`)
      listeners.push(listener)
      closing.push(listener)
      await listener.ready()
    }
    await Promise.all([start(), start()])
    const handled = (id: number): number => listeners.reduce((sum, listener) => sum + listener.ran(id), 0)
    const load = new NoteLoad(transportAt(broker.url), { topic, handled })
    for (const share of [0.25, 0.5]) {
      await load.reaches(share)
      const first = listeners.find(({ isAlive }) => isAlive)!
      await eventually(() => first.began > 0)
      await first.kill()
      await start()
    }
    await expectNoteInvariants(load)
    // Twice at the most what the dead ones held.
    expect(load.repeated().length).toBeLessThanOrEqual(2 * 100)
  })

  it('are all handled, each once, by listeners that are stopped in turn, and when the notifier is closed', async () => {
    const topic = `notes-${topics++}`
    const handlers: CountingHandler[] = []
    const handled = (id: number): number => handlers.reduce((sum, handler) => sum + handler.handled(id), 0)
    const listen = async () => {
      const handler = new CountingHandler()
      handlers.push(handler)
      const options = { topics: [topic], endpoints: [handler], concurrency: 4 }
      const listener = createNotificationListener(transportAt(broker.url), options)
      await listener.start()
      return listener
    }
    let listener = await listen()
    const sending = transportAt(broker.url)
    const load = new NoteLoad(sending, {
      topic,
      handled,
      failures: ['E_CONN_CLOSED', 'E_CHANNEL_CLOSED'],
      restMs: 100,
    })
    for (const share of [0.1, 0.2, 0.3, 0.4, 0.5]) {
      await load.reaches(share)
      await listener.stop()
      listener = await listen()
    }
    await load.reaches(0.6)
    await sending.close()
    await expectNoteInvariants(load)
    expect(load.repeated()).toEqual([])
    await listener.stop()
    const left = (await broker.queues()).find(({ name }) => name === `${topic}.info`)
    expect(left).toMatchObject({ messages: 0, consumers: 0 })
  })
})
