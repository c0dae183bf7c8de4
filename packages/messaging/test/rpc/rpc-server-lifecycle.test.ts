import { createDeferred, MessagingTimeoutError } from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { createRpcServer, parseConf, type RpcServer, type RpcServerOptions } from '../../src/index.ts'
import { keepingLogger, ScriptedDriver, transportOn, type LogLine } from './scripted-requests.ts'

const TARGET = { topic: 'testtopic', server: 'testserver' }

let clock: ManualClock
let driver: ScriptedDriver
let lines: LogLine[]

beforeEach(() => {
  clock = new ManualClock()
  driver = new ScriptedDriver()
  lines = []
})

function makeServer(options: Partial<RpcServerOptions> = {}): RpcServer {
  const transport = transportOn(driver, { clock, logger: keepingLogger(lines) })
  return createRpcServer(transport, TARGET, { endpoints: [], ...options })
}

describe('RpcServer', () => {
  it('serves its target with as large a backlog as it runs methods', async () => {
    await makeServer({ concurrency: 7 }).start()
    expect(driver.served).toMatchObject([
      { target: { exchange: 'openstack', ...TARGET }, options: { backlog: 7 } },
    ])
  })

  it('takes its defaults from the conf file', async () => {
    const conf = parseConf(
      '[DEFAULT]\ncontrol_exchange = nova\nexecutor_thread_pool_size = 5\nrpc_ping_enabled = yes\n',
    )
    const server = createRpcServer(transportOn(driver, { conf, clock }), TARGET, { endpoints: [] })
    await server.start()
    expect(driver.served).toMatchObject([{ target: { exchange: 'nova' }, options: { backlog: 5 } }])
    const ping = driver.request('oslo_rpc_server_ping')
    await settled()
    expect(ping.replies).toEqual([{ result: 'pong' }])
  })

  it('runs 64 methods at a time by default, and answers no pings', async () => {
    await makeServer({ endpoints: [{}] }).start()
    expect(driver.served[0]?.options.backlog).toBe(64)
    const ping = driver.request('oslo_rpc_server_ping')
    await settled()
    expect(ping.replies).toMatchObject([{ failure: { class: 'NoSuchMethod' } }])
  })

  it.each([
    [{ topic: 'testtopic' }, "a server needs a 'server', its own name: <Target topic=testtopic>"],
    [{ server: 'testserver' }, "a server needs a 'topic': <Target server=testserver>"],
    [{ topic: '', server: 'testserver' }, "a server needs a 'topic': <Target topic=, server=testserver>"],
  ])('refuses the target %j', (target, problem) => {
    expect(() => createRpcServer(transportOn(driver), target, { endpoints: [] })).toThrow(
      expect.objectContaining({ code: 'E_TARGET', message: problem }),
    )
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses a concurrency of %d', (concurrency) => {
    expect(() => makeServer({ concurrency })).toThrow(`'concurrency' is ${concurrency}`)
  })

  it('refuses a driver that cannot do what it needs', () => {
    driver = new ScriptedDriver({ rpc: false, redelivery: false })
    expect(() => makeServer()).toThrow("the driver 'scripted' cannot do this: remote calls")
    driver = new ScriptedDriver({ redelivery: false })
    expect(() => makeServer({ acknowledge: 'after' })).toThrow(
      expect.objectContaining({ code: 'E_UNSUPPORTED' }),
    )
    makeServer()
  })

  it('rejects a start that fails, and can be started again', async () => {
    const server = makeServer()
    driver.serving = () => Promise.reject(new MessagingTimeoutError('declaring', 5))
    await expect(server.start()).rejects.toThrow('declaring did not end within 5 ms')
    expect(server.state).toBe('stopped')
    await expect(server.closed).resolves.toMatchObject({
      error: { message: 'declaring did not end within 5 ms' },
    })
    driver.serving = () => Promise.resolve()
    await server.start()
    expect(server.state).toBe('running')
  })

  it('undoes a start that is given up', async () => {
    const server = makeServer()
    const served = createDeferred<void>()
    driver.serving = () => served.promise
    const starting = server.start({ timeoutMs: 50 })
    starting.catch(() => {})
    await clock.pass(50)
    await expect(starting).rejects.toThrow('the start of the server did not end within 50 ms')
    expect(server.state).toBe('stopped')
    served.resolve()
    await settled()
    expect(driver.story).toEqual(['serve', 'close'])
    expect(clock.armed).toBe(0)
  })

  it('rejects an aborted start with the reason of the signal', async () => {
    const server = makeServer()
    const reason = new Error('not now')
    await expect(server.start({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(driver.story).toEqual([])
    const controller = new AbortController()
    driver.serving = () => new Promise(() => {})
    const starting = server.start({ signal: controller.signal })
    expect(driver.served[0]?.options.signal?.aborted).toBe(false)
    controller.abort(reason)
    await expect(starting).rejects.toBe(reason)
    expect(server.state).toBe('stopped')
    // The driver undoes what it began.
    expect(driver.served[0]?.options.signal?.reason).toBe(reason)
  })

  it('ends by itself when the peer ends what it serves, and says why', async () => {
    const server = makeServer()
    await server.start()
    const waiting = server.wait()
    driver.end(new Error('the queue is gone for good'))
    await expect(waiting).rejects.toThrow('the queue is gone for good')
    expect(server.state).toBe('stopped')
    await expect(server.closed).resolves.toEqual({ error: new Error('the queue is gone for good') })
    await server.stop()
    await server.start()
    expect(server.state).toBe('running')
  })

  it('ends without an error when its transport is closed', async () => {
    const server = makeServer()
    await server.start()
    driver.end()
    await expect(server.wait()).resolves.toBeUndefined()
    expect(server.state).toBe('stopped')
  })

  it('stops with its block', async () => {
    {
      await using server = makeServer()
      await server.start()
    }
    expect(driver.story).toEqual(['serve', 'stop', 'close'])
  })

  it('stops also when the driver fails to stop', async () => {
    const server = makeServer()
    await server.start()
    driver.stopping = () => Promise.reject(new Error('broken'))
    await server.stop()
    expect(server.state).toBe('stopped')
    expect(lines).toMatchObject([{ level: 'warn', message: 'the server failed to end its subscription' }])
  })

  it('ends in time when the driver never does', async () => {
    const server = makeServer()
    await server.start()
    driver.stopping = () => new Promise(() => {})
    driver.closing = () => new Promise(() => {})
    const stopping = server.stop({ timeoutMs: 100 })
    await clock.pass(99)
    expect(server.state).toBe('stopping')
    await clock.pass(1001)
    await stopping
    expect(server.state).toBe('stopped')
    expect(clock.armed).toBe(0)
  })
})

// The eleven orders of TestServerLocking. One is another: stop() of a server that does not run waits for no start, so
// that ending a block whose start had failed never hangs.
describe('the order of start, stop and wait', () => {
  it('start, stop, wait', async () => {
    const server = makeServer()
    void server.start()
    await server.stop()
    await server.wait()
    expect(driver.story).toEqual(['serve', 'stop', 'close'])
    expect(server.state).toBe('stopped')
  })

  it('reversed: wait, stop, start', async () => {
    const server = makeServer()
    const waiting = server.wait()
    await server.stop()
    await server.start()
    expect(server.state).toBe('running')
    await server.stop()
    await waiting
    await server.wait()
    expect(driver.story).toEqual(['serve', 'stop', 'close'])
  })

  it('two starts at a time, of which one serves and both wait', async () => {
    const server = makeServer()
    const served = createDeferred<void>()
    driver.serving = () => served.promise
    const done: string[] = []
    const both = [server.start().then(() => done.push('one')), server.start().then(() => done.push('two'))]
    await settled()
    expect(done).toEqual([])
    expect(server.state).toBe('starting')
    served.resolve()
    await Promise.all(both)
    expect(driver.story).toEqual(['serve'])
    await server.start()
    expect(driver.story).toEqual(['serve'])
  })

  it('start, stop, wait, stop, wait, close', async () => {
    const server = makeServer()
    await server.start()
    await server.stop()
    await server.wait()
    await server.stop({ timeoutMs: 5 })
    await server.wait()
    await server.close()
    expect(driver.story).toEqual(['serve', 'stop', 'close'])
    expect(clock.armed).toBe(0)
  })

  it('a stop of one run does not stop the next', async () => {
    const server = makeServer()
    const stopped = createDeferred<void>()
    await server.start()
    driver.stopping = () => stopped.promise
    const first = server.stop()
    const second = server.start()
    await settled()
    expect(server.state).toBe('stopping')
    driver.stopping = () => Promise.resolve()
    stopped.resolve()
    await Promise.all([first, second])
    expect(server.state).toBe('running')
    expect(driver.story).toEqual(['serve', 'stop', 'close', 'serve'])
  })

  it('start, stop, start, none of them awaited', async () => {
    const server = makeServer()
    await Promise.all([server.start(), server.stop(), server.start()])
    expect(server.state).toBe('running')
    expect(driver.story).toEqual(['serve', 'stop', 'close', 'serve'])
  })

  it('says after 30 s what a stop waits for', async () => {
    const server = makeServer({ endpoints: [{ slow: () => new Promise(() => {}) }] })
    await server.start()
    driver.request('slow')
    const stopping = server.stop({ timeoutMs: 60_000 })
    await clock.pass(29_999)
    expect(lines).toEqual([])
    await clock.pass(1)
    expect(lines).toMatchObject([{ level: 'warn', details: { methods: ['slow'], replying: 0 } }])
    await clock.pass(30_000)
    await stopping
  })

  it('says nothing of a stop that is quicker', async () => {
    const server = makeServer()
    await server.start()
    await server.stop()
    await clock.pass(60_000)
    expect(lines).toEqual([])
  })

  it('says nothing of a server that is waited for and not stopped', async () => {
    const server = makeServer()
    const waiting = server.wait({ timeoutMs: 60_000 })
    waiting.catch(() => {})
    await clock.pass(60_000)
    await expect(waiting).rejects.toThrow('the end of the server did not end within 60000 ms')
    expect(lines).toEqual([])
  })

  it('a wait gives up in time', async () => {
    const server = makeServer()
    await server.start()
    const waiting = server.wait({ timeoutMs: 1000 })
    waiting.catch(() => {})
    await clock.pass(1000)
    await expect(waiting).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(server.state).toBe('running')
  })

  it('a second wait gives up in time while the server is stopping', async () => {
    const server = makeServer()
    await server.start()
    driver.stopping = () => new Promise(() => {})
    const stopping = server.stop({ timeoutMs: 5000 })
    const waiting = server.wait({ timeoutMs: 1000 })
    waiting.catch(() => {})
    await clock.pass(1000)
    await expect(waiting).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(server.state).toBe('stopping')
    await clock.pass(5000)
    await stopping
  })

  it('a stop gives a start up that does not end in time', async () => {
    const server = makeServer()
    driver.serving = () => new Promise(() => {})
    const starting = server.start()
    starting.catch(() => {})
    const stopping = server.stop({ timeoutMs: 2000 })
    await clock.pass(2000)
    await stopping
    await expect(starting).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(server.state).toBe('stopped')
  })
})
