import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NoSuchMethodError, RemoteError } from '@hermod/kernel'
import { createRpcClient, type RpcClient } from '@hermod/messaging'
import { eventually } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeIo, type Running } from '../fake-io.ts'
import { FakeServers } from '../fake-servers.ts'

function listensNoMore(io: FakeIo): void {
  expect(io.signalSource.eventNames()).toEqual([])
}

describe('hermod serve', () => {
  let io: FakeIo
  let peers: FakeServers
  let folder = ''
  beforeEach(async () => {
    peers = new FakeServers()
    io = new FakeIo()
    io.env = { HERMOD_URL: peers.url }
    folder = await mkdtemp(join(tmpdir(), 'hermod-'))
  })
  afterEach(async () => {
    listensNoMore(io)
    await peers[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  /** Starts it and waits until it serves. */
  async function serving(...argv: readonly string[]): Promise<Running> {
    const running = io.launch('serve', '--topic', 'demo', '--server', 'server1', ...argv)
    await eventually(() => io.stderr.text.includes('serving') || running.ended)
    return running
  }

  async function stopped(running: Running): Promise<number> {
    io.signal('SIGINT')
    return running.code
  }

  const client = (target: object = {}): RpcClient =>
    createRpcClient(peers.transport, { topic: 'demo', ...target }, { timeoutMs: 20_000, atLeastOnce: true })

  it('answers every method with its arguments, and says what it did', async () => {
    const running = await serving('--echo')
    expect(await client().call('anything', { a: [1, null], big: 18446744073709551617n })).toEqual({
      a: [1, null],
      big: 18446744073709551617n,
    })
    expect(await client({ server: 'server1' }).call('toString')).toEqual({})
    await client({ fanout: true }).cast('refresh')
    await eventually(() => io.stderr.text.includes("done: cast 'refresh'"))
    expect(await client().call('oslo_rpc_server_ping')).toBe('pong')
    for (const hidden of ['_private', '__proto__', 'constructor'])
      await expect(client().call(hidden)).rejects.toThrow(NoSuchMethodError)
    await client().call('long'.repeat(5000))
    expect(await stopped(running)).toBe(130)
    for (const line of io.stderr.lines) expect(line.length).toBeLessThan(400)
    expect(io.stdout.text).toBe('')
    expect(io.stderr.lines.slice(0, 2)).toEqual([
      "hermod: serving topic 'demo' as 'server1' on exchange 'openstack': every method answers with its arguments",
      "hermod: done: call 'anything' after 0.0 ms",
    ])
    await expect(client().call('anything')).rejects.toMatchObject({ code: 'E_UNROUTABLE' })
  })

  it('answers in the namespace and version asked for', async () => {
    const flags = ['--namespace', 'ns', '--version', '2.1', '-x', 'mine', '--echo', '-q']
    const running = io.launch('serve', '--topic', 'demo', ...flags)
    const ours = client({ exchange: 'mine', namespace: 'ns', version: '2.0' })
    await eventually(() =>
      ours.call('m').then(
        () => true,
        () => false,
      ),
    )
    const newer = client({ exchange: 'mine', namespace: 'ns', version: '2.2' })
    await expect(newer.call('m')).rejects.toMatchObject({ code: 'E_RPC_VERSION' })
    expect(io.stderr.text).toBe('')
    await stopped(running)
  })

  it('serves the handlers of a file', async () => {
    const path = join(folder, 'handlers.mjs')
    await writeFile(
      path,
      `export const add = ({ a, b }) => a + b
       export const whoAmI = (_, { context, method }) => [context.user, method]
       export function fail() { throw new RangeError('out of \\u001b[2J range') }`,
    )
    const running = await serving(path)
    expect(await client().call('add', { a: 1, b: 2 })).toBe(3)
    expect(await client().call('whoAmI', {}, { context: { user: 'u1' } })).toEqual(['u1', 'whoAmI'])
    await expect(client().call('fail')).rejects.toMatchObject({ remoteClass: 'ValueError' })
    await expect(client().call('nothing')).rejects.toThrow(NoSuchMethodError)
    expect(io.stderr.text).toContain("failed: call 'fail' after 0.0 ms (")
    expect(io.stderr.text).not.toContain('\u001b')
    expect(await stopped(running)).toBe(130)
  })

  describe('--exec', () => {
    const program = (code: string): readonly string[] => ['--exec', process.execPath, '-e', code]
    const READ = `let text = ''; process.stdin.on('data', (d) => (text += d)).on('end', () => {
      const request = JSON.parse(text); answer(request) })
      `

    it('starts a program for each request, and gives what it writes', async () => {
      io.env = { ...io.env, SOME: 'thing' }
      const running = await serving(
        ...program(
          `${READ}function answer(r) { console.log(JSON.stringify([r, process.env.SOME, process.env.HERMOD_URL ?? null])) }`,
        ),
      )
      const call = client({ version: '1.0' }).call('add', { a: '$(id)' }, { context: { user: 'u1' } })
      expect(await call).toEqual([
        { method: 'add', args: { a: '$(id)' }, namespace: null, version: '1.0', context: { user: 'u1' } },
        'thing',
        null,
      ])
      expect(await stopped(running)).toBe(130)
    })

    it('gives null for nothing, and fails with the first line of stderr', async () => {
      const running = await serving(
        ...program(`${READ}function answer({ method }) {
          if (method === 'fail') { console.error('no such thing\\nat all'); process.exit(4) }
          if (method === 'chatter') console.log('this is no JSON') }`),
      )
      expect(await client().call('nothing')).toBe(null)
      await expect(client().call('fail')).rejects.toMatchObject({
        failure: { class: 'CommandFailed', module: 'hermod', message: 'no such thing' },
      })
      await expect(client().call('chatter')).rejects.toMatchObject({
        failure: {
          class: 'CommandFailed',
          message: expect.stringMatching(/^its output is no JSON/) as unknown,
        },
      })
      await stopped(running)
    })

    it('kills a program that takes too long', async () => {
      const running = await serving('--timeout', '80ms', ...program('setTimeout(() => {}, 60000)'))
      await expect(client().call('slow')).rejects.toMatchObject({
        failure: { message: 'it ran longer than 80 ms' },
      })
      await stopped(running)
    })

    it('runs so many at a time and no more', async () => {
      const file = join(folder, 'log')
      const running = await serving(
        '--concurrency',
        '2',
        ...program(`const { appendFileSync } = require('node:fs')
          appendFileSync(${JSON.stringify(file)}, '+')
          setTimeout(() => appendFileSync(${JSON.stringify(file)}, '-'), 30)`),
      )
      await Promise.all(Array.from({ length: 6 }, () => client().call('m')))
      const log = await readFile(file, 'utf8')
      expect(log).toHaveLength(12)
      let open = 0
      for (const sign of log) {
        open += sign === '+' ? 1 : -1
        expect(open).toBeLessThanOrEqual(2)
      }
      await stopped(running)
    })

    it('lets a program end after the first SIGINT, and kills it at the second', async () => {
      const file = join(folder, 'pid')
      const code = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))
        setTimeout(() => {}, 60000)`
      const running = await serving(...program(code))
      const call = client().call('m')
      call.catch(() => {})
      const pid = await eventually(async () => Number(await readFile(file, 'utf8').catch(() => '')) || false)
      io.signal('SIGINT')
      await eventually(() => io.clock.armed > 0)
      expect(running.ended).toBe(false)
      expect(process.kill(pid, 0)).toBe(true)
      io.signal('SIGINT')
      expect(await running.code).toBe(130)
      await eventually(() => {
        try {
          return !process.kill(pid, 0)
        } catch {
          return true
        }
      })
    })

    it('kills a program that has not ended 10 s after the first SIGINT, and tells its caller', async () => {
      const file = join(folder, 'started')
      const code = `require('node:fs').writeFileSync(${JSON.stringify(file)}, ''); setTimeout(() => {}, 60000)`
      const running = await serving(...program(code))
      const outcome = client()
        .call('m')
        .catch((error: unknown) => error)
      await eventually(() => existsSync(file))
      io.signal('SIGINT')
      await eventually(() => io.clock.armed > 0)
      await io.clock.pass(10_000)
      expect(await running.code).toBe(130)
      expect(await outcome).toBeInstanceOf(RemoteError)
    })
  })

  describe('on a topic of OpenStack', () => {
    it('is refused where nobody can be asked', async () => {
      expect(await io.finish('serve', '--topic', 'conductor', '--echo')).toBe(2)
      expect(io.stderr.text).toContain("'conductor' is a topic of nova")
    })

    it('asks first, and serves nothing without a yes', async () => {
      io.ask = () => Promise.resolve('no')
      expect(await io.finish('serve', '--topic', 'conductor', '--echo')).toBe(1)
      expect(io.stderr.lines).toEqual(['hermod: nothing is served'])
    })
  })

  it.each([
    [['--echo'], 'no topic is given'],
    [['--topic', 't'], 'nothing to serve with'],
    [['--topic', 't', '--echo', '--exec', 'x'], '--echo and --exec exclude each other'],
    [['--topic', 't', '--exec'], '--exec needs a program behind all flags'],
    [['--topic', 't', '--echo', 'file.mjs'], "--echo serves no 'file.mjs'"],
    [['--topic', 't', 'file.mjs', 'other.mjs'], "not also 'other.mjs'"],
    [['--topic', 't', '--echo', '--timeout', '5s'], '--timeout is for the programs of --exec'],
    [['--topic', 't', '--echo', '--version', 'one'], "--version 'one' is no version"],
    [['--topic', 't', '--echo', '--concurrency', '0'], "--concurrency '0' is not a whole number from 1"],
    [['--topic', 't', '--echo', '--access-policy', 'none'], "--access-policy 'none' is not one of"],
    [['--topic', 't', '--echo', '--access-policy', 'explicit'], 'explicit is for handlers'],
    [['--topic', 't', '--server', '', '--echo'], '--server is empty'],
  ])('refuses %j', async (argv, complaint) => {
    expect(await io.finish('serve', ...argv)).toBe(2)
    expect(io.stderr.text).toContain(complaint)
  })

  it('ends with 3 for handlers that cannot be loaded', async () => {
    expect(await io.finish('serve', '--topic', 't', join(folder, 'none.mjs'))).toBe(3)
    expect(io.stderr.lines).toHaveLength(1)
  })
})
