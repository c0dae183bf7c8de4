import { rabbit } from '@hermod/driver-rabbit'
import type { JsonObject, JsonValue } from '@hermod/kernel'
import {
  createTransport,
  type CallSendOptions,
  type Destination,
  type IncomingRequest,
  type OutgoingRequest,
  type Reply,
  type Transport,
} from '@hermod/messaging'
import { findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'

const EXCHANGE = 'calculating'
const CALL: CallSendOptions = {
  signal: undefined,
  retries: undefined,
  mandatory: false,
  timeoutMs: 30_000,
  monitorTimeoutMs: undefined,
}

/** What the peers may send beside text: all of it must come back as it went. */
const VALUES: readonly JsonValue[] = [
  null,
  false,
  0,
  -1.5,
  '',
  'café \u{1f600} "quoted" \\ \n\u0000',
  [],
  {},
  [1, [2, { three: [3] }], null],
  2n ** 70n,
  { nested: { deep: [true] } },
]

let broker: BrokerFixture
const gate = needs(findBroker('administer'))

describe.skipIf(gate.skip)(`the rabbit driver and RabbitMQ${gate.note}`, () => {
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  for (const { release, python, availability } of OSLO_PYTHONS) {
    const peers = needs(availability)
    describe.skipIf(peers.skip)(`beside oslo.messaging ${release}${peers.note}`, () => {
      it('calls a server of Python', async () => {
        const served = { url: broker.url, exchange: EXCHANGE, topic: `calc-${release}`, server: 'node1' }
        await using server = startPeer('oslo_rpc_server', served, python)
        await server.next()
        await using transport = openTransport()
        const at = { exchange: EXCHANGE, topic: served.topic, server: undefined, fanout: false }

        expect(await call(transport, at, 'add', { increment: 5 })).toEqual({ result: 5 })
        expect(await call(transport, { ...at, server: 'node1' }, 'add', { increment: 2 })).toEqual({
          result: 7,
        })
        expect(await call(transport, at, 'nothing', {})).toEqual({ result: null })
        for (const value of VALUES)
          expect(await call(transport, at, 'echo', { value })).toEqual({ result: value })
        const failed = await call(transport, at, 'subtract', { increment: 100 })
        expect(failed.failure).toMatchObject({
          class: 'ValueError',
          module: 'builtins',
          message: "the value can't go negative!",
          args: ["the value can't go negative!"],
          kwargs: {},
        })
        expect(failed.failure?.tb.at(-1)).toBe("ValueError: the value can't go negative!\n")
        await cast(transport, { ...at, fanout: true }, 'append', { text: 'to all' })
        await cast(transport, at, 'append', { text: ', to one' }, { user: 'u-17', roles: ['member'] })
        const unknown = await call(transport, at, 'absent', {})
        expect(unknown.failure).toMatchObject({ class: 'NoSuchMethod' })
        const state = await server.ask({ state: true })
        expect(state).toMatchObject({ value: 7, text: 'to all, to one' })
        expect((state['calls'] as { context: unknown }[]).at(-1)?.context).toEqual({
          user: 'u-17',
          roles: ['member'],
          client_timeout: null,
        })
        expect(transport.stats()).toMatchObject({ unexpectedReplies: 0, refused: 0, disconnects: 0 })
      })

      it('asks a server of Python for signs of life', async () => {
        const served = { url: broker.url, exchange: EXCHANGE, topic: `slow-${release}`, server: 'node1' }
        await using server = startPeer('oslo_rpc_server', served, python)
        await server.next()
        await using transport = openTransport()
        const at = { exchange: EXCHANGE, topic: served.topic, server: undefined, fanout: false }
        const monitored = { ...CALL, monitorTimeoutMs: 5_000 }
        expect(await call(transport, at, 'delay', { seconds: 7 }, monitored)).toEqual({ result: 7 })
        expect(transport.stats().received).toBeGreaterThan(2)
      })

      it('serves a client of Python', async () => {
        await using transport = openTransport()
        const requests: IncomingRequest[] = []
        const subscription = await transport.driver.serve(
          { exchange: EXCHANGE, topic: `mirror-${release}`, server: 'node1' },
          {
            backlog: 10,
            onRequest: (request) => {
              requests.push(request)
              expect(request.accept()).toBe('accepted')
              void request.reply(answer(request.message))
            },
          },
        )
        const at = { topic: `mirror-${release}`, timeout: 20 }
        await using client = startPeer('oslo_rpc_client', { url: broker.url, exchange: EXCHANGE }, python)

        const echo = { ...at, method: 'echo', args: { value: [1, 'é'] }, namespace: 'n', version: '1.3' }
        const context = { user: 'u-17', token: 'secret' }
        expect(await client.ask({ ...echo, context })).toEqual({ result: [1, 'é'] })
        expect(requests[0]?.message).toEqual({
          method: 'echo',
          args: { value: [1, 'é'] },
          namespace: 'n',
          version: '1.3',
        })
        expect(requests[0]?.context).toEqual(context)
        expect(requests[0]).toMatchObject({ expectsReply: true, monitorTimeoutMs: undefined })

        const failed = await client.ask({ ...at, method: 'fail', server: 'node1' })
        expect(failed).toMatchObject({ raised: { type: 'ValueError' } })
        expect(JSON.stringify(failed)).toContain('never works')

        expect(await client.ask({ ...at, method: 'echo', cast: true, fanout: true })).toEqual({
          result: null,
        })
        await expect.poll(() => requests.length, { timeout: 30_000 }).toBe(3)
        expect(requests[2]).toMatchObject({ expectsReply: false })

        await subscription.close()
        const unserved = { ...at, method: 'echo', at_least_once: true, timeout: 2 }
        expect(await client.ask({ ...unserved, topic: 'nobody' })).toMatchObject({
          raised: { type: 'MessageUndeliverable' },
        })
      })

      it('sends signs of life to a client of Python', async () => {
        await using transport = openTransport()
        await transport.driver.serve(
          { exchange: EXCHANGE, topic: `patient-${release}`, server: 'node1' },
          { backlog: 10, onRequest: (request) => void keepAlive(request) },
        )
        await using client = startPeer('oslo_rpc_client', { url: broker.url, exchange: EXCHANGE }, python)
        const asked = { topic: `patient-${release}`, method: 'echo', timeout: 30, call_monitor_timeout: 4 }
        expect(await client.ask(asked)).toEqual({ result: 4 })
      })
    })
  }
})

/** Answers after twice the time within which the caller wants to hear something. */
async function keepAlive(request: IncomingRequest): Promise<void> {
  request.accept()
  expect(request.monitorTimeoutMs).toBe(4_000)
  for (let beats = 0; beats < 4; beats++) {
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(await request.heartbeat()).toBe(true)
  }
  await request.reply({ result: 4 })
}

function answer({ method, args }: JsonObject): Reply {
  if (method === 'echo') return { result: (args as JsonObject)['value'] ?? null }
  return {
    failure: {
      class: 'ValueError',
      module: 'builtins',
      message: 'it never works',
      tb: ['ValueError: it never works\n'],
      args: ['it never works'],
      kwargs: {},
    },
  }
}

function openTransport(): Transport {
  return createTransport(broker.url.replace('amqp:', 'rabbit:'), { drivers: [rabbit()] })
}

function requestOf(method: string, args: JsonObject, context: JsonObject = {}): OutgoingRequest {
  return { message: { method, args }, context, headers: {} }
}

function call(
  { driver }: Transport,
  to: Destination,
  method: string,
  args: JsonObject,
  options: CallSendOptions = CALL,
): Promise<Reply> {
  return driver.call(to, requestOf(method, args), options)
}

function cast(
  { driver }: Transport,
  to: Destination,
  method: string,
  args: JsonObject,
  context?: JsonObject,
): Promise<void> {
  return driver.cast(to, requestOf(method, args, context), CALL)
}
