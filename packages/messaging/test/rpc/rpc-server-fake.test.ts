import { RemoteError, type JsonObject, type JsonValue } from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  createRpcClient,
  createRpcServer,
  createTransport,
  defineEndpoint,
  fake,
  type PayloadSerializer,
  type RpcCall,
  type RpcServer,
  type RpcServerOptions,
  type TargetParts,
  type Transport,
} from '../../src/index.ts'

/** Marks what goes through it, as the serializer of TestRPCServer does. */
const marking: PayloadSerializer = {
  serializeEntity: (_, entity) => (entity ? `s${JSON.stringify(entity)}` : entity),
  deserializeEntity: (_, entity) => (entity ? `d${JSON.stringify(entity)}` : entity),
  serializeContext: (context) => prefixed('s', context),
  deserializeContext: (context) => prefixed('d', context),
}

function prefixed(mark: string, context: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(context).map(([key, value]) => [key, `${mark}${value as string}`]))
}

const TARGET = { topic: 'testtopic', server: 'testserver' }

let world = 0
let url: string
let opened: AsyncDisposable[]

beforeEach(() => {
  url = `fake://rpc-server-${world++}`
  opened = []
})

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

function transport(options: { readonly clock?: ManualClock; readonly copies?: number } = {}): Transport {
  const { clock, copies } = options
  const made = createTransport(url, { drivers: [fake({ copies })], clock })
  opened.push(made)
  return made
}

async function serve(
  on: Transport,
  endpoints: readonly object[],
  options: Partial<RpcServerOptions> = {},
  target: TargetParts = TARGET,
): Promise<RpcServer> {
  const server = createRpcServer(on, target, { ...options, endpoints })
  opened.push(server)
  await server.start()
  return server
}

class Pings {
  readonly pings: JsonValue[] = []
  ping({ arg }: { arg: JsonValue }): JsonValue {
    this.pings.push(arg)
    return arg
  }
  alive(): string {
    return 'alive'
  }
}

it('casts arrive in their order', async () => {
  const endpoint = new Pings()
  const on = transport()
  await serve(on, [endpoint], { serializer: marking })
  const client = createRpcClient<Pings>(on, { topic: 'testtopic' }, { serializer: marking })
  await client.cast('ping', { arg: 'foo' })
  await client.cast('ping', { arg: 'bar' })
  await settled()
  expect(endpoint.pings).toEqual(['d"s\\"foo\\""', 'd"s\\"bar\\""'])
})

it.each([undefined, 'testserver'])('results of every kind come back, from server %s', async (server) => {
  await serve(transport(), [new Pings()])
  const client = createRpcClient<Pings>(transport(), { topic: 'testtopic', server })
  const values: readonly JsonValue[] = [
    null,
    0,
    false,
    '',
    [],
    {},
    'foo',
    'caf\u00e9 \u{1f600}',
    12345678901234567890n,
    JSON.parse('{"__proto__": {"a": 1}}') as JsonValue,
    'x'.repeat(1024 * 1024),
  ]
  for (const arg of values) await expect(client.call('ping', { arg })).resolves.toStrictEqual(arg)
})

it('the context goes through the serializers of both', async () => {
  const endpoint = { look: ({ key }: { key: string }, { context }: RpcCall) => context[key] ?? null }
  const on = transport()
  await serve(on, [endpoint], { serializer: { ...marking, deserializeEntity: (_, entity) => entity } })
  const client = createRpcClient<typeof endpoint>(
    on,
    { topic: 'testtopic' },
    { serializer: { ...marking, serializeEntity: (_, entity) => entity } },
  )
  const result = await client.call('look', { key: 'a' }, { context: { a: 'b' } })
  expect(result).toBe('d"s\\"dsb\\""')
})

it('failures come back as what they are', async () => {
  const round: Record<string, unknown> = {}
  round['round'] = round
  const endpoint = {
    fail: (): never => {
      throw new RangeError('dsfoo')
    },
    round: () => round,
  }
  const on = transport()
  await serve(on, [endpoint])
  const client = createRpcClient(on, { topic: 'testtopic' })
  const failed = await client.call('fail').catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(RemoteError)
  expect((failed as RemoteError).failure).toMatchObject({ class: 'ValueError', message: 'dsfoo' })
  await expect(client.call('nope')).rejects.toMatchObject({ code: 'E_NO_METHOD' })
  await expect(client.prepare({ version: '2.0' }).call('fail')).rejects.toMatchObject({
    code: 'E_RPC_VERSION',
  })
  await expect(client.prepare({ namespace: 'x' }).call('fail')).rejects.toMatchObject({
    code: 'E_RPC_VERSION',
  })
  await expect(client.call('round')).rejects.toMatchObject({
    failure: {
      class: 'TypeError',
      message: expect.stringContaining("the result of 'round' cannot be sent: "),
    },
  })
})

it('pings are answered', async () => {
  const on = transport()
  await serve(on, [], { ping: true })
  await expect(createRpcClient(on, TARGET).call('oslo_rpc_server_ping')).resolves.toBe('pong')
})

it('copies of a request run once', async () => {
  const endpoint = new Pings()
  const server = await serve(transport(), [endpoint])
  const client = createRpcClient<Pings>(transport({ copies: 3 }), { topic: 'testtopic' })
  await expect(client.call('ping', { arg: 1 })).resolves.toBe(1)
  await client.cast('ping', { arg: 2 })
  await settled()
  expect(endpoint.pings).toEqual([1, 2])
  expect(server.stats()).toMatchObject({ received: 6, done: 2, duplicates: 4 })
})

it('a long call lives on the signs of life of its server', async () => {
  const clock = new ManualClock()
  const ends: (() => void)[] = []
  await serve(transport({ clock }), [{ sleep: () => new Promise<void>((resolve) => ends.push(resolve)) }])
  const client = createRpcClient(
    transport({ clock }),
    { topic: 'testtopic' },
    { callMonitorTimeoutMs: 2000, timeoutMs: 60_000 },
  )
  const calling = client.call('sleep')
  await clock.pass(30_000)
  ends[0]?.()
  await expect(calling).resolves.toBeNull()
  const abandoned = client.call('sleep')
  abandoned.catch(() => {})
  await clock.pass(60_000)
  await expect(abandoned).rejects.toMatchObject({ code: 'E_TIMEOUT' })
  ends[1]?.()
})

it('what a stopped server gave back runs on another one', async () => {
  const first = new Pings()
  const second = new Pings()
  const on = transport()
  const stuck = { ping: () => new Promise(() => {}) }
  const server = await serve(on, [stuck], { concurrency: 1, acknowledge: 'after' })
  const client = createRpcClient<Pings>(on, { topic: 'testtopic' })
  const calls = [1, 2, 3].map((arg) => client.call('ping', { arg }))
  await settled()
  await server.stop({ timeoutMs: 0 })
  await serve(on, [second], {}, { topic: 'testtopic', server: 'other' })
  await expect(Promise.all(calls)).resolves.toEqual([1, 2, 3])
  expect([first.pings, second.pings]).toEqual([[], [1, 2, 3]])
})

// The scenarios of TestMultipleServers that say who gets what.
const PLACES = [
  { topics: ['a', 'b'], servers: ['1', '1'] },
  { topics: ['a', 'b'], servers: ['1', '2'] },
  { topics: ['a', 'a'], servers: ['1', '2'] },
] as const
const HOW = ['call', 'cast', 'fanout'] as const
const SCENARIOS = PLACES.flatMap((place) =>
  HOW.flatMap((one) => HOW.map((two) => [place, one, two] as const)),
)

it.each(SCENARIOS)('servers at %j get what is sent by %s and by %s', async (place, one, two) => {
  const on = transport()
  const endpoints = [new Pings(), new Pings()]
  const expected: string[][] = [[], []]
  for (const [index, endpoint] of endpoints.entries()) {
    await serve(on, [endpoint], {}, { topic: place.topics[index]!, server: place.servers[index]! })
  }
  for (const [index, how] of [one, two].entries()) {
    const [topic, server] = [place.topics[index]!, place.servers[index]!]
    const client = createRpcClient<Pings>(on, { topic, server })
    const arg = String(index)
    if (how === 'call') await client.call('ping', { arg })
    else await client.prepare({ fanout: how === 'fanout' }).cast('ping', { arg })
    for (const other of [0, 1]) {
      if (other === index || (how === 'fanout' && place.topics[other] === topic)) expected[other]!.push(arg)
    }
  }
  await settled()
  // What goes to all comes by another way than the rest, and may overtake it.
  expect(endpoints.map(({ pings }) => pings.map(String).toSorted())).toEqual(expected)
})

it('an endpoint is found by namespace and version', async () => {
  const on = transport()
  await serve(on, [
    defineEndpoint({ who: () => 'default' }),
    defineEndpoint({ who: () => 'ns 1' }, { namespace: 'ns', version: '1.4' }),
    defineEndpoint({ who: () => 'ns 2' }, { namespace: 'ns', version: '2.1', legacyNamespaces: ['was'] }),
  ])
  const who = (namespace?: string, version?: string): Promise<unknown> =>
    createRpcClient(on, { ...TARGET, namespace, version }).call('who')
  await expect(who()).resolves.toBe('default')
  await expect(who('ns', '1.3')).resolves.toBe('ns 1')
  await expect(who('ns', '2.0')).resolves.toBe('ns 2')
  await expect(who('was', '2.1')).resolves.toBe('ns 2')
  await expect(who('was', '1.4')).rejects.toMatchObject({ code: 'E_RPC_VERSION' })
})
