import { channel } from 'node:diagnostics_channel'
import {
  ConnectionLostError,
  HermodError,
  MessagingTimeoutError,
  NoSuchMethodError,
  RemoteError,
} from '@hermod/kernel'
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { instrumentHermod } from '../src/index.ts'
import { dispatchOf, publishDispatch, publishSend, sendOf } from './published-work.ts'
import { Telemetry } from './telemetry.ts'

const CHANNELS = ['send.start', 'send.end', 'send.error', 'dispatch.start', 'dispatch.end', 'dispatch.error']

let telemetry: Telemetry
beforeEach(() => {
  telemetry = new Telemetry()
})
afterEach(() => telemetry[Symbol.asyncDispose]())

describe('the span of what is sent', () => {
  it.each([
    ['call', SpanKind.CLIENT],
    ['cast', SpanKind.PRODUCER],
  ] as const)('of a %s has the method for its name', async (kind, spanKind) => {
    await publishSend(sendOf({ kind, server: 'host-1', fanout: kind === 'cast' }), async () => 3)
    const [span] = telemetry.spans
    expect(span).toMatchObject({
      name: 'compute/build',
      kind: spanKind,
      status: { code: SpanStatusCode.UNSET },
    })
    expect(span?.attributes).toEqual({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': kind,
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'compute',
      'rpc.method': 'compute/build',
      'rpc.system.name': 'oslo_messaging',
      'hermod.exchange': 'openstack',
      'hermod.server': 'host-1',
      ...(kind === 'cast' && { 'hermod.fanout': true }),
    })
    expect(span?.instrumentationScope).toMatchObject({
      name: '@hermod/otel',
      schemaUrl: 'https://opentelemetry.io/schemas/1.44.0',
    })
  })

  it('of a notification has its destination for its name', async () => {
    const parts = { topic: 'notifications', method: undefined, eventType: 'image.create', priority: 'info' }
    await publishSend(sendOf({ ...parts, kind: 'notify', driver: 'fake' }), async () => {})
    const [span] = telemetry.spans
    expect(span).toMatchObject({ name: 'notify notifications.info', kind: SpanKind.PRODUCER })
    expect(span?.attributes).toEqual({
      'messaging.system': 'fake',
      'messaging.operation.name': 'notify',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'notifications.info',
      'hermod.event_type': 'image.create',
      'hermod.exchange': 'openstack',
    })
  })

  it('is a child of the active one, and its context is in the headers', async () => {
    const send = sendOf()
    await telemetry.inSpan('program', () => publishSend(send, async () => {}))
    const [span, program] = telemetry.spans
    expect(span?.parentSpanContext?.spanId).toBe(program?.spanContext().spanId)
    const { traceId, spanId } = span?.spanContext() ?? {}
    expect(send.headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` })
  })

  it('ends with its end: work that goes on has none', async () => {
    let settle = (): void => {}
    const going = new Promise<void>((resolve) => {
      settle = resolve
    })
    const sent = publishSend(sendOf(), () => going)
    expect(telemetry.spans).toEqual([])
    settle()
    await sent
    expect(telemetry.spans).toHaveLength(1)
  })

  it('names the code of a failure, and none of its text', async () => {
    const failure = {
      class: 'InstanceNotFound',
      module: 'nova.exception',
      message: 'password=hunter2',
      tb: ['hunter2\n'],
      args: [],
      kwargs: {},
    }
    await expect(publishSend(sendOf(), async () => Promise.reject(new RemoteError(failure)))).rejects.toThrow(
      'hunter2',
    )
    const [span] = telemetry.spans
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(span?.attributes).toMatchObject({
      'error.type': 'E_REMOTE',
      'hermod.remote_class': 'InstanceNotFound',
    })
    expect(span?.events).toEqual([])
    expect(JSON.stringify([span?.name, span?.attributes, span?.status])).not.toContain('hunter2')
  })
})

describe('the span of what is dispatched', () => {
  it('is a child of the sender in another process', async () => {
    const send = sendOf()
    await publishSend(send, async () => {})
    await publishDispatch(dispatchOf({ headers: { ...send.headers } }), async () => {})
    const [client, server] = telemetry.spans
    expect(server).toMatchObject({
      name: 'compute/build',
      kind: SpanKind.SERVER,
      parentSpanContext: {
        traceId: client?.spanContext().traceId,
        spanId: client?.spanContext().spanId,
        isRemote: true,
      },
    })
    expect(server?.attributes).toEqual({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'compute',
      'rpc.method': 'compute/build',
      'rpc.system.name': 'oslo_messaging',
    })
  })

  it('is the root where the sender says nothing, or nonsense, whatever is active there', async () => {
    await telemetry.inSpan('the connection was opened in this', async () => {
      await publishDispatch(dispatchOf(), async () => {})
      await publishDispatch(dispatchOf({ headers: { traceparent: '00-xyz' } }), async () => {})
    })
    const [silent, nonsense, other] = telemetry.spans
    expect(silent?.parentSpanContext).toBeUndefined()
    expect(nonsense?.parentSpanContext).toBeUndefined()
    expect(new Set([silent, nonsense, other].map((span) => span?.spanContext().traceId)).size).toBe(3)
  })

  it('is active while the method runs, so that what it sends is a child', async () => {
    const work = dispatchOf({ kind: 'cast' })
    await publishDispatch(work, async () => {
      await Promise.resolve()
      await publishSend(sendOf({ kind: 'notify', topic: 'notifications', priority: 'info' }), async () => {})
    })
    expect(trace.getSpan(context.active())).toBeUndefined()
    const [notification, dispatch] = telemetry.spans
    expect(dispatch?.kind).toBe(SpanKind.CONSUMER)
    expect(notification?.parentSpanContext?.spanId).toBe(dispatch?.spanContext().spanId)
  })

  it('keeps to what another subscriber runs the method in', async () => {
    const order: string[] = []
    const work = dispatchOf()
    work.within = (inner) => {
      order.push('outer')
      return inner()
    }
    const active = await publishDispatch(work, async () => {
      order.push('work')
      return trace.getSpan(context.active())?.spanContext().spanId
    })
    expect(order).toEqual(['outer', 'work'])
    expect(active).toBe(telemetry.spans[0]?.spanContext().spanId)
  })

  it('names the class of what a method throws, and not its text', async () => {
    const failing = async (): Promise<never> => Promise.reject(new RangeError('the token is hunter2'))
    await expect(publishDispatch(dispatchOf(), failing)).rejects.toThrow(RangeError)
    const [span] = telemetry.spans
    expect(span?.attributes['error.type']).toBe('RangeError')
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
  })

  it('does not know the priorities that a peer makes up', async () => {
    const parts = { kind: 'notify', topic: 'notifications', method: undefined, eventType: 'a.b' } as const
    await publishDispatch(dispatchOf({ ...parts, priority: 'ERROR' }), async () => {})
    await publishDispatch(dispatchOf({ ...parts, priority: 'x'.repeat(100) }), async () => {})
    expect(telemetry.spans.map(({ name }) => name)).toEqual([
      'process notifications.error',
      'process notifications',
    ])
  })
})

describe('the metrics', () => {
  it('count what is sent, and how long it took', async () => {
    await publishSend(sendOf(), async () => {})
    await publishSend(sendOf(), async () => {})
    const attributes = {
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': 'call',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'compute',
      'rpc.method': 'compute/build',
    }
    const [operation] = await telemetry.points('messaging.client.operation.duration')
    expect(operation).toMatchObject({ attributes, count: 2 })
    expect(operation?.sum).toBeLessThan(1)
    expect(await telemetry.points('messaging.client.sent.messages')).toEqual([
      { attributes, count: 2, sum: undefined },
    ])
    expect(await telemetry.points('rpc.client.call.duration')).toMatchObject([
      { attributes: { 'rpc.system.name': 'oslo_messaging', 'rpc.method': 'compute/build' }, count: 2 },
    ])
  })

  it('count a call that failed as sent, and a cast that failed as a failure', async () => {
    const failing = async (): Promise<never> => Promise.reject(new MessagingTimeoutError('a call', 1000))
    await expect(publishSend(sendOf(), failing)).rejects.toThrow('within 1000 ms')
    await expect(publishSend(sendOf({ kind: 'cast' }), failing)).rejects.toThrow('within 1000 ms')
    const sent = await telemetry.points('messaging.client.sent.messages')
    expect(
      sent.map(({ attributes: { 'messaging.operation.name': name, 'error.type': type } }) => [name, type]),
    ).toEqual([
      ['call', undefined],
      ['cast', 'E_TIMEOUT'],
    ])
    const calls = await telemetry.points('rpc.client.call.duration')
    expect(calls.map(({ attributes }) => attributes)).toEqual([
      { 'rpc.system.name': 'oslo_messaging', 'rpc.method': 'compute/build', 'error.type': 'E_TIMEOUT' },
    ])
  })

  it('count what is dispatched, and how long it took', async () => {
    await publishDispatch(dispatchOf(), async () => {})
    await publishDispatch(
      dispatchOf({ kind: 'notify', method: undefined, eventType: 'image.create', priority: 'INFO' }),
      async () => {},
    )
    const processed = await telemetry.points('messaging.process.duration')
    expect(processed).toMatchObject([
      { attributes: { 'rpc.method': 'compute/build' }, count: 1 },
      {
        attributes: { 'hermod.event_type': 'image.create', 'messaging.destination.name': 'compute.info' },
        count: 1,
      },
    ])
    const consumed = await telemetry.points('messaging.client.consumed.messages')
    expect(consumed.map(({ count }) => count)).toEqual([1, 1])
    expect(await telemetry.points('rpc.server.call.duration')).toMatchObject([
      { attributes: { 'rpc.system.name': 'oslo_messaging', 'rpc.method': 'compute/build' }, count: 1 },
    ])
  })

  it('know transports that connect, break, are blocked and refuse messages', async () => {
    const transport = channel('hermod.messaging.transport')
    for (const type of ['connected', 'disconnected', 'connected', 'blocked', 'unblocked', 'refused'])
      transport.publish({ driver: 'kombu', event: { type, reason: 'the reason', source: 'a queue' } })
    const attributes = { 'messaging.system': 'rabbitmq' }
    const counts = async (name: string): Promise<unknown> => telemetry.points(`hermod.transport.${name}`)
    expect(await counts('connects')).toEqual([{ attributes, count: 2, sum: undefined }])
    expect(await counts('disconnects')).toEqual([{ attributes, count: 1, sum: undefined }])
    expect(await counts('blocks')).toEqual([{ attributes, count: 1, sum: undefined }])
    expect(await counts('refused.messages')).toEqual([{ attributes, count: 1, sum: undefined }])
  })

  it('know AMQP connections that break and come back', async () => {
    const error = new ConnectionLostError('the socket broke')
    const connection = channel('hermod.amqp.connection')
    for (const status of [
      { type: 'state', state: 'open', previous: 'connecting' },
      { type: 'lost', error },
      { type: 'retry', error },
      { type: 'retry', error },
      { type: 'restored', awayMs: 1500 },
      { type: 'channel-error', error },
      { type: 'publish-failed', error },
    ])
      connection.publish({ connection: 'hermod', status })
    const attributes = { 'error.type': 'E_CONN_LOST' }
    const points = async (name: string): Promise<unknown> => telemetry.points(`hermod.amqp.${name}`)
    expect(await points('disconnects')).toEqual([{ attributes, count: 1, sum: undefined }])
    expect(await points('connect.failures')).toEqual([{ attributes, count: 2, sum: undefined }])
    expect(await points('channel.errors')).toEqual([{ attributes, count: 1, sum: undefined }])
    expect(await points('publish.failures')).toEqual([{ attributes, count: 1, sum: undefined }])
    expect(await points('reconnects')).toEqual([{ attributes: {}, count: 1, sum: undefined }])
    expect(await points('away.duration')).toEqual([{ attributes: {}, count: 1, sum: 1.5 }])
  })
})

describe('a method that the server does not have', () => {
  const module = 'oslo_messaging.rpc.dispatcher'

  it.each([
    ['NoSuchMethod', 'E_NO_METHOD'],
    ['UnsupportedVersion', 'E_RPC_VERSION'],
  ] as const)('is not counted under the name that the peer made up: %s', async (name, code) => {
    const refusal = new HermodError(code, name, { details: { class: name, module } })
    const failing = async (): Promise<never> => Promise.reject(refusal)
    for (const method of ['made_up_1', 'made_up_2'])
      await expect(publishDispatch(dispatchOf({ method }), failing)).rejects.toThrow(name)
    const calls = await telemetry.points('rpc.server.call.duration')
    expect(calls).toMatchObject([{ attributes: { 'rpc.method': '_OTHER', 'error.type': code }, count: 2 }])
    expect(await telemetry.points('messaging.process.duration')).toHaveLength(1)
    const [span] = telemetry.spans
    expect(span?.name).toBe('_OTHER')
    expect(span?.attributes).toMatchObject({
      'rpc.method': '_OTHER',
      'rpc.method_original': 'made_up_1',
      'hermod.remote_class': name,
    })
  })

  it('is not taken for one that a method did not find itself at another server', async () => {
    const failure = { class: 'NoSuchMethod', module, message: '', tb: [], args: [], kwargs: {} }
    const failing = async (): Promise<never> => Promise.reject(new NoSuchMethodError(failure))
    await expect(publishDispatch(dispatchOf({ method: 'real' }), failing)).rejects.toThrow(NoSuchMethodError)
    const [span] = telemetry.spans
    expect(span?.attributes).toMatchObject({ 'error.type': 'E_NO_METHOD' })
    expect(span?.attributes['rpc.method']).toMatch(/\/real$/)
  })
})

describe('stopping', () => {
  it('leaves nobody on the channels, and what is under way without a span', async () => {
    const names = [...CHANNELS.map((name) => `messaging.${name}`), 'messaging.transport', 'amqp.connection']
    const observed = (): readonly string[] => names.filter((name) => channel(`hermod.${name}`).hasSubscribers)
    expect(observed()).toEqual(names)
    await publishSend(sendOf(), async () => telemetry.instrumentation.stop())
    expect(observed()).toEqual([])
    expect(telemetry.spans).toEqual([])
  })

  it('ends with the scope that began it', () => {
    telemetry.instrumentation.stop()
    {
      using _instrumentation = instrumentHermod()
      expect(channel('hermod.messaging.send.start').hasSubscribers).toBe(true)
    }
    expect(channel('hermod.messaging.send.start').hasSubscribers).toBe(false)
  })

  it('takes no notice of work that began before it looked', async () => {
    const send = sendOf()
    channel('hermod.messaging.send.end').publish(send)
    channel('hermod.messaging.dispatch.error').publish(dispatchOf())
    expect(telemetry.spans).toEqual([])
    expect(await telemetry.points('messaging.client.sent.messages')).toEqual([])
  })
})

describe('without options', () => {
  it('uses what an SDK has registered', async () => {
    telemetry.instrumentation.stop()
    trace.setGlobalTracerProvider(telemetry.tracerProvider)
    metrics.setGlobalMeterProvider(telemetry.meterProvider)
    propagation.setGlobalPropagator(telemetry.propagator)
    using _instrumentation = instrumentHermod()
    const send = sendOf()
    await publishSend(send, async () => {})
    await publishDispatch(dispatchOf({ headers: { ...send.headers } }), async () => {})
    for (const api of [trace, metrics, propagation]) api.disable()
    const [client, server] = telemetry.spans
    expect(server?.parentSpanContext?.spanId).toBe(client?.spanContext().spanId)
    expect(client?.instrumentationScope.schemaUrl).toBe('https://opentelemetry.io/schemas/1.44.0')
    expect(await telemetry.points('messaging.client.sent.messages')).toHaveLength(1)
  })
})

describe('without an SDK', () => {
  it('changes nothing', async () => {
    telemetry.instrumentation.stop()
    using _instrumentation = instrumentHermod()
    const send = sendOf()
    expect(await publishSend(send, async () => 3)).toBe(3)
    expect(await publishDispatch(dispatchOf(), async () => 4)).toBe(4)
    expect(send.headers).toEqual({})
  })
})
