import { randomUUID } from 'node:crypto'
import type { BasicProperties } from '@hermod/amqp'
import { RemoteError, type JsonObject, type JsonValue } from '@hermod/kernel'
import {
  createNotificationListener,
  createRpcClient,
  createRpcServer,
  createTransport,
  fake,
  RemoteErrorRegistry,
  type ReceivedNotification,
} from '@hermod/messaging'
import { eventually } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { heapBytes, strayErrors } from './hostile-broker.ts'
import {
  enveloped,
  gigabyteBomb,
  HostileOsloBroker,
  manyMembers,
  nestedLists,
  ORDINARY,
} from './hostile-oslo-broker.ts'
import { search, TIMEOUT_MS } from './search.ts'

const MIB = 1 << 20
const TOPIC = 'calc'
const DEEP = nestedLists(100_000)
const BOMB = gigabyteBomb()
const COMPRESSED: BasicProperties = { ...ORDINARY, headers: { compression: 'application/x-gzip' } }

/** What only a mistake would run. */
const ran: string[] = []

class Endpoint {
  echo(args: JsonObject): JsonObject {
    return args
  }
  fails({ text }: { text: string }): void {
    throw new TypeError(`cannot read '${text}'`)
  }
  _private(): void {
    ran.push('_private')
  }
  get secret(): () => void {
    ran.push('secret')
    return () => ran.push('secret')
  }
}

const ownOfObject = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))

/** No process-wide trace is left, whatever was sent. */
function expectUnharmed(stray: readonly unknown[]): void {
  expect(stray).toEqual([])
  expect(ran).toEqual([])
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(ownOfObject)
}

type Body = readonly [name: string, body: string | Uint8Array, properties?: BasicProperties]

/** What no queue's reader can read, with the words of a user in it. */
const UNREADABLE: readonly Body[] = [
  ['nothing', ''],
  ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ['half an object', '{"method": "echo", "args": {"password": "hunter2'],
  ['a list', '[]'],
  ['a number', '7'],
  ['null', 'null'],
  ['an envelope from the future', enveloped({ method: 'echo' }, '2.1')],
  ['an envelope of the next age', enveloped({ method: 'echo' }, '3.0')],
  ['an envelope whose version is a number', enveloped({ method: 'echo' }, 2)],
  ['an envelope whose version is an object', enveloped({ method: 'echo' }, { toString: '2.0' })],
  ['an envelope around a list', enveloped([])],
  ['an envelope around garbage', enveloped('{"method')],
  ['arguments 100 000 deep', enveloped(`{"method": "echo", "args": {"a": ${DEEP}}}`)],
  ['a body 100 000 deep', `{"a":${DEEP}}`],
  ['20 000 arguments', enveloped({ method: 'echo', args: manyMembers(20_000) })],
  ['20 000 parts of a context', enveloped({ method: 'echo', ...manyMembers(20_000, '_context_') })],
  ['two million values', enveloped(`{"method": "echo", "args": {"a": [${'0,'.repeat(2e6)}0]}}`)],
  ['17 MiB', enveloped({ method: 'echo', args: { a: 'x'.repeat(17 * MIB) } })],
  ['a pickle', 'cos\nsystem\n(S"id"\ntR.', { ...ORDINARY, contentType: 'application/x-python-serialize' }],
  ['YAML', '!!python/object/apply:os.system ["id"]', { ...ORDINARY, contentType: 'application/x-yaml' }],
  ['an endless content type', enveloped({}), { ...ORDINARY, contentType: 'x'.repeat(255) }],
  ['an empty content type', enveloped({}), { ...ORDINARY, contentType: '' }],
  ['a bomb of a gigabyte', BOMB, COMPRESSED],
  ['a damaged compression', 'x', COMPRESSED],
  ['an unknown compression', '{}', { ...ORDINARY, headers: { compression: 'application/x-7z' } }],
  ['a compression that is a table', '{}', { ...ORDINARY, headers: { compression: { a: 1 } } }],
]

const FORGED_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
]

async function startServer(bench: HostileOsloBroker, options = {}) {
  const transport = bench.transport(options)
  const server = createRpcServer(transport, { topic: TOPIC, server: 's' }, { endpoints: [new Endpoint()] })
  await server.start()
  return { transport, server }
}

type Call = readonly [name: string, request: JsonObject, failure: string | undefined, timeout?: string]

describe('a server of calls', () => {
  const calls: readonly Call[] = [
    ...[...FORGED_NAMES, '__defineGetter__', '_private', 'secret', 'target', '', '#x', 'x'.repeat(MIB)].map(
      (method) => [`method ${method.slice(0, 20)}`, { method }, 'NoSuchMethod'] as const,
    ),
    ['no method', {}, 'TypeError'],
    ['a method that is a list', { method: ['echo'] }, 'TypeError'],
    ['a namespace of Object', { method: 'echo', namespace: '__proto__' }, 'UnsupportedVersion'],
    ['a namespace that is an object', { method: 'echo', namespace: {} }, 'UnsupportedVersion'],
    ['version null', { method: 'echo', version: null }, 'UnsupportedVersion'],
    ['a version that is a number', { method: 'echo', version: 1 }, 'UnsupportedVersion'],
    ['a version of the future', { method: 'echo', version: '2.0' }, 'UnsupportedVersion'],
    ['a version of many digits', { method: 'echo', version: `1.${'9'.repeat(MIB)}` }, 'UnsupportedVersion'],
    ['args null', { method: 'echo', args: null }, 'AttributeError'],
    ['args that are a list', { method: 'echo', args: [1] }, 'AttributeError'],
    ['args that are a text', { method: 'echo', args: '__proto__' }, 'AttributeError'],
    ['an argument of 1 MiB', { method: 'echo', args: { a: '"'.repeat(MIB) } }, undefined],
    ['5 000 parts of a context', { method: 'echo', ...manyMembers(5000, '_context_') }, undefined],
    [
      'a quoted stack',
      { method: 'fails', args: { text: `\n    at${' (:1:1'.repeat(200_000)}` } },
      'TypeError',
    ],
    ['an envelope within', { 'oslo.version': '2.0', 'oslo.message': '{"method":"echo"}' }, 'TypeError'],
    ...['-1', '0', '1e308', '1e999', 'NaN', '-Infinity', '9'.repeat(500), '"x"', '{}', '[]', 'true', '2'].map(
      (timeout): Call => [`_timeout ${timeout}`, { method: 'echo', _timeout: 0 }, undefined, timeout],
    ),
    ...([7, {}, '', null, 'x'.repeat(MIB)] as JsonValue[]).map(
      (id) => [`_unique_id ${typeof id}`, { method: 'echo', _unique_id: id }, undefined] as const,
    ),
  ]

  it(
    'answers each request in the words of oslo.messaging, and its neighbours',
    { timeout: TIMEOUT_MS },
    async () => {
      await using bench = new HostileOsloBroker()
      const { transport, server } = await startServer(bench)
      const stray = await strayErrors(async () => {
        for (const [name, request, expected, timeout = '0'] of calls) {
          const replyQueue = `reply_${randomUUID()}`
          const ids = { _msg_id: 'm', _reply_q: replyQueue, _unique_id: randomUUID() }
          const text = JSON.stringify({ ...ids, ...request })
          bench.deliver(TOPIC, enveloped(text.replace('"_timeout":0', `"_timeout":${timeout}`)))
          const answered = await bench.reply(replyQueue)
          const failure =
            answered['failure'] === null ? undefined : HostileOsloBroker.failureOf(answered)['class']
          expect(failure, `of ${name}`).toBe(expected)
          expect(answered, `of ${name}`).toMatchObject({ ending: true, _msg_id: 'm' })
          expect(await bench.ask(TOPIC, { method: 'echo', args: { n: 1 } }), `of ${name}`).toMatchObject({
            result: { n: 1 },
          })
          expect(bench.published.get(replyQueue)!.length, `of ${name}`).toBe(1)
        }
      })
      expectUnharmed(stray)
      expect(server.stats()).toMatchObject({
        received: calls.length * 2,
        running: 0,
        waiting: 0,
        replying: 0,
      })
      expect(transport.stats()).toMatchObject({ refused: 0, lostReplies: 0, disconnects: 0 })
    },
  )

  it('refuses what it cannot read, says nothing of it, and goes on', { timeout: TIMEOUT_MS }, async () => {
    await using bench = new HostileOsloBroker()
    const { transport, server } = await startServer(bench)
    const reasons: string[] = []
    transport.on('refused', ({ reason }) => reasons.push(reason))
    const before = process.memoryUsage().rss
    const stray = await strayErrors(async () => {
      for (const [name, body, properties] of UNREADABLE) {
        bench.deliver(TOPIC, body, properties)
        expect(await bench.ask(TOPIC, { method: 'echo', args: { name } })).toMatchObject({ result: { name } })
      }
    })
    expectUnharmed(stray)
    expect(reasons.length).toBe(UNREADABLE.length)
    expect(reasons.filter((reason) => /hunter2|os\.system|x{100}/.test(reason))).toEqual([])
    expect(transport.stats()).toMatchObject({ refused: UNREADABLE.length, disconnects: 0 })
    expect(server.stats().received).toBe(UNREADABLE.length)
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * MIB)
  })

  it('keeps members called __proto__ what they are', async () => {
    await using bench = new HostileOsloBroker()
    await startServer(bench)
    const args = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": 2}}') as JsonObject
    const reply = await bench.ask(TOPIC, { method: 'echo', args, ['_context___proto__']: { polluted: 1 } })
    expect(JSON.stringify(reply['result'])).toBe(JSON.stringify(args))
    expect('polluted' in {}).toBe(false)
  })

  it('answers nobody where nobody can be answered, and runs a copy once', async () => {
    await using bench = new HostileOsloBroker()
    const { transport, server } = await startServer(bench)
    const stray = await strayErrors(async () => {
      for (const replyQueue of [undefined, '', 7, null, {}, 'r'.repeat(256), '\ud800'.repeat(200)])
        bench.deliver(TOPIC, enveloped({ method: 'echo', _msg_id: 'm', _reply_q: replyQueue }))
      for (const msgId of [7, {}, null, '', false])
        bench.deliver(TOPIC, enveloped({ method: 'echo', _msg_id: msgId, _reply_q: 'reply_of_nobody' }))
      for (let copy = 0; copy < 3; copy++)
        bench.deliver(
          TOPIC,
          enveloped({ method: 'echo', _unique_id: 'u', _msg_id: 'm', _reply_q: 'reply_once' }),
        )
      await bench.ask(TOPIC, { method: 'echo' })
    })
    expectUnharmed(stray)
    expect(bench.published.has('reply_of_nobody')).toBe(false)
    expect(bench.published.get('reply_once')!.length).toBe(1)
    expect(transport.stats()).toMatchObject({ lostReplies: 7, duplicates: 2 })
    expect(server.stats()).toMatchObject({ done: 14, replying: 0 })
  })

  it('is held up no longer than its options say by calls whose reply queues are missing', async () => {
    await using bench = new HostileOsloBroker()
    bench.isMissing = (queue) => queue.startsWith('missing')
    const { transport, server } = await startServer(bench, { missingConsumerTimeoutMs: 1000 })
    const stray = await strayErrors(async () => {
      for (let n = 0; n < 1500; n++)
        bench.deliver(TOPIC, enveloped({ method: 'echo', _msg_id: 'm', _reply_q: `missing_${n}` }))
      expect(await bench.ask(TOPIC, { method: 'echo' })).toMatchObject({ failure: null })
      await eventually(() => server.stats().replying === 0, { timeoutMs: 20_000 })
    })
    expectUnharmed(stray)
    expect(transport.stats()['lostReplies']).toBe(1500)
  })

  it('does not grow with the ids and queues that it is sent', { timeout: TIMEOUT_MS }, async () => {
    await using bench = new HostileOsloBroker()
    const { server } = await startServer(bench)
    const flood = async (count: number): Promise<void> => {
      const { received } = server.stats()
      for (let n = 0; n < count; n++) {
        const id = randomUUID().repeat(300)
        bench.deliver(TOPIC, enveloped({ method: 'echo', _unique_id: id, [`_context_${id}`]: id }))
        if (n % 50 === 49)
          await eventually(() => server.stats().received === received + n + 1, { intervalMs: 1 })
      }
    }
    await flood(200)
    const before = heapBytes()
    await flood(2000)
    // Kept, the ids alone would be 20 MiB.
    expect(heapBytes() - before).toBeLessThan(8 * MIB)
  })
})

describe('a client of calls', () => {
  const failures: readonly (readonly [name: string, failure: unknown, remoteClass: string])[] = [
    ...FORGED_NAMES.flatMap((name) => [
      [`class ${name}`, { class: name, module: 'builtins' }, name] as const,
      [`module ${name}`, { class: 'ValueError', module: name }, 'ValueError'] as const,
    ]),
    ['os.system', { class: 'system', module: 'os', args: ['id'] }, 'system'],
    ['a module of Node', { class: 'execSync', module: 'node:child_process', args: ['id'] }, 'execSync'],
    ['a path', { class: 'x', module: '../../../etc/passwd' }, 'x'],
    ['no names', { message: 'x' }, 'UnnamedError'],
    ['names that are none', { class: {}, module: [], message: 7 }, 'UnnamedError'],
    ['a traceback that is a text', { class: 'A', tb: 'Traceback' }, 'A'],
    ['a traceback that is an object', { class: 'A', tb: { length: 1e9 } }, 'A'],
    ['args and kwargs null', { class: 'A', args: null, kwargs: null }, 'A'],
    ['kwargs of Object', '{"class": "A", "kwargs": {"__proto__": {"polluted": 1}}}', 'A'],
    ['4 MiB of message', { class: 'A', message: '\u001b[2J'.repeat(MIB) }, 'A'],
    ['garbage', '{"class": "A', 'UnreadableFailure'],
    ['a list', '[]', 'UnreadableFailure'],
    ['100 000 deep', DEEP, 'UnreadableFailure'],
  ]

  /** A client and one call of it that waits. */
  async function startCall(bench: HostileOsloBroker) {
    const transport = bench.transport()
    const errors = RemoteErrorRegistry.standard.allow('builtins', { ValueError: RemoteError })
    const client = createRpcClient(transport, { topic: TOPIC }, { errors, timeoutMs: 30_000 })
    let sent = 0
    const begin = async () => {
      const outcome = client.call('echo').then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      )
      const { _msg_id: id } = await bench.request(TOPIC, ++sent)
      return { outcome, id: id as string }
    }
    return { transport, client, begin }
  }

  it('makes a RemoteError of every forged failure, and looks nothing up by it', async () => {
    await using bench = new HostileOsloBroker()
    const { client, begin } = await startCall(bench)
    const stray = await strayErrors(async () => {
      for (const [name, forged, remoteClass] of failures) {
        const { outcome, id } = await begin()
        const failure = typeof forged === 'string' ? forged : JSON.stringify(forged)
        bench.deliver(bench.replyQueue, enveloped({ result: null, failure, ending: true, _msg_id: id }))
        const { error } = (await outcome) as { error: RemoteError }
        expect(error.constructor, `of ${name}`).toBe(RemoteError)
        expect(error.failure.class, `of ${name}`).toBe(remoteClass)
      }
    })
    expectUnharmed(stray)
    expect('polluted' in {}).toBe(false)
    expect(client.stats()).toMatchObject({ remoteErrors: failures.length, inFlight: 0 })
  })

  it(
    'counts replies that are for nobody, refuses what it cannot read, and takes its own',
    { timeout: TIMEOUT_MS },
    async () => {
      await using bench = new HostileOsloBroker()
      const { transport, begin } = await startCall(bench)
      const { outcome, id } = await begin()
      const foreign: readonly JsonObject[] = [
        ...[...FORGED_NAMES, '', 'x'.repeat(MIB), id.toUpperCase(), `${id}\u0000`, 7, {}, [id], null].map(
          (msgId) => ({
            result: 'forged',
            failure: null,
            ending: true,
            _msg_id: msgId,
          }),
        ),
        { result: 'forged', ending: true },
        {},
      ]
      const stray = await strayErrors(async () => {
        for (const reply of foreign) bench.deliver(bench.replyQueue, enveloped(reply))
        for (const [, body, properties] of UNREADABLE.filter(([name]) => name !== '20 000 arguments'))
          bench.deliver(bench.replyQueue, body, properties)
        for (const ending of [false, 'yes', null, 0])
          bench.deliver(bench.replyQueue, enveloped({ result: null, failure: null, ending, _msg_id: id }))
        for (const result of ['first', 'second', 'third'])
          bench.deliver(bench.replyQueue, enveloped({ result, ending: true, _msg_id: id }))
        expect(await outcome).toEqual({ result: 'first' })
        await eventually(() => transport.stats()['unexpectedReplies'] === foreign.length + 2)
      })
      expectUnharmed(stray)
      expect(transport.stats()).toMatchObject({
        refused: UNREADABLE.length - 1,
        waitingCalls: 0,
        disconnects: 0,
      })
    },
  )
})

describe('a listener', () => {
  it(
    'hands over what is a notification, and counts or refuses all else',
    { timeout: TIMEOUT_MS },
    async () => {
      await using bench = new HostileOsloBroker()
      const transport = bench.transport()
      const seen: ReceivedNotification[] = []
      const info = (notification: ReceivedNotification): void => void seen.push(notification)
      const listener = createNotificationListener(transport, { topics: ['notes'], endpoints: [{ info }] })
      await listener.start()
      const note = (more: object): string =>
        enveloped({ event_type: 'a.b', priority: 'INFO', payload: {}, ...more })
      const handled = [
        ...[null, 7, 'x', [], { length: 1e9 }, manyMembers(9000)].map((payload) => note({ payload })),
        note({ publisher_id: {}, message_id: [], timestamp: 7, _unique_id: { a: 1 } }),
        note({ event_type: '\u001b[2J__proto__', ...manyMembers(5000, '_context_') }),
        note({ _unique_id: 'x'.repeat(MIB) }),
        note({ _unique_id: 'x'.repeat(MIB) }),
        note({ _unique_id: 'copy' }),
        '{"event_type":"a.b","priority":"info","payload":{"__proto__":{"polluted":1}},"_context___proto__":{"polluted":1}}',
      ]
      const unknown = [...FORGED_NAMES, '', 'TRACE', 7, {}, null].map((priority) => note({ priority }))
      const none = [{ event_type: {} }, { event_type: null }, { method: 'echo' }, { method: null }].map(note)
      const refused = UNREADABLE.length + none.length
      const stray = await strayErrors(async () => {
        for (const body of [...handled, note({ _unique_id: 'copy' }), ...unknown, ...none])
          bench.deliver('notes.info', body)
        for (const [, body, properties] of UNREADABLE) bench.deliver('notes.info', body, properties)
        bench.deliver('notes.info', note({ payload: 'at last' }))
        await eventually(() => seen.at(-1)?.payload === 'at last', { timeoutMs: 30_000 })
      })
      expectUnharmed(stray)
      expect('polluted' in {}).toBe(false)
      expect(seen.length).toBe(handled.length + 1)
      expect(transport.stats()).toMatchObject({ refused, duplicates: 1, disconnects: 0 })
      expect(listener.stats()).toMatchObject({
        handled: seen.length,
        unknownPriority: unknown.length,
        poisoned: 0,
      })
    },
  )
})

describe('whatever the peers write', () => {
  const name = fc.oneof(
    fc.constantFrom('method', 'args', 'namespace', 'version', 'result', 'failure', 'ending', 'event_type'),
    fc.constantFrom('priority', 'payload', '_msg_id', '_reply_q', '_timeout', '_unique_id', '_context_a'),
    fc.constantFrom('oslo.version', 'oslo.message', ...FORGED_NAMES),
    fc.string(),
  )
  const value = fc.oneof(
    fc.constantFrom('echo', 'fails', 'INFO', '1.0', '2.0', 'reply_x', 'NaN', '{}', '__proto__', ''),
    fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
  )
  const message = fc.dictionary(name, value, { maxKeys: 10 })
  const body = fc.oneof(
    message.map((content) => enveloped(content)),
    message.map((content) => JSON.stringify(content)),
    fc.tuple(message, value).map(([content, version]) => enveloped(content, version)),
    fc.tuple(message, fc.nat()).map(([content, at]) => enveloped(content).slice(0, at % 200)),
    fc.uint8Array({ maxLength: 50 }),
  )

  it('server, client and listener go on', { timeout: TIMEOUT_MS }, async () => {
    await using bench = new HostileOsloBroker()
    const { transport, server } = await startServer(bench)
    const client = createRpcClient(transport, { topic: 'other' }, { timeoutMs: 30_000 })
    const payloads: JsonValue[] = []
    const info = ({ payload }: ReceivedNotification): void => void payloads.push(payload)
    const listener = createNotificationListener(transport, { topics: ['notes'], endpoints: [{ info }] })
    await listener.start()
    let sent = 0
    const stray = await strayErrors(async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(body, { maxLength: 5 }), async (bodies) => {
          const calling = client.call('echo')
          const request = await bench.request('other', ++sent)
          const { refused: before } = transport.stats()
          for (const one of bodies)
            for (const queue of [TOPIC, bench.replyQueue, 'notes.info']) bench.deliver(queue, one)
          const mark = `mark ${sent}`
          const last = { event_type: 'a', priority: 'info', payload: mark }
          bench.deliver('notes.info', enveloped(last))
          bench.deliver(
            bench.replyQueue,
            enveloped({ result: mark, failure: null, ending: true, _msg_id: request['_msg_id']! }),
          )
          expect(await calling).toBe(mark)
          const reply = await bench.ask(TOPIC, { method: 'echo', args: { mark } })
          expect(reply).toMatchObject({ result: { mark }, failure: null })
          await eventually(() => payloads.at(-1) === mark, { intervalMs: 1 })
          expect(transport.stats().refused - before).toBeLessThanOrEqual(3 * bodies.length)
        }),
        search(0.5),
      )
    })
    expectUnharmed(stray)
    await eventually(() => transport.stats()['waitingCalls'] === 0 && server.stats().replying === 0)
    expect(transport.stats().disconnects).toBe(0)
  })

  it('fake:// carries it as JSON, and runs nothing else', { timeout: TIMEOUT_MS }, async () => {
    await using transport = createTransport(`fake://${randomUUID()}`, { drivers: [fake()] })
    const server = createRpcServer(transport, { topic: TOPIC, server: 's' }, { endpoints: [new Endpoint()] })
    await server.start()
    const client = createRpcClient(transport, { topic: TOPIC }, { timeoutMs: 30_000 })
    const stray = await strayErrors(async () => {
      for (const method of [...FORGED_NAMES, '_private', 'secret', ''])
        await expect(client.call(method, {}), `of '${method}'`).rejects.toMatchObject({ code: 'E_NO_METHOD' })
      const args = fc.dictionary(name, value, { maxKeys: 5 })
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.constant('echo'), name), args, async (method, given) => {
          const outcome = await client.call(method, given).catch((error: unknown) => error)
          const isEchoed = JSON.stringify(outcome) === JSON.stringify(given)
          expect(method === 'echo' ? isEchoed : outcome instanceof RemoteError).toBe(true)
        }),
        search(0.2),
      )
    })
    await server.stop()
    expectUnharmed(stray)
  })
})
