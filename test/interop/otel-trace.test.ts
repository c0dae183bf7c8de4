import { rabbit } from '@hermod/driver-rabbit'
import { NoSuchMethodError } from '@hermod/kernel'
import {
  createNotificationListener,
  createNotifier,
  createRpcClient,
  createRpcServer,
  createTransport,
  fake,
  type Transport,
} from '@hermod/messaging'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { SpanKind } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Telemetry } from '../../packages/otel/test/telemetry.ts'
import { startPeer } from '../e2e/start-peer.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'

let telemetry: Telemetry
beforeEach(() => {
  telemetry = new Telemetry()
})
afterEach(() => telemetry[Symbol.asyncDispose]())

const open = (url: string): Transport =>
  createTransport(url, { drivers: [rabbit(), fake()], controlExchange: 'tracing' })

/** The names of the spans from the root on, each the only child of the one before. */
function chain(spans: readonly ReadableSpan[]): readonly string[] {
  const names: string[] = []
  let parent: string | undefined
  for (;;) {
    const [span, ...others] = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
    if (span === undefined) return names
    if (others.length > 0) throw new TypeError(`${span.name} and ${others[0]?.name} have one parent`)
    names.push(`${SpanKind[span.kind]} ${span.name}`)
    parent = span.spanContext().spanId
  }
}

/** A method that notifies while it runs. */
const building = (transport: Transport): { build(args: { name: string }): Promise<string> } => {
  const notifier = createNotifier(transport, { publisherId: 'build.host-1', drivers: ['messagingv2'] })
  return {
    async build({ name }) {
      await notifier.info('server.build.end', { name })
      return `${name} is built`
    },
  }
}

/** A call whose method emits a notification that is handled: each through transports of its own, as processes have them. */
async function traceThrough(url: string): Promise<readonly string[]> {
  await using clientSide = open(url)
  await using serverSide = open(url)
  await using listenerSide = open(url)
  const handled: string[] = []
  const endpoints = [{ info: ({ eventType }: { eventType: string }) => void handled.push(eventType) }]
  await using listener = createNotificationListener(listenerSide, { topics: ['notifications'], endpoints })
  await listener.start()
  const endpoint = building(serverSide)
  await using server = createRpcServer(
    serverSide,
    { topic: 'build', server: 'host-1' },
    { endpoints: [endpoint] },
  )
  await server.start()
  const client = createRpcClient<typeof endpoint>(clientSide, { topic: 'build' })

  const result = await telemetry.inSpan('program', () => client.call('build', { name: 'web-1' }))
  expect(result).toBe('web-1 is built')
  await eventually(() => telemetry.spans.length === 5)
  expect(handled).toEqual(['server.build.end'])
  expect(new Set(telemetry.spans.map((span) => span.spanContext().traceId)).size).toBe(1)
  return chain(telemetry.spans)
}

const ONE_TRACE = [
  'INTERNAL program',
  'CLIENT build/build',
  'SERVER build/build',
  'PRODUCER notify notifications.info',
  'CONSUMER process notifications.info',
]

describe('tracing on the fake driver', () => {
  it('is one trace from the caller to who handles the notification', async () => {
    expect(await traceThrough('fake://one-trace')).toEqual(ONE_TRACE)
  })

  it('does not count methods under the names that peers make up', async () => {
    await using transport = open('fake://made-up')
    await using server = createRpcServer(
      transport,
      { topic: 'build', server: 'host-1' },
      { endpoints: [building(transport)] },
    )
    await server.start()
    const client = createRpcClient(transport, { topic: 'build' })
    await expect(client.call('made_up', {})).rejects.toThrow(NoSuchMethodError)
    await eventually(() => telemetry.spans.length === 2)
    const [called, served] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) =>
      telemetry.spans.find((span) => span.kind === kind),
    )
    expect(called?.name).toBe('build/made_up')
    expect(called?.attributes['error.type']).toBe('E_NO_METHOD')
    expect(served?.name).toBe('_OTHER')
    expect(served?.attributes).toMatchObject({
      'error.type': 'E_NO_METHOD',
      'rpc.method_original': 'made_up',
    })
    expect(await telemetry.points('rpc.server.call.duration')).toMatchObject([
      { attributes: { 'rpc.method': '_OTHER', 'error.type': 'E_NO_METHOD' }, count: 1 },
    ])
  })
})

const gate = needs(findBroker('administer'))

describe.skipIf(gate.skip)(`tracing on RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let url: string
  beforeAll(async () => {
    broker = await startBroker()
    url = broker.url.replace('amqp:', 'rabbit:')
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('is one trace from the caller to who handles the notification', async () => {
    expect(await traceThrough(url)).toEqual(ONE_TRACE)
  })

  it('counts the connections of the transports', async () => {
    await using transport = open(url)
    await transport.connect()
    expect(await telemetry.points('hermod.transport.connects')).toMatchObject([
      { attributes: { 'messaging.system': 'rabbitmq' }, count: 1 },
    ])
  })

  for (const { release, python, availability } of OSLO_PYTHONS) {
    const peers = needs(availability)
    describe.skipIf(peers.skip)(`beside oslo.messaging ${release}${peers.note}`, () => {
      it('does not disturb a server of Python', async () => {
        const served = { url: broker.url, exchange: 'tracing', topic: `calc-${release}`, server: 'node1' }
        await using server = startPeer('oslo_rpc_server', served, python)
        await server.next()
        await using transport = open(url)
        const client = createRpcClient(transport, { topic: served.topic })
        expect(await client.call('add', { increment: 5 })).toBe(5)
        expect(telemetry.spans.map(({ name }) => name)).toEqual([`${served.topic}/add`])
        // Nothing of the trace is among what the method was given.
        expect(await server.ask({ state: true })).toMatchObject({
          calls: [{ method: 'add', args: { increment: 5 }, context: {} }],
        })
      })

      it('does not disturb a listener of Python', async () => {
        const topic = `traced-${release}`
        const listening = { url: broker.url, targets: [{ exchange: 'tracing', topic }] }
        await using listener = startPeer('oslo_listen', listening, python)
        await listener.next()
        await using transport = open(url)
        const notifier = createNotifier(transport, { publisherId: 'build.host-1', topics: [topic] })
        await notifier.warn('server.build.slow', { name: 'web-1' })
        expect(await listener.next()).toMatchObject({ priority: 'warn', event_type: 'server.build.slow' })
        expect(telemetry.spans.map(({ name }) => name)).toEqual([`notify ${topic}.warn`])
      })

      it('begins a trace for a client of Python', async () => {
        const topic = `build-${release}`
        await using transport = open(url)
        const endpoint = { build: ({ name }: { name: string }) => `${name} is built` }
        await using server = createRpcServer(
          transport,
          { topic, server: 'host-1' },
          { endpoints: [endpoint] },
        )
        await server.start()
        await using client = startPeer('oslo_rpc_client', { url: broker.url, exchange: 'tracing' }, python)
        const answer = await client.ask({ topic, method: 'build', args: { name: 'web-1' } })
        expect(answer).toEqual({ result: 'web-1 is built' })
        await eventually(() => telemetry.spans.length === 1)
        expect(telemetry.spans[0]).toMatchObject({ name: `${topic}/build`, kind: SpanKind.SERVER })
        expect(telemetry.spans[0]?.parentSpanContext).toBeUndefined()
      })
    })
  }
})
