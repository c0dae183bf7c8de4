import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRpcServer, defineEndpoint, RemoteException, type RpcCall } from '@hermod/messaging'
import { eventually } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeIo } from '../fake-io.ts'
import { FakeServers } from '../fake-servers.ts'

/** Keeps what it was called with. */
class Recorder {
  readonly calls: { args: object; context: object; namespace: string | undefined; version: string }[] = []

  echo(args: object, { context, namespace, version }: RpcCall): object {
    this.calls.push({ args, context, namespace, version })
    return args
  }

  fail(): never {
    throw new RemoteException('ValueError', 'too \u001b[2J bad', {
      module: 'shop.errors',
      args: ['too \u001b[2J bad', 3],
    })
  }

  forever(_: object, { signal }: RpcCall): Promise<void> {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
}

function listensNoMore(io: FakeIo): void {
  expect(io.signalSource.eventNames()).toEqual([])
}

describe('hermod rpc', () => {
  let io: FakeIo
  let servers: FakeServers
  let recorder: Recorder
  beforeEach(async () => {
    servers = new FakeServers()
    io = new FakeIo()
    io.env = { HERMOD_URL: servers.url }
    recorder = new Recorder()
  })
  afterEach(async () => {
    listensNoMore(io)
    await servers[Symbol.asyncDispose]()
  })

  const serve = async (topic = 'demo', server = 'server1'): Promise<void> => {
    await servers.serve({ topic, server }, recorder)
  }
  const json = (): unknown => JSON.parse(io.stdout.text)

  describe('call', () => {
    it('prints the result as one line of JSON in a pipe', async () => {
      await serve()
      expect(
        await io.finish('rpc', 'call', 'demo', 'echo', 'a=1', 'b:=[1, null]', 'c:=18446744073709551617'),
      ).toBe(0)
      expect(io.stdout.text).toBe('{"ok":true,"result":{"a":"1","b":[1,null],"c":18446744073709551617}}\n')
      expect(io.stderr.text).toBe('')
    })

    it('prints it over several lines on a terminal, with control characters written out', async () => {
      await serve()
      io.isTty = true
      expect(await io.finish('rpc', 'call', 'demo', 'echo', 'a=\u001b[2J', 'b:=1')).toBe(0)
      expect(io.stdout.text).toBe('{\n  "a": "\\u001b[2J",\n  "b": 1\n}\n')
    })

    it('says what the server failed with, unchanged, and ends with 6', async () => {
      await serve()
      expect(await io.finish('rpc', 'call', 'demo', 'fail')).toBe(6)
      expect(json()).toEqual({
        ok: false,
        error: {
          class: 'ValueError',
          module: 'shop.errors',
          message: 'too \u001b[2J bad',
          args: ['too \u001b[2J bad', 3],
          trace: expect.stringContaining('too \u001b[2J bad') as unknown,
        },
      })
      expect(io.everything).not.toContain('\u001b')
      expect(io.stderr.lines).toEqual(['hermod: the remote method failed with ValueError: too \\x1b[2J bad'])
    })

    it('keeps stdout empty on a terminal when it fails, and shows the traceback with -v', async () => {
      await serve()
      io.isTty = true
      expect(await io.finish('rpc', 'call', 'demo', 'fail', '-v')).toBe(6)
      expect(io.stdout.text).toBe('')
      expect(io.stderr.lines.length).toBeGreaterThan(1)
      expect(io.everything).not.toContain('\u001b')
    })

    it.each([
      ['nothing', [], 'NoSuchMethod'],
      ['echo', ['--version', '2.0'], 'UnsupportedVersion'],
      ['echo', ['--namespace', 'other'], 'UnsupportedVersion'],
    ])('ends with 6 for %s %j', async (method, flags, name) => {
      await serve()
      expect(await io.finish('rpc', 'call', 'demo', method, ...flags)).toBe(6)
      expect(json()).toMatchObject({ ok: false, error: { class: name } })
    })

    it('ends with 5 when no answer comes in time', async () => {
      await serve()
      const running = io.launch('rpc', 'call', 'demo', 'forever', '--timeout', '3s')
      await eventually(() => io.clock.armed > 0)
      await io.clock.pass(2999)
      expect(running.ended).toBe(false)
      await io.clock.pass(1)
      expect(await running.code).toBe(5)
      expect(json()).toMatchObject({
        ok: false,
        error: { class: 'MessagingTimeoutError', module: 'hermod', args: [], trace: '' },
      })
      expect(io.clock.armed).toBe(0)
    })

    it('ends with 7 at once when nobody serves the topic', async () => {
      expect(await io.finish('rpc', 'call', 'demo', 'echo')).toBe(7)
      expect(json()).toMatchObject({
        ok: false,
        error: { class: 'MessageUndeliverableError', module: 'hermod' },
      })
    })

    it('ends with 130 on SIGINT, and prints nothing', async () => {
      await serve()
      const running = io.launch('rpc', 'call', 'demo', 'forever')
      await eventually(() => io.clock.armed > 0)
      io.signal('SIGINT')
      expect(await running.code).toBe(130)
      expect(io.stdout.text).toBe('')
    })

    it('sends namespace, version and context', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'hermod-'))
      const file = join(folder, 'context.json')
      await writeFile(file, '{"user_id": "u1", "roles": ["admin"], "n": 18446744073709551617}')
      await servers.serve(
        { topic: 'demo', server: 'server1' },
        defineEndpoint(recorder, { namespace: 'admin', version: '1.4' }),
      )
      const target = ['--namespace', 'admin', '--context', file]
      expect(await io.finish('rpc', '--version', '1.2', 'call', 'demo', 'echo', ...target)).toBe(0)
      expect(await io.finish('rpc', 'call', '--version', '1.3', 'demo', 'echo', 'a=1', ...target)).toBe(0)
      expect(await io.finish('rpc', 'call', 'demo', 'echo', ...target, '--version', '1.4')).toBe(0)
      await rm(folder, { recursive: true })
      expect(recorder.calls).toEqual([
        expect.objectContaining({ namespace: 'admin', version: '1.2', args: {} }),
        expect.objectContaining({ namespace: 'admin', version: '1.3', args: { a: '1' } }),
        {
          namespace: 'admin',
          version: '1.4',
          args: {},
          context: { user_id: 'u1', roles: ['admin'], n: 18446744073709551617n },
        },
      ])
    })

    it('takes the arguments from stdin', async () => {
      await serve()
      const running = io.launch('rpc', 'call', 'demo', 'echo', '-')
      io.stdin.end('{"a": [1, 2]}')
      expect(await running.code).toBe(0)
      expect(recorder.calls).toMatchObject([{ args: { a: [1, 2] } }])
    })

    it.each([
      ['{"a": 1', /^hermod: the arguments in stdin is no JSON/],
      ['[1]', /^hermod: the arguments in stdin is JSON, but no object$/m],
    ])('ends with 3 for stdin %s', async (text, complaint) => {
      const running = io.launch('rpc', 'call', 'demo', 'echo', '-')
      io.stdin.end(text)
      expect(await running.code).toBe(3)
      expect(io.stderr.text).toMatch(complaint)
    })

    it('reaches the one server that is named', async () => {
      await serve('demo', 'server1')
      const other = new Recorder()
      await servers.serve({ topic: 'demo', server: 'server2' }, other)
      for (let n = 0; n < 3; n++) expect(await io.finish('rpc', 'call', 'demo@server2', 'echo')).toBe(0)
      expect(other.calls).toHaveLength(3)
      expect(recorder.calls).toEqual([])
    })

    it('reaches topics with an @ in them', async () => {
      await serve('backend@pool', 'host1')
      expect(await io.finish('rpc', 'call', 'backend@pool@', 'echo')).toBe(0)
      expect(await io.finish('rpc', 'call', 'backend@pool@host1', 'echo')).toBe(0)
      expect(await io.finish('rpc', 'call', 'backend@pool', 'echo', '--server', 'host1')).toBe(0)
      expect(recorder.calls).toHaveLength(3)
    })
  })

  describe('asks before it sends to a service of OpenStack', () => {
    beforeEach(async () => {
      await servers.serve({ exchange: 'nova', topic: 'compute', server: 'node1' }, recorder)
    })

    it.each([
      ['y', 0, 1],
      ['YES', 0, 1],
      ['n', 1, 0],
      ['', 1, 0],
      ['yesterday', 1, 0],
    ])('%j ends with %d', async (answer, code, calls) => {
      const questions: string[] = []
      io.ask = async (question) => {
        questions.push(question)
        return answer
      }
      expect(await io.finish('rpc', 'call', 'compute@node1', 'echo')).toBe(code)
      expect(recorder.calls).toHaveLength(calls)
      expect(questions).toEqual(["hermod: send call 'echo' to nova (compute@node1)? [y/N] "])
    })

    it.each(['call', 'cast', 'fanout'])('and refuses a %s where nobody can be asked', async (kind) => {
      expect(await io.finish('rpc', kind, 'compute', 'echo')).toBe(2)
      expect(io.stderr.text).toContain("'compute' is a topic of nova")
      expect(recorder.calls).toEqual([])
    })

    it('but not with --yes', async () => {
      expect(await io.finish('rpc', 'call', 'compute@node1', 'echo', '--yes')).toBe(0)
      expect(recorder.calls).toHaveLength(1)
    })

    it('for any topic on its exchange', async () => {
      expect(await io.finish('rpc', 'call', 'anything', 'echo', '-x', 'nova')).toBe(2)
      expect(io.stderr.text).toContain('of nova')
    })

    it('and ends with 130 on SIGINT instead of an answer', async () => {
      io.ask = (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
        )
      const running = io.launch('rpc', 'call', 'compute@node1', 'echo')
      await eventually(() => io.signalSource.eventNames().length > 0)
      io.signal('SIGINT')
      expect(await running.code).toBe(130)
      expect(recorder.calls).toEqual([])
    })
  })

  describe('cast and fanout', () => {
    it('cast to one server of the topic, and say so', async () => {
      await serve()
      io.isTty = true
      expect(await io.finish('rpc', 'cast', 'demo', 'echo', 'a=1')).toBe(0)
      await eventually(() => recorder.calls.length === 1)
      expect(io.stdout.text).toBe('')
      expect(io.stderr.lines).toEqual(["hermod: sent cast 'echo' to demo"])
    })

    it('fan out to all, though there be none', async () => {
      const second = new Recorder()
      expect(await io.finish('rpc', 'fanout', 'demo', 'echo')).toBe(0)
      await serve('demo', 'server1')
      await servers.serve({ topic: 'demo', server: 'server2' }, second)
      expect(await io.finish('rpc', 'fanout', 'demo', 'echo', 'a=1')).toBe(0)
      await eventually(() => recorder.calls.length === 1 && second.calls.length === 1)
      expect(io.stdout.lines).toEqual(['{"ok":true,"result":null}', '{"ok":true,"result":null}'])
    })
  })

  describe('ping', () => {
    const pings = (): unknown[] => io.stdout.lines.map((line) => JSON.parse(line) as unknown)

    it('asks each target, and tells the dead from the deaf', async () => {
      const quiet = createRpcServer(servers.transport, { topic: 'deaf', server: 's' }, { endpoints: [{}] })
      const lively = createRpcServer(
        servers.transport,
        { topic: 'demo', server: 'server1' },
        { endpoints: [recorder], ping: true },
      )
      await Promise.all([quiet.start(), lively.start()])
      expect(await io.finish('rpc', 'ping', 'demo@server1', 'demo')).toBe(0)
      expect(pings()).toMatchObject([
        { ok: true, kind: 'pong', topic: 'demo', server: 'server1', round: 1, ms: 0 },
        { ok: true, kind: 'pong', topic: 'demo', server: null },
      ])
      expect(await io.finish('rpc', 'ping', 'deaf', 'demo')).toBe(6)
      expect(io.stderr.text).toContain('rpc_ping_enabled')
      expect(await io.finish('rpc', 'ping', 'nowhere', 'deaf', '-o', 'pretty')).toBe(7)
      expect(io.stdout.lines.slice(-2).toSorted()).toEqual([
        'deaf          0.0 ms  answers, but knows no ping',
        'nowhere       0.0 ms  nobody there',
      ])
      await Promise.all([quiet.stop(), lively.stop()])
    })

    it('asks as often as --count says, a second apart, and never asks for consent', async () => {
      const server = createRpcServer(
        servers.transport,
        { exchange: 'nova', topic: 'compute', server: 'node1' },
        { endpoints: [], ping: true },
      )
      await server.start()
      const running = io.launch('rpc', 'ping', 'compute@node1', '--count', '3')
      for (const lines of [1, 2]) {
        await eventually(() => io.stdout.lines.length === lines && io.clock.armed > 0)
        await io.clock.pass(1000)
      }
      expect(await running.code).toBe(0)
      expect(pings()).toMatchObject([{ round: 1 }, { round: 2 }, { round: 3 }])
      await server.stop()
    })

    it('ends with 5 when there is no answer within 5 s', async () => {
      const stuck = { oslo_rpc_server_ping: (args: object, call: RpcCall) => recorder.forever(args, call) }
      await servers.serve({ topic: 'demo', server: 'server1' }, stuck)
      const running = io.launch('rpc', 'ping', 'demo')
      await eventually(() => io.clock.armed > 0)
      await io.clock.pass(5000)
      expect(await running.code).toBe(5)
      expect(pings()).toMatchObject([{ ok: false, kind: 'silent', ms: 5000, error: { module: 'hermod' } }])
    })
  })

  it.each([
    [['call', 'demo'], "missing required argument 'method'"],
    [['call', 'demo', ''], 'the method is empty'],
    [['call', '@x', 'm'], "the target '@x' has no topic"],
    [['call', 'demo', 'm', 'x'], "'x' has no '='"],
    [['call', 'demo', 'm', '--timeout', '5'], "--timeout '5' is not a duration"],
    [['call', 'demo', 'm', '--version', '1'], "--version '1' is no version of a target"],
    [['call', 'demo', 'm', '-o', 'xml'], "--output 'xml' is not one of pretty, json"],
    [['call', 'demo', 'm', '-x', ''], '--exchange is empty'],
    [['call', 'demo', 'm', '-', '--context', '-'], 'stdin cannot hold both'],
    [['fanout', 'demo@server1', 'm'], "not 'server1' alone"],
    [['cast', 'demo', 'm', '--call-monitor', '5s'], "unknown option '--call-monitor'"],
    [['ping', 'demo', '--count', '0'], "--count '0' is not a whole number from 1"],
    [['ping'], "missing required argument 'target'"],
    [['call', 'demo', 'm', '--url', 'http://u:hunter2@h/'], 'no driver serves http://'],
  ])('refuses %j', async (argv, complaint) => {
    expect(await io.finish('rpc', ...argv)).toBe(2)
    expect(io.stderr.text).toContain(complaint)
    expect(io.everything).not.toContain('hunter2')
  })
})
