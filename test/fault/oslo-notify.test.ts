import { createDeferred } from '@hermod/kernel'
import { createNotificationListener } from '@hermod/messaging'
import { eventually, findBroker, needs, startFaultProxy } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { FAULT_SUITE } from './fault-settings.ts'
import { CountingHandler, expectNoteInvariants, NoteLoad } from './note-load.ts'
import { OsloChild } from './oslo-child.ts'
import { OsloStage } from './oslo-stage.ts'

const gate = needs(findBroker('inspect'))
const lasting = needs(findBroker('durable'))

const stage = new OsloStage()

/** A listener in this process, and notifications for it; each over connections of its own. */
async function startLoad(notifierUrl: string, listenerUrl: string): Promise<NoteLoad> {
  const topic = stage.newTopic()
  const handler = new CountingHandler()
  const options = { topics: [topic], endpoints: [handler], concurrency: 4 }
  await createNotificationListener(stage.transportAt(listenerUrl), options).start()
  return new NoteLoad(stage.transportAt(notifierUrl), { topic, handled: (id) => handler.handled(id) })
}

describe.skipIf(gate.skip)(`notifications under faults${gate.note}`, FAULT_SUITE, () => {
  stage.use()

  it('are all handled, each once, when connections are cut, those of notifier and of listener', async () => {
    const [senders, listeners] = [await startFaultProxy(stage.broker), await startFaultProxy(stage.broker)]
    stage.ending(senders, listeners)
    const load = await startLoad(senders.urlFor(stage.broker.url), listeners.urlFor(stage.broker.url))
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

  it.skipIf(lasting.skip)('are all handled when the broker is killed', async () => {
    const load = await startLoad(stage.broker.url, stage.broker.url)
    await load.reaches(0.4)
    const before = load.confirmed.length
    await stage.broker.kill()
    await stage.broker.start()
    await expectNoteInvariants(load)
    expect(load.confirmed.length).toBeGreaterThan(before)
  })

  it('are all handled when listeners are killed', async () => {
    const topic = stage.newTopic()
    const listeners: OsloChild[] = []
    const start = async (): Promise<void> => {
      const listener = new OsloChild('listen', stage.broker.url, topic, `listener${listeners.length}`)
      listeners.push(listener)
      stage.ending(listener)
      await listener.ready()
    }
    await Promise.all([start(), start()])
    const handled = (id: number): number => listeners.reduce((sum, listener) => sum + listener.ran(id), 0)
    const load = new NoteLoad(stage.transportAt(stage.broker.url), { topic, handled })
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
    const topic = stage.newTopic()
    const handlers: CountingHandler[] = []
    const handled = (id: number): number => handlers.reduce((sum, handler) => sum + handler.handled(id), 0)
    const listen = async () => {
      const handler = new CountingHandler()
      handlers.push(handler)
      const options = { topics: [topic], endpoints: [handler], concurrency: 4 }
      const listener = createNotificationListener(stage.transportAt(stage.broker.url), options)
      await listener.start()
      return listener
    }
    let listener = await listen()
    const sending = stage.transportAt(stage.broker.url)
    // However long the listeners take in their turns, there is something left to be refused.
    const closing = createDeferred<void>()
    const load = new NoteLoad(sending, {
      topic,
      handled,
      failures: ['E_CONN_CLOSED', 'E_CHANNEL_CLOSED'],
      restMs: 100,
      lastAfter: closing.promise,
    })
    for (const share of [0.1, 0.2, 0.3, 0.4, 0.5]) {
      await load.reaches(share)
      await listener.stop()
      listener = await listen()
    }
    await load.reaches(0.6)
    const closed = sending.close()
    closing.resolve()
    await closed
    await expectNoteInvariants(load)
    // Some of those that failed for the notifier have reached the queue.
    const left = async () => (await stage.broker.queues()).find(({ name }) => name === `${topic}.info`)
    await eventually(async () => expect(await left()).toMatchObject({ messages: 0 }), { timeoutMs: 30_000 })
    expect(load.repeated()).toEqual([])
    await listener.stop()
    expect(await left()).toMatchObject({ messages: 0, consumers: 0 })
  })
})
