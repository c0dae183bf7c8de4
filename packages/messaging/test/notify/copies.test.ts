import { createDeferred } from '@hermod/kernel'
import { eventually } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createBatchNotificationListener,
  createNotificationListener,
  createNotifier,
  createTransport,
  fake,
  listenForNotifications,
  NotificationResult,
  type BatchNotificationListenerOptions,
  type NotificationListener,
  type NotificationListenerOptions,
  type NotificationListenerStats,
  type ReceivedNotification,
  type Transport,
} from '../../src/index.ts'

const TOPICS = { topics: ['copied'] }

let worlds = 0

describe('copies of a notification that come together', () => {
  let transport: Transport
  beforeEach(() => {
    transport = createTransport(`fake://copies${++worlds}`, { drivers: [fake({ copies: 3 })] })
  })
  afterEach(() => transport.close())

  async function send(count = 1): Promise<void> {
    const notifier = createNotifier(transport, { ...TOPICS, publisherId: 'p', drivers: ['messaging'] })
    for (let at = 0; at < count; at++) await notifier.info(`n${at}`, null)
  }

  async function started(listener: NotificationListener): Promise<NotificationListener> {
    await listener.start()
    return listener
  }

  const one = (
    info: (notification: ReceivedNotification) => unknown,
    options: Partial<NotificationListenerOptions> = {},
  ): Promise<NotificationListener> =>
    started(
      createNotificationListener(transport, {
        ...TOPICS,
        endpoints: [{ info: async (notification) => info(notification) as NotificationResult }],
        concurrency: 4,
        ...options,
      }),
    )

  const batched = (
    info: (batch: readonly ReceivedNotification[]) => unknown,
    options: Partial<BatchNotificationListenerOptions> = {},
  ): Promise<NotificationListener> =>
    started(
      createBatchNotificationListener(transport, {
        ...TOPICS,
        endpoints: [{ info: async (batch) => info(batch) as NotificationResult }],
        batchTimeoutMs: 10,
        ...options,
      }),
    )

  const shows = (listener: NotificationListener, stats: Partial<NotificationListenerStats>): Promise<true> =>
    eventually(() =>
      Object.entries(stats).every(([key, value]) => listener.stats()[key as 'handled'] === value),
    )

  it('wait while the first one is handled, and are dropped when it was', async () => {
    const end = createDeferred<void>()
    const calls: string[] = []
    await using listener = await one(({ eventType }) => (calls.push(eventType), end.promise))
    await send(2)
    await shows(listener, { received: 6, running: 2, waiting: 4 })
    end.resolve()
    await shows(listener, { handled: 2, duplicates: 4, running: 0, waiting: 0 })
    expect(calls).toEqual(['n0', 'n1'])
  })

  it('are handled in turn until one of them was', async () => {
    const results = [NotificationResult.REQUEUE, undefined]
    let running = 0
    let most = 0
    await using listener = await one(
      async () => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        return results.shift()
      },
      { allowRequeue: true, requeueDelayMs: 0 },
    )
    await send()
    // The one that was given back comes again, as a copy of the second one.
    await shows(listener, { handled: 1, requeued: 1, duplicates: 2, running: 0, waiting: 0 })
    expect(most).toBe(1)
  })

  it('are handled after one that was refused for good', async () => {
    let calls = 0
    await using listener = await one(() => {
      if (++calls === 1) throw new Error('the first one fails')
    })
    await send()
    await shows(listener, { poisoned: 1, handled: 1, duplicates: 1 })
    expect(calls).toBe(2)
  })

  it('go back with what waits when the listener stops, and are known later', async () => {
    const end = createDeferred<void>()
    let calls = 0
    await using listener = await one(() => (calls++, end.promise))
    await send()
    await shows(listener, { running: 1, waiting: 2 })
    const stopping = listener.stop()
    await shows(listener, { released: 2, waiting: 0 })
    end.resolve()
    await stopping
    await listener.start()
    await shows(listener, { handled: 1, duplicates: 2 })
    expect(calls).toBe(1)
  })

  it('are in no batch together', async () => {
    const batches: string[][] = []
    await using listener = await batched(
      (batch) => void batches.push(batch.map(({ eventType }) => eventType)),
    )
    await send(2)
    await shows(listener, { handled: 2, duplicates: 4, waiting: 0 })
    expect(batches).toEqual([['n0', 'n1']])
  })

  it('are in the next batch when the first one was given back', async () => {
    const batches: string[][] = []
    await using listener = await batched(
      (batch) => {
        batches.push(batch.map(({ eventType }) => eventType))
        return batches.length === 1 ? NotificationResult.REQUEUE : undefined
      },
      { allowRequeue: true, requeueDelayMs: 0 },
    )
    await send()
    await shows(listener, { handled: 1, requeued: 1, duplicates: 2, waiting: 0 })
    expect(batches).toEqual([['n0'], ['n0']])
  })

  it('are shown to no loop while one of them is unsettled', async () => {
    const stream = listenForNotifications(transport, { ...TOPICS, priorities: ['info'] })
    await stream.open()
    await send(2)
    await eventually(() => stream.stats().received === 6)
    const loop = stream[Symbol.asyncIterator]()
    const first = (await loop.next()).value!
    const second = (await loop.next()).value!
    expect([first.eventType, second.eventType]).toEqual(['n0', 'n1'])
    first.requeue()
    second.ack()
    const third = (await loop.next()).value!
    expect(third.eventType).toBe('n0')
    third.ack()
    const next = loop.next()
    await eventually(() => stream.stats().duplicates === 4)
    expect(stream.stats()).toMatchObject({ waiting: 0, unsettled: 0 })
    await stream.close()
    expect((await next).done).toBe(true)
  })
})
