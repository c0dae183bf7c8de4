import {
  createDeferred,
  EncodeError,
  RemoteError,
  type Deferred,
  type JsonObject,
  type JsonValue,
} from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  createRpcServer,
  defineEndpoint,
  RemoteException,
  type RpcCall,
  type RpcServer,
  type RpcServerOptions,
} from '../../src/index.ts'
import {
  keepingLogger,
  ScriptedDriver,
  ScriptedRequest,
  transportOn,
  type LogLine,
} from './scripted-requests.ts'

const TARGET = { topic: 'test', server: 'server1' }

let clock: ManualClock
let driver: ScriptedDriver
let lines: LogLine[]

beforeEach(() => {
  clock = new ManualClock()
  driver = new ScriptedDriver()
  lines = []
})

async function started(
  options: Partial<RpcServerOptions> & { endpoints: readonly object[] },
): Promise<RpcServer> {
  const server = createRpcServer(
    transportOn(driver, { clock, logger: keepingLogger(lines) }),
    TARGET,
    options,
  )
  await server.start()
  return server
}

/** Methods that end when the test says so. */
class Stepwise {
  readonly open: Deferred<JsonValue>[] = []
  readonly signals: AbortSignal[] = []
  step(_: JsonObject, call: RpcCall): Promise<JsonValue> {
    const end = createDeferred<JsonValue>()
    this.open.push(end)
    this.signals.push(call.signal)
    return end.promise
  }
}

describe('a request', () => {
  it('is accepted before its method runs, and replied to after it', async () => {
    const story: string[] = []
    await started({
      endpoints: [{ add: ({ a, b }: { a: number; b: number }) => (story.push('run'), a + b) }],
    })
    const request = new ScriptedRequest({ method: 'add', args: { a: 1, b: 2 } })
    request.accept = () => (story.push('accept'), 'accepted')
    driver.deliver(request)
    expect(story).toEqual(['accept'])
    await settled()
    expect(story).toEqual(['accept', 'run'])
    expect(request.replies).toEqual([{ result: 3 }])
  })

  it('is not replied to where nobody expects it', async () => {
    const server = await started({ endpoints: [{ ping: () => 'x' }] })
    const good = driver.deliver(new ScriptedRequest({ method: 'ping' }, { expectsReply: false }))
    const bad = driver.deliver(new ScriptedRequest({ method: 'nope' }, { expectsReply: false }))
    await settled()
    expect([good.story, bad.story]).toEqual([['accept'], ['accept']])
    expect(server.stats()).toMatchObject({ received: 2, done: 1, noSuchMethod: 1 })
  })

  it.each(['duplicate', 'lost'] as const)('that is a %s does not run', async (acceptance) => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint] })
    const request = new ScriptedRequest({ method: 'step' })
    request.acceptance = acceptance
    driver.deliver(request)
    await settled()
    expect(endpoint.open).toHaveLength(0)
    expect(request.replies).toEqual([])
    expect(server.stats()).toMatchObject({
      duplicates: 0,
      lost: 0,
      [acceptance === 'lost' ? 'lost' : 'duplicates']: 1,
      running: 0,
    })
  })

  it('waits for a slot without being accepted', async () => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint], concurrency: 2 })
    const requests = [1, 2, 3, 4].map(() => driver.request('step'))
    await settled()
    expect(requests.map(({ story }) => story.length)).toEqual([1, 1, 0, 0])
    expect(server.stats()).toMatchObject({ received: 4, running: 2, waiting: 2 })
    endpoint.open[1]!.resolve('b')
    await settled()
    expect(requests.map(({ story }) => story)).toEqual([['accept'], ['accept', 'reply'], ['accept'], []])
    for (const end of endpoint.open) end.resolve('x')
    await settled()
    for (const end of endpoint.open) end.resolve('x')
    await settled()
    expect(server.stats()).toMatchObject({ received: 4, running: 0, waiting: 0, replying: 0, done: 4 })
  })

  it('does not wait for the reply of another one', async () => {
    const server = await started({ endpoints: [{ ping: () => 'x' }], concurrency: 1 })
    const slow = new ScriptedRequest({ method: 'ping' })
    const sent = createDeferred<void>()
    slow.sending = () => sent.promise
    driver.deliver(slow)
    const next = driver.request('ping')
    await settled()
    expect(next.replies).toHaveLength(1)
    expect(server.stats()).toMatchObject({ running: 0, replying: 1 })
    const stopping = server.stop()
    await settled()
    expect(server.state).toBe('stopping')
    sent.resolve()
    await stopping
    expect(slow.replies).toHaveLength(1)
  })

  it('waits when more than a thousand replies are on their way', async () => {
    const server = await started({ endpoints: [{ ping: () => 'x' }], concurrency: 8 })
    const sent = createDeferred<void>()
    for (let count = 0; count < 1100; count++) {
      const request = new ScriptedRequest({ method: 'ping' })
      request.sending = () => sent.promise
      driver.deliver(request)
      if (count % 50 === 0) await settled()
    }
    await settled()
    const { replying, waiting } = server.stats()
    expect(replying).toBeGreaterThanOrEqual(1024)
    expect(replying).toBeLessThan(1024 + 8)
    expect(replying + waiting).toBe(1100)
    sent.resolve()
    await settled()
    expect(server.stats()).toMatchObject({ replying: 0, waiting: 0, done: 1100 })
  })

  it('is accepted after its method with acknowledge: after', async () => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint], concurrency: 1, acknowledge: 'after' })
    const request = driver.request('step')
    await settled()
    expect(request.story).toEqual([])
    endpoint.open[0]!.resolve(1)
    await settled()
    expect(request.story).toEqual(['accept', 'reply'])
    const failing = driver.request('step')
    failing.acceptance = 'lost'
    await settled()
    endpoint.open[1]!.reject(new Error('x'))
    await settled()
    expect(failing.story).toEqual(['accept', 'reply'])
    expect(server.stats()).toMatchObject({ done: 1, failed: 1, lost: 1 })
  })

  it('may come while another one is being accepted', async () => {
    const server = await started({ endpoints: [{ ping: () => 'x' }], concurrency: 100_000 })
    let left = 12_000
    const next = (): void => {
      const request = new ScriptedRequest({ method: 'ping' })
      request.accept = () => {
        if (left-- > 0) next()
        return 'accepted'
      }
      driver.deliver(request)
    }
    next()
    await settled()
    expect(server.stats()).toMatchObject({ received: 12_001, done: 12_001 })
  })
})

describe('a failing method', () => {
  it('is told to the caller and logged with its traceback', async () => {
    const server = await started({
      endpoints: [
        {
          ping: ({ arg }: { arg: string }) => {
            throw new RangeError(arg)
          },
        },
      ],
    })
    const request = driver.request('ping', { arg: 'dsfoo' })
    await settled()
    expect(request.replies).toMatchObject([
      { failure: { class: 'ValueError', module: 'builtins', message: 'dsfoo', args: ['dsfoo'] } },
    ])
    expect(lines).toMatchObject([{ level: 'error', details: { method: 'ping' }, message: 'a method failed' }])
    expect(lines[0]?.details['traceback']).toMatch(/^Traceback[\s\S]*ValueError: dsfoo\n$/)
    expect(server.stats()).toMatchObject({ failed: 1, done: 0 })
  })

  class FooException extends Error {}
  class BarException extends FooException {}

  // test_expected_exceptions, and by server and by method.
  it.each([
    ['the class', new FooException('x'), 'debug'],
    ['a subclass', new BarException('x'), 'debug'],
    ['the name that the caller gets', new RemoteException('KeyError', 'x'), 'debug'],
    ['something else', new RangeError('x'), 'error'],
  ] as const)('is logged at debug where it is expected: %s', async (_, error, level) => {
    const expected = [FooException, 'KeyError']
    const methods = {
      ping: (): never => {
        throw error
      },
    }
    await started({ endpoints: [methods], expectedErrors: expected })
    const onServer = driver.request('ping')
    await settled()
    await started({ endpoints: [defineEndpoint(methods, { expectedErrors: { ping: expected } })] })
    const onMethod = driver.request('ping')
    await settled()
    expect(lines.map((line) => line.level)).toEqual([level, level])
    expect(onServer.replies).toMatchObject([{ failure: { message: 'x' } }])
    expect(onMethod.replies).toEqual(onServer.replies)
  })

  it('is expected of its own method only', async () => {
    const fail = (): never => {
      throw new FooException('x')
    }
    await started({
      endpoints: [defineEndpoint({ a: fail, b: fail }, { expectedErrors: { a: [FooException] } })],
    })
    driver.request('b')
    await settled()
    expect(lines).toMatchObject([{ level: 'error' }])
  })

  it('passes the failure of another call on', async () => {
    const failure = {
      class: 'InstanceNotFound',
      module: 'nova.exception',
      message: 'm',
      tb: ['t\n'],
      args: [],
      kwargs: {},
    }
    await started({ endpoints: [{ ping: () => Promise.reject(new RemoteError(failure)) }] })
    const request = driver.request('ping')
    await settled()
    expect(request.replies).toEqual([{ failure }])
  })

  it.each([
    ['nope', 'warn'],
    ['nope_ignore_errors', 'debug'],
  ] as const)('that does not exist is logged: %s at %s', async (method, level) => {
    const server = await started({ endpoints: [{}] })
    const request = driver.request(method)
    await settled()
    expect(lines).toMatchObject([{ level, details: { method } }])
    expect(request.replies).toMatchObject([
      {
        failure: {
          class: 'NoSuchMethod',
          module: 'oslo_messaging.rpc.dispatcher',
          args: [`Endpoint does not support RPC method ${method}`],
          kwargs: {},
        },
      },
    ])
    expect(server.stats()).toMatchObject({ noSuchMethod: 1, failed: 0 })
  })

  it('has its module from the server', async () => {
    await started({
      endpoints: [{ ping: () => Promise.reject(new FooException('x')) }],
      errorModule: 'shop.errors',
    })
    const request = driver.request('ping')
    await settled()
    expect(request.replies).toMatchObject([{ failure: { class: 'FooException', module: 'shop.errors' } }])
  })

  it('is what a result without a JSON form becomes', async () => {
    const server = await started({ endpoints: [{ ping: () => 'x' }] })
    const request = new ScriptedRequest({ method: 'ping' })
    request.sending = () => {
      request.sending = () => Promise.resolve()
      return Promise.reject(new EncodeError('a value that contains itself has no JSON form'))
    }
    driver.deliver(request)
    await settled()
    const message = "the result of 'ping' cannot be sent: a value that contains itself has no JSON form"
    expect(request.replies).toMatchObject([{ failure: { class: 'TypeError', module: 'builtins', message } }])
    expect(server.stats()).toMatchObject({ unwritableResults: 1, replying: 0, done: 1 })
    expect(lines).toMatchObject([{ level: 'error' }])
  })

  it('leaves no heartbeat running behind', async () => {
    await started({ endpoints: [{ bad: () => Promise.reject(new Error('x')) }] })
    for (const method of ['bad', 'nope']) {
      driver.deliver(new ScriptedRequest({ method }, { monitorTimeoutMs: 10_000 }))
    }
    driver.deliver(new ScriptedRequest({ method: 'bad', version: '9.9' }, { monitorTimeoutMs: 10_000 }))
    await settled()
    expect(clock.armed).toBe(0)
  })
})

describe('a monitored call', () => {
  it('gives signs of life until its method has ended', async () => {
    const endpoint = new Stepwise()
    await started({ endpoints: [endpoint] })
    const request = driver.deliver(new ScriptedRequest({ method: 'step' }, { monitorTimeoutMs: 2000 }))
    await clock.pass(3500)
    expect(request.beats).toBe(3)
    endpoint.open[0]!.resolve(true)
    await clock.pass(10_000)
    expect(request.beats).toBe(3)
    expect(request.replies).toEqual([{ result: true }])
  })

  // TestMonitorFailure.
  it('gives one only when that one cannot be told, and runs on', async () => {
    const endpoint = new Stepwise()
    await started({ endpoints: [endpoint] })
    const request = new ScriptedRequest({ method: 'step' }, { monitorTimeoutMs: 2000 })
    request.heard = () => Promise.reject(new Error('BOOM!'))
    driver.deliver(request)
    await clock.pass(3500)
    endpoint.open[0]!.resolve(true)
    await settled()
    expect(request.beats).toBe(1)
    expect(request.replies).toEqual([{ result: true }])
  })

  it('gives none to who wants them too often, and none for a cast', async () => {
    const endpoint = new Stepwise()
    await started({ endpoints: [endpoint] })
    const often = driver.deliver(new ScriptedRequest({ method: 'step' }, { monitorTimeoutMs: 1500 }))
    const cast = driver.deliver(
      new ScriptedRequest({ method: 'step' }, { monitorTimeoutMs: 5000, expectsReply: false }),
    )
    await clock.pass(10_000)
    expect([often.beats, cast.beats]).toEqual([0, 0])
    expect(lines).toMatchObject([{ level: 'warn', details: { method: 'step', monitorTimeoutMs: 1500 } }])
  })
})

describe('stopping', () => {
  it('gives back what has no slot and waits for what runs', async () => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint], concurrency: 1 })
    const released: string[] = []
    const [running, ...waiting] = ['1', '2', '3'].map((name) => {
      const request = new ScriptedRequest({ method: 'step' })
      request.release = () => void released.push(name)
      return driver.deliver(request)
    })
    await settled()
    const stopping = server.stop()
    const late = driver.request('step')
    await settled()
    // The newest first: who puts them back at the front keeps their order.
    expect(released).toEqual(['3', '2'])
    expect(late.story).toEqual(['release'])
    expect(waiting.map(({ story }) => story)).toEqual([[], []])
    expect(driver.story).toEqual(['serve', 'stop'])
    endpoint.open[0]!.resolve('done')
    await stopping
    expect(running!.replies).toEqual([{ result: 'done' }])
    expect(driver.story).toEqual(['serve', 'stop', 'close'])
    expect(server.stats()).toMatchObject({ received: 4, done: 1, released: 3 })
    expect(clock.armed).toBe(0)
  })

  it('aborts what still runs when the time is over, and tells its caller', async () => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint] })
    const request = driver.request('step')
    await settled()
    const stopping = server.stop({ timeoutMs: 500 })
    await clock.pass(499)
    expect(endpoint.signals[0]!.aborted).toBe(false)
    await clock.pass(1)
    await stopping
    expect(endpoint.signals[0]!.reason).toMatchObject({ remoteClass: 'RuntimeError' })
    expect(request.replies).toMatchObject([
      {
        failure: {
          class: 'RuntimeError',
          module: 'builtins',
          message: 'the server was stopped before the method had ended',
        },
      },
    ])
    expect(lines).toMatchObject([{ level: 'warn', details: { methods: ['step'] } }])
    endpoint.open[0]!.resolve('too late')
    await settled()
    expect(request.replies).toHaveLength(1)
    expect(server.stats()).toMatchObject({ aborted: 1, lateReplies: 1, done: 0, failed: 0, running: 0 })
    expect(clock.armed).toBe(0)
  })

  it('gives back what still runs with acknowledge: after', async () => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint], acknowledge: 'after' })
    const request = driver.request('step')
    await settled()
    const stopping = server.stop({ timeoutMs: 500 })
    await clock.pass(500)
    await stopping
    expect(request.story).toEqual(['release'])
    endpoint.open[0]!.reject(new Error('aborted'))
    await settled()
    expect(request.story).toEqual(['release'])
    expect(server.stats()).toMatchObject({ aborted: 1, released: 1, lateReplies: 1 })
  })

  it('can be hastened', async () => {
    const endpoint = new Stepwise()
    const server = await started({ endpoints: [endpoint] })
    driver.request('step')
    await settled()
    const patient = server.stop()
    await clock.pass(5000)
    expect(server.state).toBe('stopping')
    const hasty = server.stop({ timeoutMs: 0 })
    await clock.pass(0)
    await Promise.all([patient, hasty])
    expect(server.stats()).toMatchObject({ aborted: 1 })
  })

  it('shows an aborted signal to a method that asks for it later', async () => {
    const asked = createDeferred<RpcCall>()
    const server = await started({
      endpoints: [{ slow: (_: unknown, call: RpcCall) => (asked.resolve(call), new Promise(() => {})) }],
    })
    driver.request('slow')
    const call = await asked.promise
    const stopping = server.stop({ timeoutMs: 0 })
    await clock.pass(0)
    await stopping
    expect(call.signal.aborted).toBe(true)
  })
})

it('counts every request once', async () => {
  type Step = 'call' | 'unknown' | 'duplicate' | 'lost' | 'done' | 'fail' | 'restart'
  const step = fc.constantFrom<Step>(
    'call',
    'call',
    'unknown',
    'duplicate',
    'lost',
    'done',
    'fail',
    'restart',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, concurrency) => {
        driver = new ScriptedDriver()
        const endpoint = new Stepwise()
        const server = await started({ endpoints: [endpoint], concurrency })
        let delivered = 0
        for (const now of steps) {
          if (now === 'restart') {
            const stopping = server.stop({ timeoutMs: 1 })
            await clock.pass(1)
            await stopping
            await server.start()
          } else if (now === 'done' || now === 'fail') {
            const end = endpoint.open.shift()
            if (now === 'done') end?.resolve(null)
            else end?.reject(new Error('x'))
          } else {
            delivered++
            const request = new ScriptedRequest({ method: now === 'unknown' ? 'nope' : 'step' })
            if (now === 'duplicate' || now === 'lost') request.acceptance = now
            driver.deliver(request)
          }
          await Promise.resolve()
        }
        await settled()
        const {
          received,
          running,
          waiting,
          done,
          failed,
          noSuchMethod,
          duplicates,
          lost,
          released,
          aborted,
        } = server.stats()
        expect(received).toBe(delivered)
        expect(
          running + waiting + done + failed + noSuchMethod + duplicates + lost + released + aborted,
        ).toBe(delivered)
        expect(running).toBeLessThanOrEqual(concurrency)
      },
    ),
    { numRuns: 60 },
  )
})
