import {
  ConfigurationError,
  InvalidTargetError,
  RpcVersionCapError,
  UnsupportedFeatureError,
} from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import {
  createRpcClient,
  createTransport,
  Target,
  type PayloadSerializer,
  type RpcPreparation,
  type RpcSendSettings,
  type TargetParts,
  type TransportOptions,
} from '../../src/index.ts'
import { recordingDriver, type RecordingDriver } from './recording-driver.ts'

/** Nothing is kept or cleared by it. */
const AS_IT_IS: RpcPreparation = {}

function clientOn(
  driver: RecordingDriver,
  target: TargetParts = { topic: 'base' },
  options: RpcSendSettings = {},
  transport: Partial<TransportOptions> = {},
) {
  return createRpcClient(
    createTransport('recording://', { drivers: [driver], ...transport }),
    target,
    options,
  )
}

/** The parts of targets as oslo.messaging's own test of them has them, in our terms. */
const TARGETS: readonly (readonly [
  name: string,
  made: TargetParts,
  prepared: RpcPreparation,
  sent: object,
])[] = [
  ['nothing', {}, {}, {}],
  ['an exchange', { exchange: 'testexchange' }, {}, { exchange: 'testexchange' }],
  ['a prepared exchange', {}, { exchange: 'testexchange' }, { exchange: 'testexchange' }],
  ['an exchange taken back', { exchange: 'testexchange' }, { exchange: undefined }, {}],
  ['another exchange', { exchange: 'ctor' }, { exchange: 'testexchange' }, { exchange: 'testexchange' }],
  ['a topic', { topic: 'testtopic' }, {}, { topic: 'testtopic' }],
  ['a prepared topic', {}, { topic: 'testtopic' }, { topic: 'testtopic' }],
  ['another topic', { topic: 'ctor' }, { topic: 'testtopic' }, { topic: 'testtopic' }],
  ['a namespace', { namespace: 'testnamespace' }, {}, { namespace: 'testnamespace' }],
  ['a prepared namespace', {}, { namespace: 'testnamespace' }, { namespace: 'testnamespace' }],
  ['a namespace taken back', { namespace: 'testnamespace' }, { namespace: undefined }, {}],
  [
    'another namespace',
    { namespace: 'ctor' },
    { namespace: 'testnamespace' },
    { namespace: 'testnamespace' },
  ],
  ['a version', { version: '1.1' }, {}, { version: '1.1' }],
  ['a prepared version', {}, { version: '1.1' }, { version: '1.1' }],
  ['a version taken back', { version: '1.1' }, { version: undefined }, {}],
  ['another version', { version: '1.0' }, { version: '1.1' }, { version: '1.1' }],
  ['a server', { server: 'testserver' }, {}, { server: 'testserver' }],
  ['a prepared server', {}, { server: 'testserver' }, { server: 'testserver' }],
  ['a server taken back', { server: 'testserver' }, { server: undefined }, {}],
  ['another server', { server: 'ctor' }, { server: 'testserver' }, { server: 'testserver' }],
  ['fanout', { fanout: true }, {}, { fanout: true }],
  ['prepared fanout', {}, { fanout: true }, { fanout: true }],
  ['fanout taken back', { fanout: true }, { fanout: undefined }, {}],
  ['no fanout', { fanout: true }, { fanout: false }, { fanout: false }],
]

describe('the target of a request', () => {
  for (const [name, made, prepared, sent] of TARGETS) {
    it.each([0, 1, 2])(`has ${name}, prepared %i times`, async (times) => {
      const driver = recordingDriver()
      let client = clientOn(driver, { topic: 'base', ...made })
      if (times === 0) client = clientOn(driver, { topic: 'base', ...made, ...prepared })
      for (let n = 0; n < times; n++) client = client.prepare(prepared)
      await client.cast('foo')
      const { namespace, version, ...destination } = sent as TargetParts
      expect(driver.sends).toEqual([
        {
          kind: 'cast',
          destination: {
            exchange: 'openstack',
            topic: 'base',
            server: undefined,
            fanout: false,
            ...destination,
          },
          request: {
            message: {
              method: 'foo',
              args: {},
              ...(namespace === undefined ? {} : { namespace }),
              ...(version === undefined ? {} : { version }),
            },
            context: {},
            headers: {},
          },
          options: { signal: undefined, retries: undefined, mandatory: false },
        },
      ])
    })
  }

  it('may be that of a server, whose former namespaces mean nothing here', () => {
    const target = new Target({ topic: 't', namespace: 'n', legacyNamespaces: ['old'] })
    expect(clientOn(recordingDriver(), target).target).toEqual(new Target({ topic: 't', namespace: 'n' }))
  })

  it.each([undefined, ''])('needs a topic; %j is none', async (topic) => {
    const driver = recordingDriver()
    const client = clientOn(driver).prepare({ topic })
    await expect(client.call('foo')).rejects.toThrow(InvalidTargetError)
    await expect(client.cast('foo')).rejects.toThrow('the target of a request needs a topic: <Target')
    expect(driver.sends).toEqual([])
  })

  it('falls back to the exchange of the transport, also from an empty one', async () => {
    const driver = recordingDriver()
    await clientOn(driver, { topic: 't', exchange: '' }, {}, { controlExchange: 'nova' }).cast('foo')
    expect(driver.sends[0]!.destination.exchange).toBe('nova')
  })

  it.each<[string, TargetParts, RpcPreparation]>([
    ['made so', { topic: 't', fanout: true }, AS_IT_IS],
    ['prepared so', { topic: 't' }, { fanout: true }],
    ['both', { topic: 't', fanout: true }, { fanout: true }],
  ])('cannot be called when it is all servers: %s', async (_, target, prepared) => {
    const driver = recordingDriver()
    const calling = clientOn(driver, target).prepare(prepared).call('foo')
    await expect(calling).rejects.toThrow(InvalidTargetError)
    expect(driver.sends).toEqual([])
  })

  it.each(['5', '5.a', '5.5.a', '', 'latest'])('refuses %j for a version', (version) => {
    const client = clientOn(recordingDriver())
    expect(() => client.prepare({ version })).toThrow(ConfigurationError)
    expect(() => client.prepare({ versionCap: version })).toThrow(ConfigurationError)
    expect(() => clientOn(recordingDriver(), { version })).toThrow(ConfigurationError)
  })
})

/** Members of which undefined clears, and which are left out where they stay. */
interface CapScenario {
  readonly name: string
  readonly cap?: string
  readonly version?: string
  readonly prepared?: RpcPreparation
  readonly asked?: string | null
  readonly sends: boolean
}

const CAPS: readonly CapScenario[] = [
  { name: 'nothing', sends: true },
  { name: 'a newer cap', cap: '1.1', version: '1.0', sends: true },
  {
    name: 'another cap',
    cap: '2.0',
    version: '1.0',
    prepared: { versionCap: '1.1', version: '1.0' },
    sends: true,
  },
  { name: 'a cap taken back', cap: '1.1', version: '1.0', prepared: { versionCap: undefined }, sends: true },
  { name: 'an older minor', cap: '1.0', version: '1.1', sends: false },
  { name: 'another major', cap: '2.0', prepared: { version: '1.0' }, sends: false },
  { name: 'no cap', version: '1.0', sends: true },
  { name: 'a cap and no version', cap: '1.0', sends: false },
]

const ASKED: readonly CapScenario[] = [
  {
    name: 'a version and no cap any more',
    cap: '1.1',
    version: '1.0',
    prepared: { versionCap: undefined },
    asked: '1.1',
    sends: true,
  },
  {
    name: 'none and no cap any more',
    cap: '1.1',
    version: '1.0',
    prepared: { versionCap: undefined },
    asked: null,
    sends: true,
  },
  { name: 'none and a cap', cap: '1.0', version: '1.0', asked: null, sends: false },
]

function cappedClient(driver: RecordingDriver, { cap, version, prepared }: CapScenario) {
  const client = clientOn(driver, { topic: 't', version }, { versionCap: cap })
  return prepared === undefined ? client : client.prepare(prepared)
}

describe('the version cap', () => {
  for (const kind of ['call', 'cast'] as const) {
    it.each(CAPS)(`of a ${kind} with $name`, async (scenario) => {
      const driver = recordingDriver()
      const work = cappedClient(driver, scenario)[kind]('foo')
      if (scenario.sends) await work
      const outcome = await work.then(
        () => 'sent',
        (error: unknown) => (error as Error).constructor,
      )
      expect(outcome).toBe(scenario.sends ? 'sent' : RpcVersionCapError)
      expect(driver.sends.length).toBe(scenario.sends ? 1 : 0)
    })
  }

  it.each([...CAPS, ...ASKED])('tells beforehand: $name', (scenario) => {
    const client = cappedClient(recordingDriver(), scenario)
    const ask = ({ asked }: CapScenario, of = client): boolean =>
      asked === undefined ? of.canSendVersion() : of.canSendVersion(asked)
    expect(ask(scenario)).toBe(scenario.sends)
    expect(ask(scenario, client.prepare(AS_IT_IS))).toBe(scenario.sends)
  })
})

describe('the time of a call', () => {
  it.each<[string, number | undefined, RpcSendSettings, RpcPreparation, object]>([
    ['by default', undefined, {}, AS_IT_IS, { timeoutMs: 60_000 }],
    ['of the transport', 21_000, {}, AS_IT_IS, { timeoutMs: 21_000 }],
    ['of the client', undefined, { timeoutMs: 21_100 }, AS_IT_IS, { timeoutMs: 21_100 }],
    ['of the client, none', undefined, { timeoutMs: 0 }, AS_IT_IS, { timeoutMs: 0 }],
    ['prepared', undefined, {}, { timeoutMs: 21_100 }, { timeoutMs: 21_100 }],
    ['prepared anew', undefined, { timeoutMs: 10_100 }, { timeoutMs: 21_100 }, { timeoutMs: 21_100 }],
    ['prepared, none', undefined, {}, { timeoutMs: 0 }, { timeoutMs: 0 }],
    ['prepared away', 21_000, { timeoutMs: 10_100 }, { timeoutMs: undefined }, { timeoutMs: 21_000 }],
    [
      'and of signs of life',
      undefined,
      { callMonitorTimeoutMs: 30_000 },
      { timeoutMs: 60_000 },
      { timeoutMs: 60_000, monitorTimeoutMs: 30_000 },
    ],
  ])('is that %s', async (_, responseTimeoutMs, settings, prepared, expected) => {
    const driver = recordingDriver()
    const client = clientOn(driver, { topic: 't' }, settings, { responseTimeoutMs }).prepare(prepared)
    await client.call('foo')
    expect(driver.sends[0]!.options).toEqual({
      signal: undefined,
      retries: undefined,
      mandatory: false,
      monitorTimeoutMs: undefined,
      ...expected,
    })
  })

  it('is that of the call itself before all others', async () => {
    const driver = recordingDriver()
    await clientOn(driver, { topic: 't' }, { timeoutMs: 1000 }).call('foo', {}, { timeoutMs: 5 })
    expect(driver.sends[0]!.options).toMatchObject({ timeoutMs: 5 })
  })
})

describe('the settings of a client', () => {
  it('reach the driver', async () => {
    const driver = recordingDriver()
    const client = clientOn(driver, { topic: 't' }, { retries: 2, atLeastOnce: true })
    await client.cast('foo')
    await client.prepare({ retries: 0, atLeastOnce: undefined }).call('foo')
    expect(driver.sends.map(({ options }) => [options.retries, options.mandatory])).toEqual([
      [2, true],
      [0, false],
    ])
  })

  it.each<[RpcSendSettings, string]>([
    [{ timeoutMs: -1 }, "'timeoutMs' is -1"],
    [{ timeoutMs: Number.NaN }, "'timeoutMs' is NaN"],
    [{ retries: -1 }, "'retries' is -1"],
    [{ retries: 1.5 }, "'retries' is 1.5"],
    [{ callMonitorTimeoutMs: 1999 }, 'it is at least 2000'],
    [{ callMonitorTimeoutMs: Number.NaN }, 'it is at least 2000'],
    [{ timeoutMs: -1, retries: -1 }, "'retries' is -1"],
  ])('are refused when they cannot be used: %j', (settings, problem) => {
    const client = clientOn(recordingDriver())
    expect(() => client.prepare(settings)).toThrow(problem)
    expect(() => clientOn(recordingDriver(), {}, settings)).toThrow(ConfigurationError)
  })

  it.each<[RpcPreparation, object, string]>([
    [AS_IT_IS, { rpc: false }, 'remote calls'],
    [{ fanout: true }, { fanout: false }, 'fanout'],
    [{ atLeastOnce: true }, { mandatory: false }, 'at least once'],
    [{ callMonitorTimeoutMs: 2000 }, { callMonitoring: false }, 'call monitoring'],
  ])('are refused when the driver cannot do them: %j on %j', (prepared, capabilities, missing) => {
    const make = (): unknown => clientOn(recordingDriver(undefined, capabilities)).prepare(prepared)
    expect(make).toThrow(UnsupportedFeatureError)
    expect(make).toThrow(missing)
  })
})

describe('the serializer of a client', () => {
  interface User {
    readonly user: string
  }
  const seen: unknown[] = []
  const serializer: PayloadSerializer<User> = {
    serializeEntity: (context, entity) => (seen.push(['serialize', context, entity]), `s${String(entity)}`),
    deserializeEntity: (context, entity) => (
      seen.push(['deserialize', context, entity]),
      `d${entity as string}`
    ),
    serializeContext: (context) => (seen.push(['context', context]), { user: `s${context.user}` }),
    deserializeContext: () => ({ user: 'unused' }),
  }

  it.each(['call', 'cast'] as const)(
    'sees every argument, the context and the result of a %s',
    async (kind) => {
      seen.length = 0
      const driver = recordingDriver(() => ({ result: 'd' }))
      const transport = createTransport('recording://', { drivers: [driver] })
      const client = createRpcClient(transport, { topic: 't' }, { serializer })
      const context = { user: 'bob' }
      const result = await client[kind]('foo', { a: 'a', b: 'b', c: 'c', left: undefined }, { context })
      expect(driver.sends[0]!.request).toMatchObject({
        message: { method: 'foo', args: { a: 'sa', b: 'sb', c: 'sc' } },
        context: { user: 'sbob' },
      })
      expect(Object.keys(driver.sends[0]!.request.message.args)).toEqual(['a', 'b', 'c'])
      expect(result).toBe(kind === 'call' ? 'dd' : undefined)
      expect(seen).toEqual([
        ...['a', 'b', 'c'].map((argument) => ['serialize', context, argument]),
        ['context', context],
        ...(kind === 'call' ? [['deserialize', context, 'd']] : []),
      ])
    },
  )
})
