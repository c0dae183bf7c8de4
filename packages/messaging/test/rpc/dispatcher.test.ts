import { silentLogger, type JsonObject, type JsonValue } from '@hermod/kernel'
import { describe, expect, it, vi } from 'vitest'
import { defineEndpoint, plainSerializer, Target, type PayloadSerializer } from '../../src/index.ts'
import type { AccessPolicy } from '../../src/rpc/access-policy.ts'
import { DispatchRefusal } from '../../src/rpc/dispatch-refusal.ts'
import { Dispatcher, type DispatcherOptions } from '../../src/rpc/dispatcher.ts'
import { LazyAbort } from '../../src/rpc/lazy-abort.ts'
import { keepingLogger, type LogLine } from './scripted-requests.ts'

const OPTIONS: DispatcherOptions = {
  accessPolicy: 'default',
  serializer: plainSerializer,
  expectedErrors: [],
  ping: false,
  logger: silentLogger,
}

function dispatch(dispatcher: Dispatcher, message: JsonObject, context: JsonObject = {}): Promise<JsonValue> {
  const request = { message, context, headers: { trace: 'yes' }, expectsReply: true }
  return dispatcher.run(dispatcher.route(message), request, new LazyAbort())
}

/** An endpoint whose three methods note what they got. */
class Noting {
  static readonly exposed: readonly string[] | undefined = undefined
  readonly target: Target
  readonly notes: string[] = []
  constructor(target: Target) {
    this.target = target
  }
  foo(args: JsonObject, { context }: { context: JsonObject }): string {
    return this.#note('foo', args, context)
  }
  bar(args: JsonObject, { context }: { context: JsonObject }): string {
    return this.#note('bar', args, context)
  }
  _foobar(args: JsonObject, { context }: { context: JsonObject }): string {
    return this.#note('_foobar', args, context)
  }
  #note(name: string, args: JsonObject, context: JsonObject): string {
    this.notes.push(`${name} ${JSON.stringify(args)} ${JSON.stringify(context)}`)
    return name
  }
}

class NotingExposed extends Noting {
  static override readonly exposed = ['bar']
}

interface Scenario {
  readonly targets: readonly ConstructorParameters<typeof Target>[0][]
  readonly policy?: AccessPolicy
  readonly context?: JsonObject
  readonly message: JsonObject
  /** The endpoint that runs it, and what it notes; or the class of the refusal. */
  readonly expected: readonly [endpoint: number, note: string] | string
}

/** The scenarios of TestDispatcher, in its order. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  no_endpoints: { targets: [], message: { method: 'foo' }, expected: 'UnsupportedVersion' },
  default_target: { targets: [{}], message: { method: 'foo' }, expected: [0, 'foo {} {}'] },
  default_target_ctxt_and_args: {
    targets: [{}],
    policy: 'legacy',
    context: { user: 'bob' },
    message: { method: 'bar', args: { blaa: true } },
    expected: [0, 'bar {"blaa":true} {"user":"bob"}'],
  },
  default_target_namespace: {
    targets: [{}],
    policy: 'legacy',
    message: { method: 'foo', namespace: null },
    expected: [0, 'foo {} {}'],
  },
  default_target_version: {
    targets: [{}],
    message: { method: 'foo', version: '1.0' },
    expected: [0, 'foo {} {}'],
  },
  default_target_no_such_method: {
    targets: [{}],
    message: { method: 'foobar' },
    expected: 'NoSuchMethod',
  },
  namespace: {
    targets: [{}, { namespace: 'testns' }],
    message: { method: 'foo', namespace: 'testns' },
    expected: [1, 'foo {} {}'],
  },
  namespace_mismatch: {
    targets: [{}, { namespace: 'testns' }],
    message: { method: 'foo', namespace: 'nstest' },
    expected: 'UnsupportedVersion',
  },
  version: {
    targets: [{ version: '1.5' }, { version: '3.4' }],
    message: { method: 'foo', version: '3.2' },
    expected: [1, 'foo {} {}'],
  },
  version_mismatch: {
    targets: [{ version: '1.5' }, { version: '3.0' }],
    message: { method: 'foo', version: '3.2' },
    expected: 'UnsupportedVersion',
  },
  message_in_null_namespace_with_multiple_namespaces: {
    targets: [{ namespace: 'testns', legacyNamespaces: [undefined] }],
    message: { method: 'foo', namespace: null },
    expected: [0, 'foo {} {}'],
  },
  message_in_wrong_namespace_with_multiple_namespaces: {
    targets: [{ namespace: 'testns', legacyNamespaces: ['second', undefined] }],
    message: { method: 'foo', namespace: 'wrong' },
    expected: 'UnsupportedVersion',
  },
  message_with_endpoint_no_private_and_public_method: {
    targets: [{ namespace: 'testns', legacyNamespaces: ['second', undefined] }],
    message: { method: 'foo', namespace: 'testns' },
    expected: [0, 'foo {} {}'],
  },
  message_with_endpoint_no_private_and_private_method: {
    targets: [{ namespace: 'testns', legacyNamespaces: ['second', undefined] }],
    message: { method: '_foobar', namespace: 'testns' },
    expected: 'NoSuchMethod',
  },
  message_with_endpoint_explicitly_exposed_without_exposed_method: {
    targets: [{ namespace: 'testns', legacyNamespaces: ['second', undefined] }],
    policy: 'explicit',
    message: { method: 'foo', namespace: 'testns' },
    expected: 'NoSuchMethod',
  },
  message_with_endpoint_explicitly_exposed_with_exposed_method: {
    targets: [{ namespace: 'testns', legacyNamespaces: ['second', undefined] }],
    policy: 'explicit',
    message: { method: 'bar', namespace: 'testns' },
    expected: [0, 'bar {} {}'],
  },
}

describe('Dispatcher', () => {
  it.each(Object.entries(SCENARIOS))('goes to the endpoint: %s', async (_, scenario) => {
    const { targets, policy = 'default', context = {}, message, expected } = scenario
    const kind = policy === 'explicit' ? NotingExposed : Noting
    const endpoints = targets.map((target) => new kind(new Target(target)))
    const dispatcher = new Dispatcher(endpoints, { ...OPTIONS, accessPolicy: policy })

    const ended = await (async () => dispatch(dispatcher, message, context))().catch((error: unknown) => {
      if (!(error instanceof DispatchRefusal)) throw error
      const { remoteModule, remoteClass } = error
      return `${remoteModule}.${remoteClass}`
    })

    const [place, note] = typeof expected === 'string' ? [] : expected
    const refusal = `oslo_messaging.rpc.dispatcher.${String(expected)}`
    expect(ended).toBe(note === undefined ? refusal : message['method'])
    expect(endpoints.map(({ notes }) => notes)).toEqual(
      targets.map((__, index) => (index === place ? [note] : [])),
    )
  })

  it.each([
    [{ method: 'absent' }, 'E_NO_METHOD'],
    [{ method: 'foo', version: '9.0' }, 'E_RPC_VERSION'],
    [{ method: 'foo', namespace: 'elsewhere' }, 'E_RPC_VERSION'],
    [{ method: 7 }, 'E_REMOTE'],
  ])('refuses %j with %s', (message, code) => {
    const dispatcher = new Dispatcher([new Noting(new Target())], OPTIONS)
    expect(() => dispatcher.route(message)).toThrow(expect.objectContaining({ code }))
  })

  it('lets nobody call private methods but with the policy legacy', async () => {
    const endpoint = new Noting(new Target())
    const legacy = new Dispatcher([endpoint], { ...OPTIONS, accessPolicy: 'legacy' })
    await expect(dispatch(legacy, { method: '_foobar' })).resolves.toBe('_foobar')
    const explicit = new Dispatcher([endpoint], { ...OPTIONS, accessPolicy: 'explicit' })
    expect(() => explicit.route({ method: 'foo' })).toThrow('Endpoint does not support RPC method foo')
  })

  it('keeps to the list of an endpoint whatever the policy', () => {
    const endpoint = new NotingExposed(new Target())
    for (const accessPolicy of ['default', 'legacy', 'explicit'] as const) {
      const dispatcher = new Dispatcher([endpoint], { ...OPTIONS, accessPolicy })
      expect(() => dispatcher.route({ method: 'foo' })).toThrow('Endpoint does not support RPC method foo')
      expect(dispatcher.route({ method: 'bar' }).method).toBe('bar')
    }
  })

  it('goes on to the next endpoint for a method that the first lacks or refuses', async () => {
    const first = defineEndpoint({ a: () => 'first', _b: () => 'first' })
    const second = defineEndpoint({ a: () => 'second', b: () => 'second', c: () => 'second' })
    const dispatcher = new Dispatcher([first, second], OPTIONS)
    await expect(dispatch(dispatcher, { method: 'a' })).resolves.toBe('first')
    await expect(dispatch(dispatcher, { method: 'b' })).resolves.toBe('second')
  })

  it('tells the method what it is called as, on the object that it belongs to', async () => {
    const abort = new LazyAbort()
    const endpoint = {
      target: new Target({ namespace: 'ns', version: '2.7', legacyNamespaces: ['old'] }),
      own: 'mine',
      told(args: unknown, call: object): unknown {
        return { own: this.own, args, call: { ...call } }
      },
    }
    const dispatcher = new Dispatcher([endpoint], OPTIONS)
    const message = { method: 'told', args: { a: 1 }, namespace: 'old', version: '2.3' }
    const request = { message, context: { user: 'u' }, headers: { trace: 'x' }, expectsReply: false }
    await expect(dispatcher.run(dispatcher.route(message), request, abort)).resolves.toEqual({
      own: 'mine',
      args: { a: 1 },
      call: {
        context: { user: 'u' },
        namespace: 'old',
        version: '2.3',
        method: 'told',
        headers: { trace: 'x' },
        expectsReply: false,
        signal: abort.signal,
      },
    })
  })

  it('returns null where the method returns nothing', async () => {
    const dispatcher = new Dispatcher([{ nothing() {}, later: async () => {} }], OPTIONS)
    await expect(dispatch(dispatcher, { method: 'nothing' })).resolves.toBeNull()
    await expect(dispatch(dispatcher, { method: 'later' })).resolves.toBeNull()
  })

  // What oslo.messaging 14.0.3 answers to the same requests, but for versions that are none: there its server
  // stumbles (AttributeError, ValueError, IndexError), ours says that it does not serve them.
  it.each([
    [{}, 'TypeError', 'builtins'],
    [{ method: null }, 'TypeError', 'builtins'],
    [{ method: 5 }, 'TypeError', 'builtins'],
    [{ method: ['test'] }, 'TypeError', 'builtins'],
    [{ method: { a: 1 } }, 'TypeError', 'builtins'],
    [{ method: true }, 'TypeError', 'builtins'],
    [{ method: '' }, 'NoSuchMethod', 'oslo_messaging.rpc.dispatcher'],
    [{ method: '__class__' }, 'NoSuchMethod', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', args: null }, 'AttributeError', 'builtins'],
    [{ method: 'test', args: [] }, 'AttributeError', 'builtins'],
    [{ method: 'test', args: 'x' }, 'AttributeError', 'builtins'],
    [{ method: 'test', args: 5 }, 'AttributeError', 'builtins'],
    [{ method: 'test', version: null }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', version: 1 }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', version: 'abc' }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', version: ['1.0'] }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', version: '' }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', namespace: '' }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', namespace: 5 }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    [{ method: 'test', namespace: [] }, 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
  ] as const)('refuses %j', async (message, remoteClass, remoteModule) => {
    const test = vi.fn<() => void>()
    const dispatcher = new Dispatcher([{ test }], OPTIONS)
    const answer = (async () => dispatch(dispatcher, message as unknown as JsonObject))()
    await expect(answer).rejects.toMatchObject({ remoteClass, remoteModule })
    expect(test).not.toHaveBeenCalled()
  })

  it.each([
    [{ method: 'nope' }, 'Endpoint does not support RPC method nope'],
    [{ method: '' }, 'Endpoint does not support RPC method '],
    [{ method: 'test', version: '7.6' }, 'Endpoint does not support RPC version 7.6. Attempted method: test'],
    [{ method: 'test', version: null }, 'Endpoint does not support RPC version None. Attempted method: test'],
    [{ version: '2.0' }, 'Endpoint does not support RPC version 2.0'],
    [{ version: '2.0', method: 5 }, 'Endpoint does not support RPC version 2.0. Attempted method: 5'],
    [{ version: null, method: true }, 'Endpoint does not support RPC version None. Attempted method: True'],
    [{ version: '9.0', method: '' }, 'Endpoint does not support RPC version 9.0'],
    [
      { method: 'test', namespace: 'other' },
      'Endpoint does not support RPC version 1.0. Attempted method: test',
    ],
  ] as const)('says of %j what a Python server says', (message, text) => {
    const dispatcher = new Dispatcher([{ test: () => 1 }], OPTIONS)
    expect(() => dispatcher.route(message as unknown as JsonObject)).toThrow(
      expect.objectContaining({ message: text }),
    )
  })

  it('passes an argument called __proto__ on as an ordinary one', async () => {
    const seen: unknown[] = []
    const args = JSON.parse('{"__proto__": {"admin": true}, "a": 1}') as JsonObject
    const spelled: PayloadSerializer<unknown> = { ...(plainSerializer as PayloadSerializer<unknown>) }
    for (const serializer of [plainSerializer as PayloadSerializer<unknown>, spelled]) {
      const dispatcher = new Dispatcher([{ test: (given: unknown) => void seen.push(given) }], {
        ...OPTIONS,
        serializer,
      })
      await dispatch(dispatcher, { method: 'test', args })
    }
    expect(seen).toHaveLength(2)
    for (const given of seen) {
      expect(Object.keys(given as object)).toEqual(['__proto__', 'a'])
      expect((given as { admin?: unknown }).admin).toBeUndefined()
      expect(Object.getPrototypeOf(given)).toBe(Object.prototype)
    }
  })

  it('has the context, each argument and the result go through the serializer', async () => {
    const steps: unknown[] = []
    const serializer: PayloadSerializer<unknown> = {
      serializeContext: () => ({}),
      deserializeContext: (context) => {
        steps.push(['context', context])
        return { user: 'alice' }
      },
      deserializeEntity: (context, entity) => {
        steps.push(['argument', context, entity])
        return `d${JSON.stringify(entity)}`
      },
      serializeEntity: (context, entity) => {
        steps.push(['result', context, entity])
        return `s${JSON.stringify(entity)}`
      },
    }
    const foo = vi.fn<(args: unknown, call: unknown) => string>(() => 'd')
    const dispatcher = new Dispatcher([{ foo }], { ...OPTIONS, serializer })
    const message = { method: 'foo', args: { a: 'a', b: 'b' } }
    await expect(dispatch(dispatcher, message, { user: 'bob' })).resolves.toBe('s"d"')
    expect(foo.mock.calls[0]?.[0]).toEqual({ a: 'd"a"', b: 'd"b"' })
    expect(foo.mock.calls[0]?.[1]).toMatchObject({ context: { user: 'alice' } })
    const context = { user: 'alice' }
    expect(steps).toEqual([
      ['context', { user: 'bob' }],
      ['argument', context, 'a'],
      ['argument', context, 'b'],
      ['result', context, 'd'],
    ])
  })

  it('answers pings in the default namespace, with the policy explicit too', async () => {
    for (const accessPolicy of ['default', 'explicit'] as const) {
      const dispatcher = new Dispatcher([], { ...OPTIONS, accessPolicy, ping: true })
      const message = { method: 'oslo_rpc_server_ping', args: { anything: 1 } }
      await expect(dispatch(dispatcher, message)).resolves.toBe('pong')
    }
    expect(() => new Dispatcher([], OPTIONS).route({ method: 'oslo_rpc_server_ping' })).toThrow(
      'Endpoint does not support RPC version 1.0. Attempted method: oslo_rpc_server_ping',
    )
  })

  it('leaves the ping endpoint out where any endpoint has the method, and says so', async () => {
    const lines: LogLine[] = []
    const endpoints = [{ oslo_rpc_server_ping: () => 'not pong' }, { other: () => 1 }]
    const dispatcher = new Dispatcher(endpoints, { ...OPTIONS, ping: true, logger: keepingLogger(lines) })
    await expect(dispatch(dispatcher, { method: 'oslo_rpc_server_ping' })).resolves.toBe('not pong')
    expect(lines).toMatchObject([
      {
        level: 'warn',
        message:
          'the ping endpoint is left out: endpoint 0 (default namespace 1.0) has oslo_rpc_server_ping itself',
      },
    ])
  })

  it.each([
    ["a 'target' that is none", [{ target: () => 1 }], "'target' of endpoint 0 is no Target"],
    ['a class', [Noting], 'endpoint 0 is no object: pass an instance, not a class'],
    ['no object', [{}, 'text' as unknown as object], 'endpoint 1 is no object'],
    ['nothing', [null as unknown as object], 'endpoint 0 is no object'],
    ['a wrong version', [{ target: new Target({ version: '1' }) }], "'1' is no version"],
    [
      'a list of methods that it lacks',
      [defineEndpoint({ a: () => 1 }, { expose: ['b' as 'a'] })],
      "has no method 'b'",
    ],
  ])('refuses %s as an endpoint', (_, endpoints, problem) => {
    expect(() => new Dispatcher(endpoints, OPTIONS)).toThrow(problem)
  })

  it('refuses an unknown access policy', () => {
    const accessPolicy = 'open' as AccessPolicy
    expect(() => new Dispatcher([], { ...OPTIONS, accessPolicy })).toThrow(
      "'accessPolicy' is none of default, legacy, explicit",
    )
  })
})
