import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  eventually,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OSLO_PYTHONS } from '../interop/oslo-pythons.ts'
import { runHermod, startHermod, type CommandEnd } from './running-command.ts'
import { startPeer } from './start-peer.ts'

const PASSWORD = 'hunter2-Pa55'

describe.each(OSLO_PYTHONS)(
  'hermod rpc and serve with oslo.messaging $release',
  ({ availability, python }) => {
    const gate = needs(findBroker('administer', 'inspect'), availability)

    describe.skipIf(gate.skip)(`on RabbitMQ${gate.note}`, () => {
      let broker: BrokerFixture
      let server: PythonPeer
      let url = ''
      let folder = ''

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'hermod-rpc-'))
        broker = await startBroker()
        await broker.addUser('operator', PASSWORD)
        url = broker.urlFor({ user: 'operator', password: PASSWORD })
        server = startPeer(
          'oslo_rpc_server',
          {
            url: broker.url,
            exchange: 'openstack',
            conf: { rpc_ping_enabled: true },
            topic: 'demo',
            server: 'server1',
            endpoints: [{}, { namespace: 'admin', version: '1.4' }],
          },
          python,
        )
        await server.until((line) => line['ready'] === true)
      })
      afterAll(async () => {
        await server?.[Symbol.asyncDispose]()
        await broker?.[Symbol.asyncDispose]()
        rmSync(folder, { recursive: true, force: true })
      })

      const rpc = async (...args: readonly string[]): Promise<CommandEnd> => {
        const end = await runHermod(['rpc', ...args], { url })
        expect(end.stdout + end.stderr).not.toContain(PASSWORD)
        return end
      }

      function file(name: string, text: string): string {
        const path = join(folder, name)
        writeFileSync(path, text)
        return path
      }

      it('calls a method and prints what it returns', async () => {
        const value = '{"a":[1,null,"ünï\u{1f6f0}"],"big":18446744073709551617}'
        expect(await rpc('call', 'demo', 'echo', `value:=${value}`)).toEqual({
          code: 0,
          stdout: `{"ok":true,"result":${value}}\n`,
          stderr: '',
        })
        expect((await rpc('call', 'demo@server1', 'nothing', '-o', 'pretty')).stdout).toBe('null\n')
      })

      it('sends namespace, version and context', async () => {
        const context = file('context.json', '{"user_id": "u1", "roles": ["admin"]}')
        const call = ['call', 'demo', 'who', '--namespace', 'admin', '--context', context]
        const ends = [await rpc('--version', '1.2', ...call), await rpc(...call, '--version', '1.4')]
        for (const { stdout } of ends)
          expect(JSON.parse(stdout)).toEqual({ ok: true, result: ['server1', 'admin', '1.4'] })
        const newer = await rpc(...call, '--version', '1.5')
        expect(newer.code).toBe(6)
        expect(JSON.parse(newer.stdout)).toMatchObject({ ok: false, error: { class: 'UnsupportedVersion' } })
        expect((await rpc('call', 'demo', 'echo', 'value=x', '--context', context)).code).toBe(0)
        const { calls } = await server.ask({ state: 'server1' })
        expect(calls).toContainEqual({
          method: 'echo',
          args: { value: 'x' },
          context: expect.objectContaining({ user_id: 'u1', roles: ['admin'] }) as unknown,
        })
      })

      it('tells what the server failed with, as it was sent, and ends with 6', async () => {
        const end = await rpc('call', 'demo', 'fail', 'kind=ValueError', 'message=too bad')
        expect(end.code).toBe(6)
        expect(JSON.parse(end.stdout)).toEqual({
          ok: false,
          error: {
            class: 'ValueError',
            module: 'builtins',
            message: 'too bad',
            args: ['too bad'],
            trace: expect.stringMatching(/^Traceback[^]*ValueError: too bad\n$/) as unknown,
          },
        })
        expect(end.stderr).toBe('hermod: the remote method failed with ValueError: too bad\n')
        const unknown = JSON.parse((await rpc('call', 'demo', 'surprise', 'message=x')).stdout) as object
        expect(unknown).toMatchObject({ error: { class: 'Surprise', module: '__main__', message: 'x' } })
      })

      it('ends with 5 when no answer comes in time', async () => {
        const end = await rpc('call', 'demo', 'delay', 'seconds:=3', '--timeout', '500ms')
        expect(end.code).toBe(5)
        expect(JSON.parse(end.stdout)).toMatchObject({ ok: false, error: { module: 'hermod' } })
      })

      it('waits as long as the server gives signs of life', async () => {
        const monitored = ['--timeout', '1m', '--call-monitor', '8s']
        const end = await rpc('call', 'demo', 'delay', 'seconds:=9', ...monitored)
        expect(end).toMatchObject({ code: 0, stdout: '{"ok":true,"result":9}\n' })
      })

      it('ends with 7 at once when nobody serves the topic', async () => {
        expect((await rpc('call', 'nowhere', 'echo')).code).toBe(7)
      })

      it('casts, to one or to all', async () => {
        await server.ask({ serve: { topic: 'crowd', server: 'crowd1' } })
        await server.ask({ serve: { topic: 'crowd', server: 'crowd2' } })
        const seen = async (name: string): Promise<unknown[]> =>
          (await server.ask({ state: name }))['calls'] as unknown[]
        const end = await rpc('fanout', 'crowd', 'append', 'text=x')
        expect(end).toMatchObject({ code: 0, stdout: '{"ok":true,"result":null}\n' })
        await eventually(async () => (await seen('crowd1')).length + (await seen('crowd2')).length === 2)
        expect((await rpc('cast', 'crowd@crowd2', 'append', 'text=y')).code).toBe(0)
        await eventually(async () => (await seen('crowd2')).length === 2)
        expect(await seen('crowd1')).toHaveLength(1)
      })

      it('pings what lives, and tells from it what is not there', async () => {
        const end = await rpc('ping', 'demo@server1', 'demo', '--count', '2', '--interval', '100ms')
        expect(end.code).toBe(0)
        const answers = end.stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as object)
        expect(answers).toHaveLength(4)
        for (const answer of answers) expect(answer).toMatchObject({ ok: true, kind: 'pong', topic: 'demo' })
        const mixed = await rpc('ping', 'demo', 'demo@nobody', '-o', 'pretty')
        expect(mixed.code).toBe(7)
        expect(mixed.stdout).toMatch(/^demo {11}\s+[\d.]+ ms {2}pong$/m)
        expect(mixed.stdout).toMatch(/^demo@nobody\s+[\d.]+ ms {2}nobody there$/m)
      })

      it('asks before it sends to a service, which only a terminal can answer', async () => {
        const end = await rpc('call', 'compute@node1', 'terminate_instance')
        expect(end.code).toBe(2)
        expect(end.stderr).toContain("'compute' is a topic of nova")
      })

      it('takes broker, exchange and patience from a conf file', async () => {
        const call = (patienceSeconds: number, ...args: readonly string[]): Promise<CommandEnd> => {
          const conf = file(
            'service.conf',
            `[DEFAULT]\ntransport_url = ${url.replace(/^amqp/, 'rabbit')}\ncontrol_exchange = openstack\nrpc_response_timeout = ${patienceSeconds}\n`,
          )
          return runHermod(['rpc', 'call', 'demo', ...args, '--from-conf', conf])
        }
        const answered = { code: 0, stdout: '{"ok":true,"result":"x"}\n', stderr: '' }
        expect(await call(40, 'echo', 'value=x')).toEqual(answered)
        expect((await call(1, 'delay', 'seconds:=4')).code).toBe(5)
      })

      it('says at once why there is no connection', async () => {
        for (const wrong of [
          broker.urlFor({ user: 'operator', password: 'wrong-Pa55' }),
          'amqp://u:pa55@127.0.0.1:1/',
        ]) {
          const startedMs = performance.now()
          const end = await runHermod(['rpc', 'call', 'demo', 'echo'], { url: wrong })
          expect(end.code).toBe(4)
          expect(end.stderr.trim().split('\n')).toHaveLength(1)
          expect(end.stdout + end.stderr).not.toMatch(/pa55/i)
          expect(performance.now() - startedMs).toBeLessThan(15_000)
        }
      })

      describe('hermod serve', () => {
        const client = (): PythonPeer =>
          startPeer('oslo_rpc_client', { url: broker.url, exchange: 'openstack' }, python)

        it('echoes to a Python client until Ctrl-C, and leaves no consumer', async () => {
          await using serve = startHermod(['serve', '--topic', 'echo', '--server', 's1', '--echo'], { url })
          await serve.saying(/serving topic 'echo'/)
          await using peer = client()
          const args = { a: [1, null, 'ü'], b: { c: true } }
          expect(await peer.ask({ topic: 'echo', method: 'whatever', args })).toEqual({ result: args })
          expect(await peer.ask({ topic: 'echo', server: 's1', method: 'x' })).toEqual({ result: {} })
          expect(await peer.ask({ topic: 'echo', method: '_hidden' })).toMatchObject({
            raised: { remote: 'NoSuchMethod' },
          })
          expect((await rpc('ping', 'echo@s1')).code).toBe(0)
          serve.signal('SIGINT')
          const end = await serve.ended
          expect(end).toMatchObject({ code: 130, stdout: '' })
          expect(end.stderr).toContain("done: call 'whatever'")
          const consumers = (await broker.queues()).filter(({ name }) => /^echo(?:\.s1)?$/.test(name))
          expect(consumers.map(({ consumers: count }) => count)).toEqual(consumers.map(() => 0))
        })

        it('serves handlers, whose errors arrive as what they name', async () => {
          const handlers = file(
            'handlers.mjs',
            `export const add = ({ a, b }) => a + b
           export function fail() { throw new RangeError('out of range') }`,
          )
          await using serve = startHermod(['serve', '--topic', 'sums', handlers], { url })
          await serve.saying(/serving topic 'sums'/)
          await using peer = client()
          expect(await peer.ask({ topic: 'sums', method: 'add', args: { a: 1, b: 2 } })).toEqual({
            result: 3,
          })
          expect(await peer.ask({ topic: 'sums', method: 'fail' })).toMatchObject({
            raised: { type: 'ValueError', text: expect.stringMatching(/^out of range/) as unknown },
          })
        })

        it('starts a program for each request', async () => {
          const script = file(
            'answer.py',
            `import json, os, sys
request = json.load(sys.stdin)
if request["method"] == "fail":
    sys.exit("no such thing")
print(json.dumps([request["method"], request["args"], request["context"]["user"], sys.argv[1:], os.environ.get("HERMOD_URL")]))
`,
          )
          const program = ['--exec', '/usr/bin/python3', script, '-o', '$HOME']
          await using serve = startHermod(['serve', '--topic', 'programs', ...program], { url })
          await serve.saying(/serving topic 'programs'/)
          await using peer = client()
          const request = { topic: 'programs', method: 'look', args: { a: '`id`' }, context: { user: 'u1' } }
          expect(await peer.ask(request)).toEqual({
            result: ['look', { a: '`id`' }, 'u1', ['-o', '$HOME'], null],
          })
          expect(await peer.ask({ ...request, method: 'fail' })).toMatchObject({
            raised: { remote: 'CommandFailed', text: 'no such thing' },
          })
        })
      })
    })
  },
)
