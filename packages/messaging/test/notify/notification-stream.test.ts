import {
  ConfigurationError,
  MessageStateError,
  MessagingTimeoutError,
  UnsupportedFeatureError,
} from '@hermod/kernel'
import { settled } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import {
  listenForNotifications,
  PRIORITIES,
  type NotificationStream,
  type StreamedNotification,
} from '../../src/index.ts'
import { aMessage } from './a-message.ts'
import { scriptedTransport } from './scripted-driver.ts'

const topics = ['notifications']

async function next(stream: AsyncIterator<StreamedNotification>): Promise<StreamedNotification> {
  const { value, done } = await stream.next()
  if (done === true) throw new TypeError('the stream is over')
  return value
}

async function open(): Promise<
  ReturnType<typeof scriptedTransport> & { readonly stream: NotificationStream }
> {
  const scripted = scriptedTransport()
  const stream = listenForNotifications(scripted.transport, { topics })
  await stream.open()
  return { ...scripted, stream }
}

describe('a stream of notifications', () => {
  it('begins with the loop, and takes all priorities of its topics', async () => {
    const { driver, transport } = scriptedTransport()
    const stream = listenForNotifications(transport, { topics, pool: 'p', prefetchCount: 5 })
    await settled()
    expect([driver.listening, stream.state]).toEqual([undefined, 'new'])
    const first = next(stream[Symbol.asyncIterator]())
    await settled()
    expect(driver.listening).toMatchObject({ pool: 'p', backlog: 5 })
    expect(driver.sources.map(({ priority }) => priority)).toEqual([...PRIORITIES])
    driver.deliver(aMessage({ _context_user: 'u', _unique_id: 'x' }), { redelivered: true, topic: 'other' })
    const {
      messageId,
      publisherId,
      eventType,
      priority,
      payload,
      timestamp,
      uniqueId,
      context,
      topic,
      headers,
      redelivered,
      state,
    } = await first
    expect({
      messageId,
      publisherId,
      eventType,
      priority,
      payload,
      timestamp,
      uniqueId,
      context,
      topic,
      headers,
      redelivered,
      state,
    }).toEqual({
      messageId: '99863dda-97f0-443a-a0c1-6ed317b7fd45',
      publisherId: 'testpublisher',
      eventType: 'an_event.start',
      priority: 'INFO',
      payload: 'test message',
      timestamp: '2014-03-03 18:21:04.369234',
      uniqueId: 'x',
      context: { user: 'u' },
      topic: 'other',
      headers: {},
      redelivered: true,
      state: 'received',
    })
  })

  it('settles each as the reader says, once', async () => {
    const { driver, stream } = await open()
    const reader = stream[Symbol.asyncIterator]()
    const delivered = [1, 2, 3].map(() => driver.deliver(aMessage()))
    const [a, b, c] = [await next(reader), await next(reader), await next(reader)]
    expect(stream.stats()).toMatchObject({ received: 3, waiting: 0, unsettled: 3 })
    expect([a.ack(), b.requeue(), c.reject()]).toEqual([true, true, true])
    expect([a.state, b.state, c.state]).toEqual(['acked', 'requeued', 'rejected'])
    expect(delivered.map((each) => each.settled)).toEqual(['acknowledged', 'requeued', 'rejected'])
    expect(() => a.reject()).toThrow(MessageStateError)
    expect(stream.stats()).toMatchObject({ unsettled: 0, stale: 0 })
  })

  it('acknowledges copies without showing them', async () => {
    const { driver, stream } = await open()
    const copy = driver.deliver(aMessage(), { duplicate: true })
    driver.deliver(aMessage({ event_type: 'new' }))
    expect((await next(stream[Symbol.asyncIterator]())).eventType).toBe('new')
    expect(copy.settled).toBe('acknowledged')
    expect(stream.stats()).toMatchObject({ received: 2, duplicates: 1 })
  })

  it('is closed by leaving the loop, and gives back what was not settled', async () => {
    const { driver, stream } = await open()
    driver.deliver(aMessage())
    const waiting = driver.deliver(aMessage())
    let held: StreamedNotification | undefined
    for await (const notification of stream) {
      held = notification
      break
    }
    expect(driver.subscription).toEqual(['close'])
    expect(stream.state).toBe('closed')
    // The driver gives back what nobody has settled; what comes too late is stale.
    expect(waiting.settled).toBeUndefined()
    expect(held!.ack()).toBe(false)
    expect(stream.stats()).toMatchObject({ waiting: 0, stale: 1 })
    const late = driver.deliver(aMessage())
    expect(late.settled).toBe('requeued')
    await expect(stream.open()).rejects.toThrow(ConfigurationError)
  })

  it('ends the loop of another when it is closed, without what waits', async () => {
    const { driver, stream } = await open()
    const reader = stream[Symbol.asyncIterator]()
    driver.deliver(aMessage())
    await stream.close()
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    await stream.close()
    expect(driver.subscription).toEqual(['close'])
  })

  it('ends with the reason of its signal, also while it opens', async () => {
    const reason = new Error('enough')
    for (const abortWhile of ['opening', 'open'] as const) {
      const { driver, transport } = scriptedTransport()
      let subscribe!: () => void
      driver.subscribing = new Promise((resolve) => (subscribe = resolve))
      const aborting = new AbortController()
      const stream = listenForNotifications(transport, { topics, signal: aborting.signal })
      const first = stream[Symbol.asyncIterator]().next()
      if (abortWhile === 'open') subscribe()
      await settled()
      expect(stream.state).toBe(abortWhile)
      aborting.abort(reason)
      await expect(first).rejects.toBe(reason)
      expect(driver.listening?.signal?.reason).toBe(reason)
      subscribe()
      await settled()
      expect(driver.subscription).toEqual(['close'])
      expect(stream.state).toBe('closed')
    }
    const { transport } = scriptedTransport()
    const stream = listenForNotifications(transport, { topics, signal: AbortSignal.abort(reason) })
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toBe(reason)
  })

  it('ends with the error that ended the subscription', async () => {
    const { driver, stream } = await open()
    const first = stream[Symbol.asyncIterator]().next()
    driver.end(new UnsupportedFeatureError('over'))
    await expect(first).rejects.toThrow('over')
  })

  it('fails as the driver does when it cannot listen', async () => {
    const { driver, transport } = scriptedTransport()
    driver.subscribing = Promise.reject(new UnsupportedFeatureError('no such vhost'))
    const stream = listenForNotifications(transport, { topics })
    await expect(stream.open()).rejects.toThrow('no such vhost')
    expect(stream.state).toBe('closed')
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('no such vhost')
  })

  it('opens within a time', async () => {
    const { driver, transport, clock } = scriptedTransport()
    driver.subscribing = new Promise(() => {})
    const stream = listenForNotifications(transport, { topics })
    const late = stream.open({ timeoutMs: 10 })
    late.catch(() => {})
    await clock.pass(10)
    await expect(late).rejects.toThrow(MessagingTimeoutError)
    await stream.close()
  })

  it('refuses what cannot be meant', () => {
    const { transport } = scriptedTransport({}, { pools: false })
    expect(() => listenForNotifications(transport, {})).toThrow("pass 'topics' or 'targets'")
    expect(() => listenForNotifications(transport, { topics, priorities: [] })).toThrow(
      "'priorities' is empty",
    )
    expect(() => listenForNotifications(transport, { topics, prefetchCount: 0 })).toThrow(
      "'prefetchCount' is 0",
    )
    expect(() => listenForNotifications(transport, { topics, pool: 'p' })).toThrow(UnsupportedFeatureError)
  })

  it('is closed by its disposal', async () => {
    const { driver, transport } = scriptedTransport()
    {
      await using stream = listenForNotifications(transport, { topics })
      await stream.open()
    }
    expect(driver.subscription).toEqual(['close'])
  })
})
