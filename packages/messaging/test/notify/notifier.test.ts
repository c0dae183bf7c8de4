import {
  ConfigurationError,
  ConnectionError,
  EncodeError,
  MessageDeliveryError,
  type Logger,
} from '@hermod/kernel'
import { settled } from '@hermod/testkit'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, vi } from 'vitest'
import {
  createNotifier,
  logRecordNotification,
  MESSAGING_DIAGNOSTICS,
  parseConf,
  PRIORITIES,
  RequestContext,
  requestContextSerializer,
  TestNotificationDriver,
  type NotificationDriver,
  type SendDiagnostics,
} from '../../src/index.ts'
import { scriptedTransport } from './scripted-driver.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const NOW = '2026-11-22 09:00:00.000000'

const unreachable = (): Promise<void> => Promise.reject(new ConnectionError('dns', 'nobody listens'))

describe('Notifier', () => {
  const drivers = [[], ['messaging'], ['messagingv2'], ['messaging', 'messagingv2']]
  const publishers = [
    { made: 'test', prepared: undefined, expected: 'test' },
    { made: undefined, prepared: 'test.localhost', expected: 'test.localhost' },
    { made: 'test', prepared: 'test.localhost', expected: 'test.localhost' },
  ]
  const topics = [[], ['notifications'], ['foo', 'bar']]
  const retries = [undefined, 0, 5, Infinity]

  it('sends what Python sends, for every driver, publisher, topic, priority and number of retries', async () => {
    for (const names of drivers)
      for (const publisher of publishers)
        for (const sendTo of topics)
          for (const priority of PRIORITIES)
            for (const retry of retries) {
              const { driver, transport } = scriptedTransport()
              const notifier = createNotifier(transport, {
                publisherId: publisher.made,
                drivers: names,
                topics: sendTo,
              }).prepare({ publisherId: publisher.prepared, retries: retry })
              await notifier[priority]('test.notify', { foo: 'bar' }, { context: { user_name: 'bob' } })
              expect(driver.sent.map(({ destination, options }) => ({ ...destination, ...options }))).toEqual(
                names.flatMap((name) =>
                  sendTo.map((topic) => ({
                    exchange: 'openstack',
                    topic,
                    priority,
                    signal: undefined,
                    timeoutMs: undefined,
                    retries: retry === Infinity ? undefined : retry,
                    envelope: name === 'messaging' ? '1.0' : '2.0',
                  })),
                ),
              )
              for (const { notification } of driver.sent) {
                const { message_id: id, ...rest } = notification.message
                expect(id).toMatch(UUID)
                expect(id).toBe(driver.sent[0]!.notification.message['message_id'])
                expect(rest).toEqual({
                  publisher_id: publisher.expected,
                  event_type: 'test.notify',
                  priority: priority.toUpperCase(),
                  payload: { foo: 'bar' },
                  timestamp: NOW,
                })
                expect(notification.context).toEqual({ user_name: 'bob' })
              }
            }
  })

  it("writes the members in Python's order, nothing as null, and a new id each time", async () => {
    const { driver, transport, clock } = scriptedTransport()
    const notifier = createNotifier(transport)
    clock.advance(1234)
    await notifier.warning('x', undefined)
    await notifier.warn('x', 0)
    const [first, second] = driver.sent.map(({ notification }) => notification.message)
    expect(Object.keys(first!)).toEqual([
      'message_id',
      'publisher_id',
      'event_type',
      'priority',
      'payload',
      'timestamp',
    ])
    expect(first).toMatchObject({
      publisher_id: null,
      priority: 'WARN',
      payload: null,
      timestamp: '2026-11-22 09:00:01.234000',
    })
    expect(second!['message_id']).not.toBe(first!['message_id'])
  })

  it('lets no token of a context go', async () => {
    const { driver, transport } = scriptedTransport()
    const notifier = createNotifier(transport)
    await notifier.info(
      'x',
      {},
      { context: { auth_token: 'a-secret', user: 'u', service_catalog: ['a-secret'] } },
    )
    const context = new RequestContext({ authToken: 'a-secret', userId: 'u', extra: { token: 'a-secret' } })
    await notifier.info('x', {}, { context })
    await createNotifier(transport, { serializer: requestContextSerializer }).info('x', {}, { context })
    await notifier.info('x', {}, { context: null })
    const contexts = driver.sent.map(({ notification }) => notification.context)
    expect(JSON.stringify(contexts)).not.toContain('a-secret')
    expect(contexts.map((each) => each['user'])).toEqual(['u', 'u', 'u', undefined])
    expect(contexts[3]).toEqual({})
  })

  it('takes drivers, topics and retries from the conf file, and options before it', async () => {
    const conf = parseConf(
      '[oslo_messaging_notifications]\ndriver = messaging\ndriver = messagingv2\ntopics = a, b\nretry = 3\n',
      'nova.conf',
    )
    const { driver, transport } = scriptedTransport({ conf })
    await createNotifier(transport).info('x', 1)
    expect(driver.sent.map(({ destination, options }) => [options.envelope, destination.topic])).toEqual([
      ['1.0', 'a'],
      ['1.0', 'b'],
      ['2.0', 'a'],
      ['2.0', 'b'],
    ])
    expect(driver.sent.every(({ options }) => options.retries === 3)).toBe(true)
    driver.sent.length = 0
    await createNotifier(transport, { drivers: ['messagingv2'], topics: ['c'], retries: 5 }).info('x', 1)
    expect(driver.sent).toMatchObject([{ destination: { topic: 'c' }, options: { retries: 5 } }])
  })

  it('emits nothing, and says so, when the conf file names no driver', async () => {
    const warn = vi.fn<Logger['warn']>()
    const logger: Logger = { debug() {}, info() {}, warn, error() {} }
    const { driver, transport } = scriptedTransport({ conf: parseConf('', 'nova.conf'), logger })
    const notifier = createNotifier(transport)
    await notifier.info('x', 1)
    expect(driver.sent).toEqual([])
    expect(notifier.isEnabled).toBe(false)
    expect(warn).toHaveBeenCalledWith({}, 'the notifier has no drivers, so it emits nothing')
  })

  it('knows whether it is enabled', () => {
    const { transport } = scriptedTransport()
    expect(createNotifier(transport).isEnabled).toBe(true)
    expect(createNotifier(transport, { drivers: ['noop'] }).isEnabled).toBe(false)
    expect(createNotifier(transport, { drivers: ['noop', 'log'] }).isEnabled).toBe(true)
  })

  it('uses the serializer for the payload with the context as given, and for the context as redacted', async () => {
    const { transport } = scriptedTransport()
    const test = new TestNotificationDriver()
    const serializeEntity = vi.fn<(context: object, entity: unknown) => unknown>(() => 'sbar')
    const serializeContext = vi.fn<(context: object) => Record<string, unknown>>(() => ({
      user_name: 'alice',
    }))
    const notifier = createNotifier(transport, {
      publisherId: 'test.localhost',
      drivers: [test],
      serializer: {
        serializeEntity,
        serializeContext,
        deserializeEntity: (_, entity) => entity,
        deserializeContext: (context) => context,
      },
    })
    await notifier.info('test.notify', 'bar', { context: { user_name: 'bob', auth_token: 't' } })
    expect(serializeEntity).toHaveBeenCalledExactlyOnceWith({ user_name: 'bob', auth_token: 't' }, 'bar')
    expect(serializeContext).toHaveBeenCalledExactlyOnceWith({ user_name: 'bob' })
    expect(test.emissions).toMatchObject([
      { context: { user_name: 'alice' }, message: { payload: 'sbar' }, priority: 'info', retries: undefined },
    ])
    test.reset()
    expect(test.emissions).toEqual([])
  })

  it('rejects with the failure of its only place, counts and reports it', async () => {
    const warn = vi.fn<Logger['warn']>()
    const { driver, transport } = scriptedTransport({ logger: { debug() {}, info() {}, warn, error() {} } })
    driver.sending.set('notifications', unreachable)
    const notifier = createNotifier(transport)
    const failed = vi.fn<(event: object) => void>()
    notifier.on('notify-failed', failed)
    await expect(notifier.prepare({}).error('x', 1)).rejects.toThrow('nobody listens')
    driver.sending.clear()
    await notifier.error('x', 1)
    expect(notifier.stats()).toEqual({ sent: 1, failed: 1 })
    expect(failed).toHaveBeenCalledExactlyOnceWith({
      eventType: 'x',
      priority: 'error',
      error: expect.any(ConnectionError) as unknown,
    })
    expect(warn).toHaveBeenCalledOnce()
    notifier.off('notify-failed', failed)
    driver.sending.set('notifications', unreachable)
    await expect(notifier.error('x', 1)).rejects.toThrow('nobody listens')
    expect(failed).toHaveBeenCalledOnce()
  })

  it('does not end the process when nobody awaits the failure', async () => {
    const { driver, transport } = scriptedTransport()
    driver.sending.set('notifications', unreachable)
    const unhandled = vi.fn<(reason: unknown) => void>()
    process.on('unhandledRejection', unhandled)
    const notifier = createNotifier(transport)
    void notifier.info('x', 1)
    await settled()
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(notifier.stats()).toEqual({ sent: 0, failed: 1 })
  })

  it('tries every topic and every driver, and names those that failed', async () => {
    const { driver, transport } = scriptedTransport()
    driver.sending.set('bar', unreachable)
    const test = new TestNotificationDriver()
    const broken: NotificationDriver = {
      name: 'broken',
      notify: () => {
        throw new TypeError('no such thing')
      },
    }
    const notifier = createNotifier(transport, {
      drivers: [broken, 'messagingv2', test],
      topics: ['foo', 'bar', 'baz'],
    })
    const failure = await notifier.info('x', 1).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(MessageDeliveryError)
    expect((failure as MessageDeliveryError).message).toBe(
      "the notification reached 1 of 3 places (driver 'broken': no such thing; driver 'messagingv2': the notification reached 2 of 3 places (topic 'bar': nobody listens))",
    )
    expect((failure as MessageDeliveryError).retryable).toBe(false)
    expect(driver.sent.map(({ destination }) => destination.topic)).toEqual(['foo', 'bar', 'baz'])
    expect(test.emissions).toHaveLength(1)
  })

  it('rejects with the reason of the signal, also when other places have it', async () => {
    const { driver, transport } = scriptedTransport()
    const aborting = new AbortController()
    const reason = new Error('enough')
    driver.sending.set('bar', async () => {
      aborting.abort(reason)
      throw reason
    })
    const notifier = createNotifier(transport, { topics: ['foo', 'bar'] })
    await expect(notifier.info('x', 1, { signal: aborting.signal })).rejects.toBe(reason)
    await expect(notifier.info('x', 1, { signal: aborting.signal })).rejects.toBe(reason)
    expect(driver.sent).toHaveLength(2)
  })

  it('wraps what a driver or a serializer throws', async () => {
    const { transport } = scriptedTransport()
    const driver: NotificationDriver = { name: 'broken', notify: () => Promise.reject(new TypeError('oops')) }
    await expect(createNotifier(transport, { drivers: [driver] }).info('x', 1)).rejects.toThrow(
      MessageDeliveryError,
    )
    const serializer = {
      ...requestContextSerializer,
      serializeEntity: () => {
        throw new TypeError('oops')
      },
    }
    await expect(createNotifier(transport, { serializer }).info('x', 1)).rejects.toThrow(EncodeError)
  })

  it('refuses drivers that nobody knows, all at once, and retries that are no number of them', () => {
    const { transport } = scriptedTransport()
    expect(() => createNotifier(transport, { drivers: ['rpc', 'test', 'routing', 'toString'] })).toThrow(
      "there is no notification driver 'rpc' (there are messaging, messagingv2, log, noop, routing); pass its factory in 'driverFactories'; " +
        "the notification driver 'test' is an object; pass a TestNotificationDriver in 'drivers'; " +
        "the notification driver 'routing' needs rules; pass what its file holds as 'routing'; " +
        "there is no notification driver 'toString'",
    )
    expect(() => createNotifier(transport, { retries: -1 })).toThrow(ConfigurationError)
    expect(() => createNotifier(transport).prepare({ retries: 1.5 })).toThrow(ConfigurationError)
  })

  it('refuses a transport without notifications', () => {
    const { transport } = scriptedTransport({}, { notifications: false })
    expect(() => createNotifier(transport)).toThrow("the driver 'scripted' cannot do this: notifications")
    expect(createNotifier(transport, { drivers: ['log'] }).isEnabled).toBe(true)
  })

  it('publishes each sending, with the headers that a subscriber adds', async () => {
    const { driver, transport } = scriptedTransport()
    const seen: string[] = []
    const onStart = (work: unknown): void => {
      const { topic, headers } = work as SendDiagnostics
      seen.push(`start ${topic}`)
      headers['traceparent'] = topic
    }
    const onEnd = (work: unknown): void => void seen.push(`end ${(work as SendDiagnostics).topic}`)
    const onError = (work: unknown): void =>
      void seen.push(`error ${(work as SendDiagnostics).topic} ${String((work as SendDiagnostics).error)}`)
    const { start, end, error } = MESSAGING_DIAGNOSTICS.send
    subscribe(start.name, onStart)
    subscribe(end.name, onEnd)
    subscribe(error.name, onError)
    driver.sending.set('bar', unreachable)
    await createNotifier(transport, { topics: ['foo', 'bar'] })
      .info('x', 1)
      .catch(() => {})
    unsubscribe(start.name, onStart)
    unsubscribe(end.name, onEnd)
    unsubscribe(error.name, onError)
    expect(seen).toEqual(['start foo', 'start bar', 'end foo', 'error bar ConnectionError: nobody listens'])
    expect(driver.sent.map(({ notification }) => notification.headers)).toEqual([
      { traceparent: 'foo' },
      { traceparent: 'bar' },
    ])
  })
})

describe('the driver log', () => {
  const lines = (): { readonly logger: Logger; readonly written: [string, unknown, string][] } => {
    const written: [string, unknown, string][] = []
    const at =
      (level: string) =>
      (details: unknown, message: string): void =>
        void written.push([level, details, message])
    return { written, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
  }

  it('writes the whole notification as JSON, under the name that Python gives its logger', async () => {
    const { logger, written } = lines()
    const { transport } = scriptedTransport({ logger })
    await createNotifier(transport, { drivers: ['log'], publisherId: 'test.localhost' }).info(
      'test.notify',
      'bar',
    )
    const [[level, details, text]] = written as [[string, unknown, string]]
    expect([level, details]).toEqual(['info', { logger: 'oslo.messaging.notification.test.notify' }])
    expect(JSON.parse(text)).toEqual({
      message_id: expect.stringMatching(UUID) as unknown,
      publisher_id: 'test.localhost',
      event_type: 'test.notify',
      priority: 'INFO',
      payload: 'bar',
      timestamp: NOW,
    })
  })

  it('has a level for every priority', async () => {
    const { logger, written } = lines()
    const { transport } = scriptedTransport({ logger })
    const notifier = createNotifier(transport, { drivers: ['log'] })
    for (const priority of PRIORITIES) await notifier[priority](priority, null)
    expect(written.map(([level]) => level)).toEqual([
      'info',
      'debug',
      'info',
      'warn',
      'error',
      'error',
      'info',
    ])
  })

  it('masks secrets', async () => {
    const { logger, written } = lines()
    const { transport } = scriptedTransport({ logger })
    const payload = {
      password: 'passw0rd',
      deep: [{ admin_pass: 'passw0rd', url: 'amqp://u:passw0rd@h/' }],
      n: 2n ** 60n,
    }
    await createNotifier(transport, { drivers: ['log'] }).info('foo', payload)
    expect(written[0]![2]).not.toContain('passw0rd')
    expect(written[0]![2]).toContain('1152921504606846976')
  })
})

describe('the driver routing', () => {
  it('passes each notification once to the drivers that its routes choose', async () => {
    const { driver, transport } = scriptedTransport()
    const rpc = new TestNotificationDriver()
    const bar = new TestNotificationDriver()
    const notifier = createNotifier(transport, {
      drivers: ['routing'],
      driverFactories: { rpc: () => rpc, bar: () => bar },
      routing: {
        group_1: {
          rpc: { accepted_events: ['my_event'] },
          messagingv2: { accepted_priorities: ['info'] },
          bar: { accepted_events: ['nothing'] },
        },
        group_2: { rpc: { accepted_priorities: ['info'] } },
      },
    })
    expect(notifier.isEnabled).toBe(true)
    await notifier.info('my_event', {})
    expect([rpc.emissions.length, driver.sent.length, bar.emissions.length]).toEqual([1, 1, 0])
    await notifier.warn('other', {})
    expect([rpc.emissions.length, driver.sent.length, bar.emissions.length]).toEqual([1, 1, 0])
  })

  it('names every driver and rule that it cannot use', () => {
    const { transport } = scriptedTransport()
    expect(() =>
      createNotifier(transport, { drivers: ['routing', 'zoo'], routing: { g: { foo: null, log: null } } }),
    ).toThrow(/no notification driver 'foo'.*no notification driver 'zoo'/)
    expect(() => createNotifier(transport, { drivers: ['routing'], routing: { g: { log: 'x' } } })).toThrow(
      "driver 'log' in group 'g' of the routing is no mapping",
    )
  })
})

describe('logRecordNotification', () => {
  it("has the twelve members of Python's, at the level of the line", async () => {
    const { driver, transport } = scriptedTransport()
    const { priority, eventType, payload } = logRecordNotification({
      level: 'warn',
      message: 'disk is full',
      name: 'my.module',
      line: 7,
      extra: { disk: 'sda' },
    })
    await createNotifier(transport).notify(priority, eventType, payload)
    expect(driver.sent[0]!.notification.message).toMatchObject({ event_type: 'logrecord', priority: 'WARN' })
    expect(payload).toEqual({
      name: 'my.module',
      levelno: 30,
      levelname: 'WARNING',
      exc_info: null,
      pathname: '',
      lineno: 7,
      msg: 'disk is full',
      funcName: '',
      thread: 0,
      processName: process.title,
      process: process.pid,
      extra: { disk: 'sda' },
    })
  })
})
