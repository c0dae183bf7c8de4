import {
  isHermodError,
  NoSuchMethodError,
  RemoteError,
  ValidationError,
  type Failure,
  type Logger,
} from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createRpcClient,
  createTransport,
  fake,
  MESSAGING_DIAGNOSTICS,
  RemoteErrorRegistry,
  type IncomingRequest,
  type SendDiagnostics,
  type StandardSchema,
  type Transport,
} from '../../src/index.ts'
import { recordingDriver } from './recording-driver.ts'

const clock = new ManualClock()
let worlds = 0
const open: Transport[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((transport) => transport.close()))
})

/** A transport in a world of its own. */
function ownTransport(logger?: Logger): Transport {
  const transport = createTransport(`fake://rpc-client-${worlds++}`, { drivers: [fake()], clock, logger })
  open.push(transport)
  return transport
}

/** Serves topic `t` and answers each request with what `answer` makes of it. */
async function serve(
  transport: Transport,
  answer: (request: IncomingRequest) => Parameters<IncomingRequest['reply']>[0],
): Promise<readonly IncomingRequest[]> {
  const requests: IncomingRequest[] = []
  await transport.driver.serve(
    { exchange: 'openstack', topic: 't', server: 'one' },
    {
      backlog: 100,
      onRequest: (request) => {
        requests.push(request)
        request.accept()
        void request.reply(answer(request))
      },
    },
  )
  return requests
}

const failureOf = (module: string, name: string): Failure => ({
  class: name,
  module,
  message: 'it is so',
  tb: ['line\n'],
  args: ['it is so'],
  kwargs: {},
})

/** A schema that takes what `fits` and makes `to` of it. */
function schemaOf<Input, Output>(
  fits: (value: unknown) => boolean,
  to: (value: Input) => Output,
): StandardSchema<Input, Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        fits(value)
          ? { value: to(value as Input) }
          : { issues: [{ message: 'is no number', path: ['a', { key: 0 }] }, { message: 'is wrong' }] },
    },
  }
}

describe('a call', () => {
  it('gives the result, and sends arguments, context, namespace and version', async () => {
    const transport = ownTransport()
    const requests = await serve(transport, () => ({ result: { sum: 3 } }))
    const client = createRpcClient(transport, { topic: 't', namespace: 'n', version: '1.2' })
    const context = { user: 'u', big: 2n ** 64n }
    expect(await client.call('add', { a: 1, b: 2 }, { context })).toEqual({ sum: 3 })
    expect(requests[0]!.message).toEqual({
      method: 'add',
      args: { a: 1, b: 2 },
      namespace: 'n',
      version: '1.2',
    })
    expect(requests[0]!.context).toEqual(context)
  })

  it('keeps the order of calls and casts that are not awaited', async () => {
    const transport = ownTransport()
    const requests = await serve(transport, () => ({ result: null }))
    const client = createRpcClient(transport, { topic: 't' })
    const work = Array.from({ length: 20 }, (_, n) =>
      n % 2 === 0 ? client.call('m', { n }) : client.cast('m', { n }),
    )
    await Promise.all(work)
    await settled()
    expect(requests.map(({ message }) => message['args'])).toEqual(work.map((_, n) => ({ n })))
  })

  it('rejects with the error that the failure stands for', async () => {
    class InstanceNotFound extends RemoteError {}
    const transport = ownTransport()
    const failures = [
      failureOf('oslo_messaging.rpc.dispatcher', 'NoSuchMethod'),
      failureOf('nova.exception', 'InstanceNotFound'),
      failureOf('nova.exception', 'constructor'),
    ]
    await serve(transport, ({ message }) => ({ failure: failures[Number(message['method'])]! }))
    const errors = RemoteErrorRegistry.standard.allow('nova.exception', { InstanceNotFound })
    const client = createRpcClient(transport, { topic: 't' }, { errors })
    await expect(client.call('0')).rejects.toBeInstanceOf(NoSuchMethodError)
    await expect(client.call('1')).rejects.toBeInstanceOf(InstanceNotFound)
    await expect(client.call('2')).rejects.toMatchObject({ code: 'E_REMOTE', failure: failures[2] })
    expect(client.stats()).toMatchObject({ calls: 3, failed: 3, remoteErrors: 3, timedOut: 0 })
  })

  it('ends in time', async () => {
    const client = createRpcClient(ownTransport(), { topic: 't' }, { timeoutMs: 100 })
    const calling = client.call('m')
    expect(client.stats().inFlight).toBe(1)
    await clock.pass(100)
    await expect(calling).rejects.toThrow("the call of 'm' on topic 't' did not end within 100 ms")
    expect(client.prepare({ server: 's' }).stats()).toMatchObject({ inFlight: 0, failed: 1, timedOut: 1 })
  })

  it('ends as its signal says', async () => {
    const controller = new AbortController()
    const calling = createRpcClient(ownTransport(), { topic: 't' }).call(
      'm',
      {},
      { signal: controller.signal },
    )
    const reason = new TypeError('enough')
    controller.abort(reason)
    await expect(calling).rejects.toBe(reason)
  })

  it('that fails unawaited is counted and does not end the process', async () => {
    const client = createRpcClient(ownTransport(), { topic: undefined })
    void client.call('m')
    void client.cast('m')
    await settled()
    expect(client.stats()).toMatchObject({ calls: 1, casts: 1, failed: 2, inFlight: 0 })
  })

  it('is no promise of the client itself', async () => {
    const client = createRpcClient(ownTransport(), { topic: 't' })
    expect('then' in client).toBe(false)
    expect(await Promise.resolve(client)).toBe(client)
  })
})

describe('a cast', () => {
  it('resolves once the peer has it, and carries no reply', async () => {
    const transport = ownTransport()
    const requests = await serve(transport, () => ({ result: 'unwanted' }))
    await createRpcClient(transport, { topic: 't' }).cast('m', { n: 1 }, { timeoutMs: 50 })
    await settled()
    expect(requests.map(({ expectsReply }) => expectsReply)).toEqual([false])
    expect(transport.stats().unexpectedReplies).toBe(0)
  })

  it('gives up when its time is over, and hands the driver a signal that says so', async () => {
    const driver = recordingDriver(
      ({ options: { signal } }) =>
        new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error))),
    )
    const warnings: unknown[] = []
    const logger: Logger = { debug() {}, info() {}, warn: (_, text) => warnings.push(text), error() {} }
    const transport = createTransport('recording://', { drivers: [driver], clock, logger })
    const casting = createRpcClient(transport, { topic: 't' }).cast('m', {}, { timeoutMs: 70 })
    await clock.pass(70)
    await expect(casting).rejects.toThrow("the cast of 'm' did not end within 70 ms")
    expect(warnings).toEqual(['a cast failed'])
    expect(clock.armed).toBe(0)
  })
})

describe('the schemas of a client', () => {
  const numbers = schemaOf<{ a: number }, { a: number }>(
    (value) => typeof (value as { a?: unknown }).a === 'number',
    () => ({
      a: -1,
    }),
  )
  const date = schemaOf<string, Date>(
    (value) => typeof value === 'string',
    (value) => new Date(value),
  )
  const schemas = { when: { args: numbers, result: date }, 'to.string': { result: date } }

  it('hold arguments, which travel as they were given, and make the result', async () => {
    const transport = ownTransport()
    const requests = await serve(transport, () => ({ result: '2026-01-02T03:04:05Z' }))
    const client = createRpcClient(transport, { topic: 't' }, { schemas })
    expect(await client.call('when', { a: 7 })).toEqual(new Date('2026-01-02T03:04:05Z'))
    expect(requests[0]!.message['args']).toEqual({ a: 7 })
    expect(await client.call('toString')).toBe('2026-01-02T03:04:05Z')
  })

  it('refuse arguments before anything is sent', async () => {
    const driver = recordingDriver()
    const transport = createTransport('recording://', { drivers: [driver] })
    const client = createRpcClient(transport, { topic: 't' }, { schemas })
    const wrong = { a: 'secret' } as unknown as { a: number }
    for (const work of [client.call('when', wrong), client.cast('when', wrong)]) {
      await expect(work).rejects.toThrow(ValidationError)
      await expect(work).rejects.toMatchObject({ issues: ['at a.0: is no number', 'is wrong'] })
      await expect(work).rejects.not.toThrow('secret')
    }
    expect(driver.sends).toEqual([])
  })

  it('refuse a result', async () => {
    const driver = recordingDriver(() => ({ result: 7 }))
    const transport = createTransport('recording://', { drivers: [driver] })
    const client = createRpcClient(transport, { topic: 't' }, { schemas })
    await expect(client.call('when', { a: 1 })).rejects.toThrow("the result of 'when'")
  })
})

describe('the diagnostics of a client', () => {
  it('tell when a request begins, ends and fails, and put headers into it', async () => {
    const seen: [string, SendDiagnostics][] = []
    const moments = Object.entries(MESSAGING_DIAGNOSTICS.send).map(([moment, channel]) => {
      const listener = (message: unknown): void => {
        const work = message as SendDiagnostics
        seen.push([moment, work])
        if (moment === 'start') work.headers['x-note'] = work.method!
      }
      channel.subscribe(listener)
      return () => channel.unsubscribe(listener)
    })
    const transport = ownTransport()
    const requests = await serve(transport, ({ message }) =>
      message['method'] === 'bad' ? { failure: failureOf('builtins', 'KeyError') } : { result: 1 },
    )
    const client = createRpcClient(transport, { topic: 't', server: 'one' })
    try {
      await client.call('good')
      await client.cast('told')
      const error: unknown = await client.call('bad').catch((reason: unknown) => reason)
      await settled()
      expect(seen.map(([moment, { kind, method }]) => `${moment} ${kind} ${method}`)).toEqual([
        'start call good',
        'end call good',
        'start cast told',
        'end cast told',
        'start call bad',
        'error call bad',
      ])
      expect(seen[0]![1]).toBe(seen[1]![1])
      expect(seen[0]![1]).toMatchObject({
        driver: 'fake',
        exchange: 'openstack',
        topic: 't',
        server: 'one',
        fanout: false,
      })
      expect(isHermodError(error) && seen[5]![1].error === error).toBe(true)
      expect(requests.map(({ headers }) => headers)).toEqual(
        ['good', 'told', 'bad'].map((method) => ({ 'x-note': method })),
      )
    } finally {
      for (const unsubscribe of moments) unsubscribe()
    }
  })
})
