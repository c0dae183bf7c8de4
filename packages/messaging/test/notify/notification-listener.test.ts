import {
  ConfigurationError,
  createDeferred,
  InvalidTargetError,
  MessagingTimeoutError,
  UnsupportedFeatureError,
} from '@hermod/kernel'
import { settled } from '@hermod/testkit'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, vi } from 'vitest'
import {
  createNotificationListener,
  MESSAGING_DIAGNOSTICS,
  NotificationResult,
  PRIORITIES,
  RequestContext,
  requestContextSerializer,
  type DispatchDiagnostics,
  type NotificationEndpoint,
  type NotificationListener,
  type NotificationListenerOptions,
  type Priority,
  type ReceivedNotification,
  type Transport,
} from '../../src/index.ts'
import { aMessage } from './a-message.ts'
import { scriptedTransport } from './scripted-driver.ts'

type Handler = (notification: ReceivedNotification) => NotificationResult | void

async function listening(
  endpoints: readonly NotificationEndpoint[],
  options: Partial<NotificationListenerOptions> = {},
  transport: ReturnType<typeof scriptedTransport> = scriptedTransport(),
): Promise<ReturnType<typeof scriptedTransport> & { readonly listener: NotificationListener }> {
  const listener = createNotificationListener(transport.transport, {
    topics: ['notifications'],
    endpoints,
    ...options,
  })
  await listener.start()
  return { ...transport, listener }
}

describe('dispatch', () => {
  const { HANDLED, REQUEUE } = NotificationResult
  const cases: readonly {
    readonly name: string
    readonly endpoints: readonly (readonly Priority[])[]
    readonly called: readonly (Priority | undefined)[]
    readonly priority: Priority
    readonly result?: NotificationResult
    readonly throws?: boolean
    readonly settled: string
  }[] = [
    {
      name: 'one endpoint',
      endpoints: [['warn']],
      called: ['warn'],
      priority: 'warn',
      result: HANDLED,
      settled: 'acknowledged',
    },
    {
      name: 'two endpoints, one matches',
      endpoints: [['warn'], ['info']],
      called: [undefined, 'info'],
      priority: 'info',
      result: HANDLED,
      settled: 'acknowledged',
    },
    {
      name: 'two endpoints, both match',
      endpoints: [
        ['debug', 'info'],
        ['info', 'debug'],
      ],
      called: ['debug', 'debug'],
      priority: 'debug',
      result: HANDLED,
      settled: 'acknowledged',
    },
    {
      name: 'no return value',
      endpoints: [['warn']],
      called: ['warn'],
      priority: 'warn',
      settled: 'acknowledged',
    },
    {
      name: 'no method for it',
      endpoints: [['warn']],
      called: [undefined],
      priority: 'info',
      settled: 'acknowledged',
    },
    {
      name: 'requeue',
      endpoints: [['debug', 'warn'], ['debug']],
      called: ['debug', undefined],
      priority: 'debug',
      result: REQUEUE,
      settled: 'requeued',
    },
    {
      name: 'an exception',
      endpoints: [['debug', 'warn'], ['debug']],
      called: ['debug', undefined],
      priority: 'debug',
      throws: true,
      settled: 'requeued',
    },
  ]

  it.each(cases)('$name', async ({ endpoints, called, priority, result, throws, settled: expected }) => {
    const mocks = endpoints.map((methods) =>
      Object.fromEntries(
        methods.map((method) => [
          method,
          vi.fn<Handler>(() => {
            if (throws === true) throw new TypeError('no')
            return result
          }),
        ]),
      ),
    )
    const { driver } = await listening(mocks, {
      allowRequeue: true,
      requeueDelayMs: 0,
    })
    const delivered = driver.deliver(aMessage({ priority: priority.toUpperCase(), _context_user: 'u' }))
    await settled()
    expect(delivered.settled).toBe(expected)
    for (const [at, mock] of mocks.entries()) {
      for (const [method, handler] of Object.entries(mock))
        expect(handler).toHaveBeenCalledTimes(method === called[at] ? 1 : 0)
    }
  })

  it('hands over everything that is known of a notification', async () => {
    const info = vi.fn<Handler>()
    const { driver } = await listening([{ info }])
    driver.deliver(aMessage({ _context_user: 'u', _unique_id: 'x' }), { redelivered: true, topic: 'other' })
    await settled()
    expect(info).toHaveBeenCalledExactlyOnceWith({
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
      signal: expect.any(AbortSignal) as unknown,
    })
  })

  it('takes methods of a class, with their object', async () => {
    class Recorder {
      readonly seen: string[] = []
      info({ eventType }: ReceivedNotification): void {
        this.seen.push(eventType)
      }
    }
    const recorder = new Recorder()
    const { driver } = await listening([recorder])
    driver.deliver(aMessage())
    await settled()
    expect(recorder.seen).toEqual(['an_event.start'])
  })

  it('goes by the priority of the body, in any letter case', async () => {
    const info = vi.fn<Handler>()
    const { driver } = await listening([{ info }])
    driver.deliver(aMessage({ priority: 'info' }))
    driver.deliver(aMessage({ priority: 'Info' }))
    await settled()
    expect(info).toHaveBeenCalledTimes(2)
  })

  it('acknowledges and counts what has an unknown priority or none', async () => {
    const info = vi.fn<Handler>()
    const { driver, listener } = await listening([{ info }])
    const unknown = driver.deliver(aMessage({ priority: 'what???' }))
    const none = driver.deliver({ event_type: 'x' })
    await settled()
    expect([unknown.settled, none.settled]).toEqual(['acknowledged', 'acknowledged'])
    expect(listener.stats()).toMatchObject({ received: 2, unknownPriority: 2, handled: 0 })
    expect(info).not.toHaveBeenCalled()
  })

  it('acknowledges and counts copies, and hands them to nobody', async () => {
    const info = vi.fn<Handler>()
    const { driver, listener } = await listening([{ info }])
    const copy = driver.deliver(aMessage(), { duplicate: true })
    await settled()
    expect(copy.settled).toBe('acknowledged')
    expect(listener.stats()).toMatchObject({ received: 1, duplicates: 1, handled: 0 })
    expect(info).not.toHaveBeenCalled()
  })

  it('asks the filter of each endpoint', async () => {
    const compute = vi.fn<Handler>()
    const network = vi.fn<Handler>()
    const { driver } = await listening([
      { filter: { publisherId: 'compute' }, info: compute },
      { filter: { publisherId: 'network' }, info: network },
    ])
    const delivered = driver.deliver(aMessage({ publisher_id: 'compute.host1' }))
    await settled()
    expect(compute).toHaveBeenCalledOnce()
    expect(network).not.toHaveBeenCalled()
    expect(delivered.settled).toBe('acknowledged')
  })

  it('deserializes context and payload', async () => {
    const { driver, transport } = scriptedTransport()
    const seen: unknown[] = []
    const listener = createNotificationListener(transport, {
      topics: ['notifications'],
      serializer: requestContextSerializer,
      endpoints: [
        { info: ({ context }) => void seen.push(context.userId, context instanceof RequestContext) },
      ],
    })
    await listener.start()
    driver.deliver(aMessage({ _context_user: 'u-17' }))
    await settled()
    expect(seen).toEqual(['u-17', true])
  })

  it('takes what the serializer fails on for poisoned', async () => {
    const serializer = {
      ...requestContextSerializer,
      deserializeEntity: () => {
        throw new TypeError('no')
      },
    }
    const { transport, driver } = scriptedTransport()
    const listener = createNotificationListener(transport, {
      topics: ['notifications'],
      serializer,
      endpoints: [{ info() {} }],
    })
    await listener.start()
    const delivered = driver.deliver(aMessage())
    await settled()
    expect(delivered.settled).toBe('rejected')
  })
})

describe('sources', () => {
  it('are those priorities that an endpoint has a method for, of every topic once', async () => {
    const { driver } = await listening([{ error() {} }, { audit() {}, error() {} }], {
      topics: ['a', 'b', 'a'],
      targets: [
        { topic: 'b', exchange: 'openstack' },
        { topic: 'b', exchange: 'nova' },
      ],
      pool: 'p',
      prefetchCount: 7,
    })
    expect(driver.sources).toEqual(
      [
        { exchange: 'openstack', topic: 'a' },
        { exchange: 'openstack', topic: 'b' },
        { exchange: 'nova', topic: 'b' },
      ].flatMap((place) => [
        { ...place, priority: 'audit' },
        { ...place, priority: 'error' },
      ]),
    )
    expect(driver.listening).toMatchObject({ pool: 'p', backlog: 7 })
  })

  it('are refused when there are none, or one lacks its topic', () => {
    const { transport } = scriptedTransport()
    const endpoints = [{ info() {} }]
    expect(() => createNotificationListener(transport, { endpoints })).toThrow(ConfigurationError)
    expect(() => createNotificationListener(transport, { endpoints, targets: [{}] })).toThrow(
      InvalidTargetError,
    )
  })

  it('need endpoints that handle something, and options that can be meant', () => {
    const { transport } = scriptedTransport()
    const make = (options: Partial<NotificationListenerOptions>) => () =>
      createNotificationListener(transport, { topics: ['t'], endpoints: [{ info() {} }], ...options })
    expect(make({ endpoints: [] })).toThrow('there are no endpoints')
    expect(make({ endpoints: [{ info() {} }, { filter: { eventType: '(' } }] })).toThrow(
      /endpoint 2: 'eventType' of the filter.*endpoint 2 handles nothing; name a method of it audit, debug/,
    )
    expect(make({ prefetchCount: 0, concurrency: 1.5, requeueDelayMs: -1 })).toThrow(
      /'prefetchCount' is 0.*'concurrency' is 1\.5.*'requeueDelayMs' is -1/,
    )
    expect(make({ retry: { attempts: 0 } })).toThrow("'retry.attempts' is 0")
  })

  it('need a driver that can do it', () => {
    const { transport } = scriptedTransport({}, { pools: false, requeue: false })
    const make = (options: Partial<NotificationListenerOptions>) => () =>
      createNotificationListener(transport, { topics: ['t'], endpoints: [{ info() {} }], ...options })
    expect(make({ pool: 'p' })).toThrow(UnsupportedFeatureError)
    expect(make({ allowRequeue: true })).toThrow('cannot do this: giving notifications back')
    expect(make({})().state).toBe('stopped')
  })
})

describe('failures', () => {
  const broken: NotificationEndpoint = {
    info() {
      throw new TypeError('no')
    },
  }

  it('are refused for good, counted and reported, not acknowledged', async () => {
    const { driver, listener } = await listening([broken])
    const poisoned = vi.fn<(event: object) => void>()
    listener.on('poisoned', poisoned)
    const delivered = driver.deliver(aMessage())
    await settled()
    expect(delivered.settled).toBe('rejected')
    expect(listener.stats()).toMatchObject({ poisoned: 1, handled: 0, requeued: 0 })
    expect(poisoned).toHaveBeenCalledExactlyOnceWith({
      notification: expect.objectContaining({ eventType: 'an_event.start' }) as unknown,
      error: expect.any(TypeError) as unknown,
    })
  })

  it('are so too when a handler wants requeueing and the listener lacks it', async () => {
    const { driver, listener } = await listening([{ info: () => NotificationResult.REQUEUE }])
    const poisoned = vi.fn<(event: { readonly error: unknown }) => void>()
    listener.on('poisoned', poisoned)
    const delivered = driver.deliver(aMessage())
    await settled()
    expect(delivered.settled).toBe('rejected')
    expect(poisoned.mock.calls[0]![0].error).toMatchObject({ code: 'E_UNSUPPORTED' })
  })

  it('are tried again, from the handler that failed, with growing waits and in order', async () => {
    const first = vi.fn<Handler>()
    let calls = 0
    const seen: string[] = []
    const second = ({ eventType }: ReceivedNotification): void => {
      seen.push(eventType)
      if (++calls < 3) throw new TypeError('no')
    }
    const { driver, clock, listener } = await listening([{ info: first }, { info: second }], {
      retry: { attempts: 3, backoff: { initialMs: 100, factor: 2, jitter: 0 } },
    })
    const delivered = driver.deliver(aMessage({ event_type: 'one' }))
    driver.deliver(aMessage({ event_type: 'two' }))
    await clock.pass(99)
    expect(seen).toEqual(['one'])
    await clock.pass(1)
    expect(seen).toEqual(['one', 'one'])
    await clock.pass(200)
    await settled()
    expect(seen).toEqual(['one', 'one', 'one', 'two'])
    expect(first).toHaveBeenCalledTimes(2)
    expect(delivered.settled).toBe('acknowledged')
    expect(listener.stats()).toMatchObject({ retried: 2, handled: 2, poisoned: 0 })
  })

  it('are refused for good after the last attempt, also where requeueing is allowed', async () => {
    const { driver, clock, listener } = await listening([broken], {
      allowRequeue: true,
      retry: { attempts: 2, backoff: { initialMs: 10 } },
    })
    const delivered = driver.deliver(aMessage())
    await clock.pass(10)
    await settled()
    expect(delivered.settled).toBe('rejected')
    expect(listener.stats()).toMatchObject({ retried: 1, poisoned: 1 })
  })

  it('go back when the listener stops before the next attempt', async () => {
    const { driver, listener, clock } = await listening([broken], { retry: { attempts: 9 } })
    const delivered = driver.deliver(aMessage())
    await settled()
    await listener.stop()
    expect(delivered.settled).toBe('requeued')
    expect(listener.stats()).toMatchObject({ released: 1, poisoned: 0 })
    expect(clock.armed).toBe(0)
  })
})

describe('requeueing', () => {
  it('waits a moment before the notification goes back', async () => {
    const info = vi.fn<Handler>(() => NotificationResult.REQUEUE)
    const { driver, clock, listener } = await listening([{ info }], { allowRequeue: true })
    const delivered = driver.deliver(aMessage())
    const next = driver.deliver(aMessage())
    await clock.pass(999)
    expect(info).toHaveBeenCalledTimes(2)
    expect([delivered.settled, next.settled]).toEqual([undefined, undefined])
    await clock.pass(1)
    expect([delivered.settled, next.settled]).toEqual(['requeued', 'requeued'])
    expect(listener.stats()).toMatchObject({ requeued: 2 })
  })

  it('does not keep a listener from stopping', async () => {
    const { driver, listener, clock } = await listening([{ info: () => NotificationResult.REQUEUE }], {
      allowRequeue: true,
    })
    const delivered = driver.deliver(aMessage())
    await settled()
    await listener.stop()
    expect(delivered.settled).toBe('requeued')
    expect(clock.armed).toBe(0)
  })
})

describe('concurrency', () => {
  it('is one by default, in order', async () => {
    const ends: (() => void)[] = []
    const seen: string[] = []
    const { driver, listener } = await listening([
      {
        info: ({ eventType }) => {
          seen.push(eventType)
          return new Promise<void>((resolve) => ends.push(resolve))
        },
      },
    ])
    for (const name of ['a', 'b', 'c']) driver.deliver(aMessage({ event_type: name }))
    await settled()
    expect(seen).toEqual(['a'])
    expect(listener.stats()).toMatchObject({ running: 1, waiting: 2 })
    ends[0]!()
    await settled()
    expect(seen).toEqual(['a', 'b'])
  })

  it('runs so many at a time', async () => {
    const ends: (() => void)[] = []
    const { driver, listener } = await listening(
      [{ info: () => new Promise<void>((resolve) => ends.push(resolve)) }],
      { concurrency: 3 },
    )
    const delivered = Array.from({ length: 5 }, () => driver.deliver(aMessage()))
    await settled()
    expect(ends).toHaveLength(3)
    ends[1]!()
    await settled()
    expect(ends).toHaveLength(4)
    expect(delivered.map((each) => each.settled)).toEqual([
      undefined,
      'acknowledged',
      undefined,
      undefined,
      undefined,
    ])
    expect(listener.stats()).toMatchObject({ running: 3, waiting: 1, handled: 1 })
  })

  it('does not run handlers within the input of the driver', async () => {
    const info = vi.fn<Handler>()
    const { driver } = await listening([{ info }])
    driver.deliver(aMessage())
    expect(info).not.toHaveBeenCalled()
    await settled()
    expect(info).toHaveBeenCalledOnce()
  })
})

describe('stopping', () => {
  it('waits for what runs, gives back what waits, and then ends the subscription', async () => {
    const end = createDeferred<void>()
    const { driver, listener } = await listening([{ info: () => end.promise }])
    const running = driver.deliver(aMessage())
    const waiting = driver.deliver(aMessage())
    await settled()
    const stopped = listener.stop()
    await settled()
    expect(listener.state).toBe('stopping')
    expect([running.settled, waiting.settled]).toEqual([undefined, 'requeued'])
    const late = driver.deliver(aMessage())
    expect(late.settled).toBe('requeued')
    end.resolve()
    await stopped
    expect(running.settled).toBe('acknowledged')
    expect(driver.subscription).toEqual(['stop', 'close'])
    expect(listener.state).toBe('stopped')
    expect(await listener.closed).toEqual({})
    expect(listener.stats()).toMatchObject({ handled: 1, released: 2, running: 0, waiting: 0 })
  })

  it('gives up waiting in time: handlers are told, and their notifications go back', async () => {
    let signal: AbortSignal | undefined
    const end = createDeferred<void>()
    const { driver, listener, clock } = await listening([
      {
        info: (notification) => {
          signal = notification.signal
          return end.promise
        },
      },
    ])
    const running = driver.deliver(aMessage())
    await settled()
    const stopped = listener.stop({ timeoutMs: 500 })
    await clock.pass(499)
    expect(signal!.aborted).toBe(false)
    await clock.pass(1)
    await stopped
    expect(signal!.aborted).toBe(true)
    expect(running.settled).toBe('requeued')
    expect(listener.stats()).toMatchObject({ aborted: 1, released: 1, handled: 0 })
    end.resolve()
    await settled()
    expect(listener.stats().handled).toBe(0)
  })

  it('can be followed by another start', async () => {
    const info = vi.fn<Handler>()
    const { driver, listener } = await listening([{ info }])
    await listener.stop()
    await listener.start()
    expect(listener.state).toBe('running')
    driver.deliver(aMessage())
    await settled()
    expect(info).toHaveBeenCalledOnce()
    expect(listener.stats()).toMatchObject({ received: 1 })
    await listener.close()
  })

  it('is done by the disposal', async () => {
    const { driver, transport } = scriptedTransport()
    {
      await using listener = createNotificationListener(transport, {
        topics: ['t'],
        endpoints: [{ info() {} }],
      })
      await listener.start()
    }
    expect(driver.subscription).toEqual(['stop', 'close'])
  })

  it('is seen by those who wait, with the error that ended it', async () => {
    const { driver, listener } = await listening([{ info() {} }])
    const waited = listener.wait()
    driver.end(new UnsupportedFeatureError('over'))
    await expect(waited).rejects.toThrow('over')
    expect(listener.state).toBe('stopped')
    expect(await listener.closed).toMatchObject({ error: { message: 'over' } })
  })
})

describe('starting', () => {
  const starting = (): {
    readonly transport: Transport
    readonly listener: NotificationListener
  } & ReturnType<typeof scriptedTransport> => {
    const scripted = scriptedTransport()
    scripted.driver.subscribing = new Promise(() => {})
    return {
      ...scripted,
      listener: createNotificationListener(scripted.transport, { topics: ['t'], endpoints: [{ info() {} }] }),
    }
  }

  it('is given up in time, or with the signal', async () => {
    const { listener, clock } = starting()
    const aborting = new AbortController()
    const aborted = listener.start({ signal: aborting.signal })
    const reason = new Error('enough')
    aborting.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    expect(listener.state).toBe('stopped')
    const late = listener.start({ timeoutMs: 100 })
    late.catch(() => {})
    await clock.pass(100)
    await expect(late).rejects.toThrow(MessagingTimeoutError)
  })

  it('fails with the reason of the driver, and may be tried again', async () => {
    const { driver, listener } = starting()
    driver.subscribing = Promise.reject(new UnsupportedFeatureError('no such vhost'))
    await expect(listener.start()).rejects.toThrow('no such vhost')
    driver.subscribing = Promise.resolve()
    await listener.start()
    expect(listener.state).toBe('running')
  })
})

it('publishes each handling, with what failed', async () => {
  const seen: string[] = []
  const { start, end, error } = MESSAGING_DIAGNOSTICS.dispatch
  const note =
    (moment: string) =>
    (work: unknown): void => {
      const { kind, topic, eventType, priority, error: failure } = work as DispatchDiagnostics
      seen.push([moment, kind, topic, eventType, priority, String(failure)].join(' '))
    }
  const listeners = [
    [start, note('start')],
    [end, note('end')],
    [error, note('error')],
  ] as const
  for (const [channel, listener] of listeners) subscribe(channel.name, listener)
  const { driver } = await listening([
    {
      info({ eventType }) {
        if (eventType === 'bad') throw new TypeError('no')
      },
    },
  ])
  driver.deliver(aMessage({ event_type: 'good' }), { topic: 'other' })
  driver.deliver(aMessage({ event_type: 'bad' }))
  await settled()
  for (const [channel, listener] of listeners) unsubscribe(channel.name, listener)
  expect(seen).toEqual([
    'start notify other good INFO undefined',
    'end notify other good INFO undefined',
    'start notify notifications bad INFO undefined',
    'error notify notifications bad INFO TypeError: no',
  ])
})

it('has a method for every priority that there is', async () => {
  const seen: string[] = []
  const endpoint = Object.fromEntries(
    PRIORITIES.map((priority) => [priority, () => void seen.push(priority)]),
  ) as NotificationEndpoint
  const { driver } = await listening([endpoint])
  for (const priority of PRIORITIES) driver.deliver(aMessage({ priority: priority.toUpperCase() }))
  await settled()
  expect(seen).toEqual([...PRIORITIES])
  expect(driver.sources.map(({ priority }) => priority)).toEqual([...PRIORITIES])
})
