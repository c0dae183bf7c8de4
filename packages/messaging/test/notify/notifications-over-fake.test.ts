import { eventually } from '@hermod/testkit'
import { describe, expect, it, vi } from 'vitest'
import {
  createBatchNotificationListener,
  createNotificationListener,
  createNotifier,
  createTransport,
  fake,
  listenForNotifications,
  NotificationResult,
  PRIORITIES,
  RequestContext,
  type FakeOptions,
  type NotificationEndpoint,
  type NotificationListener,
  type NotificationListenerOptions,
  type ReceivedNotification,
  type Transport,
} from '../../src/index.ts'

type Handler = (notification: ReceivedNotification) => NotificationResult | void

let worlds = 0

function world(options?: FakeOptions): Transport {
  return createTransport(`fake://notifications${++worlds}`, { drivers: [fake(options)] })
}

async function listen(
  transport: Transport,
  endpoint: NotificationEndpoint,
  options: Partial<NotificationListenerOptions> = { topics: ['testtopic'] },
): Promise<NotificationListener> {
  const listener = createNotificationListener(transport, {
    endpoints: [endpoint],
    allowRequeue: true,
    ...options,
  })
  await listener.start()
  return listener
}

const notifierOf = (transport: Transport, topic = 'testtopic') =>
  createNotifier(transport, { topics: [topic], publisherId: 'testpublisher', drivers: ['messaging'] })

const handled = (listener: NotificationListener, count: number): Promise<true> =>
  eventually(() => listener.stats().handled === count)

describe('notifications within a process', () => {
  it('come by one topic', async () => {
    const transport = world()
    const info = vi.fn<Handler>()
    await using listener = await listen(transport, { info })
    await notifierOf(transport).info('an_event.start', 'test message')
    await handled(listener, 1)
    expect(info.mock.calls).toMatchObject([
      [{ context: {}, publisherId: 'testpublisher', eventType: 'an_event.start', payload: 'test message' }],
    ])
  })

  it('come by every priority and by both kinds of bodies', async () => {
    const transport = world()
    const seen: string[] = []
    const endpoint = Object.fromEntries(
      PRIORITIES.map((priority) => [
        priority,
        (n: ReceivedNotification) => void seen.push(`${priority} ${n.priority}`),
      ]),
    ) as NotificationEndpoint
    await using listener = await listen(transport, endpoint)
    const notifier = createNotifier(transport, {
      topics: ['testtopic'],
      drivers: ['messaging', 'messagingv2'],
    })
    for (const priority of PRIORITIES) await notifier[priority]('x', null)
    await handled(listener, 14)
    expect(seen.toSorted()).toEqual(
      PRIORITIES.flatMap((priority) =>
        Array.from({ length: 2 }, () => `${priority} ${priority.toUpperCase()}`),
      ).toSorted(),
    )
  })

  it('come by two topics, with the members of the context that may', async () => {
    const transport = world()
    const info = vi.fn<Handler>()
    await using listener = await listen(transport, { info }, { topics: ['topic1', 'topic2'] })
    await notifierOf(transport, 'topic1').info('an_event.start1', 'test', {
      context: { user_name: 'bob', token: 't' },
    })
    await notifierOf(transport, 'topic2').info('an_event.start2', 'test', {
      context: new RequestContext({ userId: 'u-1', authToken: 'a-secret' }),
    })
    await handled(listener, 2)
    expect(new Set(info.mock.calls.map(([{ topic, eventType }]) => `${topic} ${eventType}`))).toEqual(
      new Set(['topic1 an_event.start1', 'topic2 an_event.start2']),
    )
    const contexts = info.mock.calls.map(([{ context }]) => context)
    expect(contexts).toContainEqual({ user_name: 'bob' })
    expect(contexts).toContainEqual(expect.objectContaining({ user: 'u-1', auth_token: null }))
  })

  it('come by two exchanges and not by a third', async () => {
    const transport = world()
    const info = vi.fn<Handler>()
    await using listener = await listen(
      transport,
      { info },
      {
        targets: [
          { topic: 'topic', exchange: 'exchange1' },
          { topic: 'topic', exchange: 'exchange2' },
        ],
      },
    )
    for (const controlExchange of ['openstack', 'exchange1', 'exchange2']) {
      const other = createTransport(transport.url, { drivers: [fake()], controlExchange })
      await notifierOf(other, 'topic').info('x', controlExchange)
    }
    await handled(listener, 2)
    expect(new Set(info.mock.calls.map(([{ payload }]) => payload))).toEqual(
      new Set(['exchange1', 'exchange2']),
    )
  })

  it('go to every endpoint', async () => {
    const transport = world()
    const first = vi.fn<Handler>()
    const second = vi.fn<Handler>(() => NotificationResult.HANDLED)
    const listener = createNotificationListener(transport, {
      topics: ['testtopic'],
      endpoints: [{ info: first }, { info: second }],
    })
    await listener.start()
    await notifierOf(transport).info('x', 'test')
    await handled(listener, 1)
    expect([first, second].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
    await listener.stop()
  })

  it('come again when they were given back', async () => {
    const transport = world()
    const results = [NotificationResult.REQUEUE, NotificationResult.HANDLED]
    const info = vi.fn<Handler>(() => results.shift()!)
    await using listener = await listen(transport, { info }, { topics: ['testtopic'], requeueDelayMs: 5 })
    await notifierOf(transport).info('x', 'test')
    await handled(listener, 1)
    expect(info.mock.calls.map(([{ redelivered, payload }]) => [redelivered, payload])).toEqual([
      [false, 'test'],
      [true, 'test'],
    ])
    expect(listener.stats()).toMatchObject({ received: 2, requeued: 1, handled: 1 })
  })

  it('go to each pool, and within it to one listener, also while listeners come and go', async () => {
    const transport = world()
    const of: Record<string, unknown[]> = { pool1: [], a: [], b: [] }
    const into = (name: string): NotificationEndpoint => ({
      info: ({ payload }) => void of[name]!.push(payload),
    })
    const inPool = (pool: string) => ({ topics: ['topic'], pool })
    await using _first = await listen(transport, into('pool1'), inPool('pool1'))
    await using second = await listen(transport, into('a'), inPool('pool2'))
    await using third = await listen(transport, into('b'), inPool('pool2'))
    const notifier = notifierOf(transport, 'topic')
    let sent = 0
    const send = async (): Promise<void> => {
      for (let i = 0; i < 25; i++) await notifier.info('x', sent++)
      await eventually(() => of['a']!.length + of['b']!.length === sent && of['pool1']!.length === sent)
    }
    await send()
    await second.stop()
    await send()
    await second.start()
    await third.stop()
    await send()
    await third.start()
    await send()
    const all = Array.from({ length: 100 }, (_, at) => at)
    expect(of['pool1']).toEqual(all)
    expect([...of['a']!, ...of['b']!].toSorted((x, y) => Number(x) - Number(y))).toEqual(all)
    expect(Math.min(of['a']!.length, of['b']!.length)).toBeGreaterThanOrEqual(25)
  })

  it('are handled once when a peer sends copies', async () => {
    const transport = world({ copies: 3 })
    const info = vi.fn<Handler>()
    await using listener = await listen(transport, { info })
    await notifierOf(transport).info('x', 1)
    await eventually(() => listener.stats().duplicates === 2)
    expect(info).toHaveBeenCalledOnce()
  })

  it('are gathered into batches', async () => {
    const transport = world()
    const sizes: number[] = []
    const listener = createBatchNotificationListener(transport, {
      topics: ['testtopic'],
      endpoints: [{ info: (batch) => void sizes.push(batch.length) }],
      batchSize: 100,
      batchTimeoutMs: 20,
    })
    await listener.start()
    const notifier = notifierOf(transport)
    await Promise.all(Array.from({ length: 205 }, (_, at) => notifier.info('x', at)))
    await handled(listener, 205)
    expect(sizes).toEqual([100, 100, 5])
    await listener.stop()
  })

  it('are all handled by somebody when a loop ends early and another begins', async () => {
    const transport = world()
    const notifier = notifierOf(transport)
    const seen = new Set<unknown>()
    const reader = listenForNotifications(transport, {
      topics: ['testtopic'],
      priorities: ['info'],
      prefetchCount: 4,
    })
    await reader.open()
    for (let i = 0; i < 20; i++) await notifier.info('x', i)
    for await (const notification of reader) {
      expect(reader.stats().waiting).toBeLessThan(4)
      seen.add(notification.payload)
      if (seen.size === 3) break
      notification.ack()
    }
    const again: [unknown, boolean][] = []
    for await (const notification of listenForNotifications(transport, { topics: ['testtopic'] })) {
      again.push([notification.payload, notification.redelivered])
      notification.ack()
      if (notification.payload === 19) break
    }
    expect(again.map(([payload]) => payload)).toEqual(Array.from({ length: 18 }, (_, at) => at + 2))
    expect(again[0]).toEqual([2, true])
    await transport.close()
  })

  it('end with their transport', async () => {
    const transport = world()
    const listener = await listen(transport, { info() {} })
    const loop = listenForNotifications(transport, { topics: ['testtopic'] })[Symbol.asyncIterator]()
    const over = loop.next().then(
      () => true,
      () => true,
    )
    await transport.close()
    await listener.closed
    expect(listener.state).toBe('stopped')
    expect(await over).toBe(true)
  })
})
