import { ConfigurationError, createDeferred } from '@hermod/kernel'
import { settled } from '@hermod/testkit'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, vi } from 'vitest'
import {
  createBatchNotificationListener,
  MESSAGING_DIAGNOSTICS,
  NotificationResult,
  type BatchNotificationEndpoint,
  type BatchNotificationListenerOptions,
  type NotificationListener,
  type ReceivedNotification,
} from '../../src/index.ts'
import { aMessage } from './a-message.ts'
import { scriptedTransport, type Delivered, type ScriptedDriver } from './scripted-driver.ts'

type Handler = (batch: readonly ReceivedNotification[]) => NotificationResult | void | Promise<void>

async function listening(
  endpoints: readonly BatchNotificationEndpoint[],
  options: Partial<BatchNotificationListenerOptions>,
): Promise<ReturnType<typeof scriptedTransport> & { readonly listener: NotificationListener }> {
  const scripted = scriptedTransport()
  const listener = createBatchNotificationListener(scripted.transport, {
    topics: ['t'],
    endpoints,
    ...options,
  })
  await listener.start()
  return { ...scripted, listener }
}

function deliver(driver: ScriptedDriver, count: number, priority = 'INFO', from = 0): readonly Delivered[] {
  return Array.from({ length: count }, (_, at) =>
    driver.deliver(aMessage({ event_type: `${priority}.${from + at}`, priority })),
  )
}

const typesOf = (batch: readonly ReceivedNotification[]): string =>
  batch.map(({ eventType }) => eventType).join(' ')

describe('a batch', () => {
  it('is handled when it is full', async () => {
    const info = vi.fn<Handler>()
    const { driver } = await listening([{ info }], { batchSize: 5 })
    const delivered = deliver(driver, 10)
    await settled()
    expect(info.mock.calls.map(([batch]) => batch.length)).toEqual([5, 5])
    expect(info.mock.calls[0]![0][0]).toMatchObject({
      context: {},
      publisherId: 'testpublisher',
      payload: 'test message',
    })
    expect(new Set(delivered.map((each) => each.settled))).toEqual(new Set(['acknowledged']))
  })

  it('is handled in time after its first notification, whatever its size', async () => {
    const info = vi.fn<Handler>()
    const { driver, clock } = await listening([{ info }], { batchSize: 5, batchTimeoutMs: 1000 })
    await clock.pass(900)
    deliver(driver, 12)
    await clock.pass(999)
    expect(info.mock.calls.map(([batch]) => batch.length)).toEqual([5, 5])
    await clock.pass(1)
    await settled()
    expect(info.mock.calls.map(([batch]) => batch.length)).toEqual([5, 5, 2])
    expect(clock.armed).toBeLessThanOrEqual(1)
  })

  it('waits for the one before it', async () => {
    const end = createDeferred<void>()
    const info = vi.fn<Handler>(() => end.promise)
    const { driver, listener, clock } = await listening([{ info }], { batchSize: 2, batchTimeoutMs: 100 })
    deliver(driver, 3)
    await clock.pass(100)
    expect(info).toHaveBeenCalledOnce()
    expect(listener.stats()).toMatchObject({ running: 2, waiting: 1 })
    end.resolve()
    await settled()
    expect(info.mock.calls.map(([batch]) => batch.length)).toEqual([2, 1])
  })

  it('is never larger than what may be unsettled', async () => {
    const info = vi.fn<Handler>()
    const { driver } = await listening([{ info }], { batchSize: 50, prefetchCount: 3 })
    expect(driver.listening!.backlog).toBe(3)
    deliver(driver, 3)
    await settled()
    expect(info.mock.calls.map(([batch]) => batch.length)).toEqual([3])
  })

  it('leaves room for the next one while it is handled', async () => {
    expect((await listening([{ info() {} }], { batchSize: 500 })).driver.listening!.backlog).toBe(1000)
    expect((await listening([{ info() {} }], { batchTimeoutMs: 5 })).driver.listening!.backlog).toBe(100)
  })

  it('needs an end', () => {
    const { transport } = scriptedTransport()
    const make = (options: Partial<BatchNotificationListenerOptions>) => () =>
      createBatchNotificationListener(transport, { topics: ['t'], endpoints: [{ info() {} }], ...options })
    expect(make({})).toThrow(ConfigurationError)
    expect(make({ batchSize: 0, batchTimeoutMs: Infinity })).toThrow(
      /'batchSize' is 0.*'batchTimeoutMs' is Infinity/,
    )
  })
})

describe('the handlers of a batch', () => {
  it('get one priority after the other, by the alphabet, in the order of arrival', async () => {
    const seen: string[] = []
    const note: Handler = (batch) => void seen.push(typesOf(batch))
    const { driver } = await listening([{ info: note, error: note, audit: note }], { batchSize: 5 })
    deliver(driver, 2)
    deliver(driver, 1, 'ERROR')
    deliver(driver, 1, 'AUDIT')
    deliver(driver, 1, 'INFO', 2)
    await settled()
    expect(seen).toEqual(['AUDIT.0', 'ERROR.0', 'INFO.0 INFO.1 INFO.2'])
  })

  it('give back exactly what they were given; the rest goes on', async () => {
    const later = vi.fn<Handler>()
    const { driver, listener } = await listening(
      [
        { filter: { eventType: String.raw`INFO\.[13]` }, info: () => NotificationResult.REQUEUE },
        { info: later },
      ],
      { batchSize: 4, allowRequeue: true, requeueDelayMs: 0 },
    )
    const delivered = deliver(driver, 4)
    await settled()
    expect(delivered.map((each) => each.settled)).toEqual([
      'acknowledged',
      'requeued',
      'acknowledged',
      'requeued',
    ])
    expect(typesOf(later.mock.calls[0]![0])).toBe('INFO.0 INFO.2')
    expect(listener.stats()).toMatchObject({ handled: 2, requeued: 2 })
  })

  it('poison what they were given when they fail, and only that', async () => {
    let calls = 0
    const info = vi.fn<Handler>(() => {
      if (++calls === 2) throw new TypeError('boom!')
    })
    const { driver, listener } = await listening([{ info }], { batchSize: 5 })
    const delivered = deliver(driver, 10)
    await settled()
    expect(delivered.map((each) => each.settled)).toEqual([
      ...Array.from({ length: 5 }, () => 'acknowledged'),
      ...Array.from({ length: 5 }, () => 'rejected'),
    ])
    expect(listener.stats()).toMatchObject({ handled: 5, poisoned: 5 })
  })

  it('are not called without anything to handle', async () => {
    const info = vi.fn<Handler>()
    const { driver } = await listening([{ filter: { eventType: 'nothing' }, info }], { batchSize: 1 })
    const [delivered] = deliver(driver, 1)
    await settled()
    expect(info).not.toHaveBeenCalled()
    expect(delivered!.settled).toBe('acknowledged')
  })

  it('are called again with the same when there are attempts left', async () => {
    const info = vi.fn<Handler>().mockRejectedValueOnce(new TypeError('no'))
    const { driver, clock, listener } = await listening([{ info }], {
      batchSize: 2,
      retry: { attempts: 2, backoff: { initialMs: 50, jitter: 0 } },
    })
    const delivered = deliver(driver, 2)
    await clock.pass(50)
    await settled()
    expect(info.mock.calls.map(([batch]) => typesOf(batch))).toEqual(['INFO.0 INFO.1', 'INFO.0 INFO.1'])
    expect(delivered.map((each) => each.settled)).toEqual(['acknowledged', 'acknowledged'])
    expect(listener.stats()).toMatchObject({ retried: 1, handled: 2 })
  })
})

describe('stopping', () => {
  it('gives back what was gathered, and waits for the batch that is handled', async () => {
    const end = createDeferred<void>()
    const { driver, listener, clock } = await listening([{ info: () => end.promise }], {
      batchSize: 2,
      batchTimeoutMs: 1000,
    })
    const delivered = deliver(driver, 3)
    await settled()
    const stopped = listener.stop()
    end.resolve()
    await stopped
    expect(delivered.map((each) => each.settled)).toEqual(['acknowledged', 'acknowledged', 'requeued'])
    expect(deliver(driver, 1)[0]!.settled).toBe('requeued')
    expect(clock.armed).toBe(0)
  })

  it('gives back in time what is still being handled', async () => {
    const { driver, listener, clock } = await listening([{ info: () => new Promise<void>(() => {}) }], {
      batchSize: 2,
    })
    const delivered = deliver(driver, 2)
    await settled()
    const stopped = listener.stop({ timeoutMs: 10 })
    await clock.pass(10)
    await stopped
    expect(delivered.map((each) => each.settled)).toEqual(['requeued', 'requeued'])
    expect(listener.stats()).toMatchObject({ aborted: 2, handled: 0 })
  })
})

it('publishes the handling of each notification', async () => {
  const seen: string[] = []
  const onStart = (): void => void seen.push('start')
  const onEnd = (): void => void seen.push('end')
  const { start, end } = MESSAGING_DIAGNOSTICS.dispatch
  subscribe(start.name, onStart)
  subscribe(end.name, onEnd)
  const { driver } = await listening([{ info() {} }], { batchSize: 2 })
  deliver(driver, 2)
  await settled()
  unsubscribe(start.name, onStart)
  unsubscribe(end.name, onEnd)
  expect(seen).toEqual(['start', 'start', 'end', 'end'])
})
