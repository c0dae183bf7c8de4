import type { JsonValue } from '@hermod/kernel'
import { PING_METHOD } from '@hermod/messaging'
import { expect, it } from 'vitest'
import { describePairs } from './rpc-pairs.ts'
import type { PeerRequest, RpcCaller } from './rpc-peers.ts'

const MEMBERS = ['member1', 'member2', 'member3'] as const

/** How long what was sent may take to arrive. */
const PATIENCE = { timeout: 30_000 }

/** Every kind of value that both sides carry: it must come back as it went. */
const VALUES: readonly JsonValue[] = [
  null,
  false,
  true,
  0,
  -1,
  1.5,
  1e-7,
  1.797e308,
  2 ** 53 - 1,
  2n ** 64n,
  -(10n ** 40n),
  '',
  'ünïcode \u{1f600} \u2028 "quoted" \\ / \b\f\n\r\t\u0000\u007f',
  [],
  {},
  [null, [[]], [{}], [1, 'two', [3]]],
  { '': '', 'ключ \u{1f511}': { nested: [{ deep: null }] }, constructor: 'own', method: 'no' },
  'x'.repeat(2 ** 20),
  'é'.repeat(2 ** 18),
]

describePairs(
  async ({ host }) => {
    const endpoints = [
      { version: '1.2' },
      { version: '2.0' },
      { namespace: 'stock', version: '1.5' },
      { namespace: 'new', version: '1.0', legacy_namespaces: ['old', null] },
    ]
    await host.serve({ topic: 'shop', server: 'shop1', endpoints })
    for (const server of MEMBERS) await host.serve({ topic: 'group', server })
    await host.serve({ topic: 'abroad', server: 'abroad1', exchange: 'elsewhere' })
  },
  (pair) => {
    const ask = (request: Omit<PeerRequest, 'topic'> & { topic?: string }): ReturnType<RpcCaller['ask']> =>
      pair.caller.ask({ topic: 'shop', timeout: 30, ...request })

    it('give back every kind of value as it was sent', async () => {
      const requests = VALUES.map((value) => ({ topic: 'group', method: 'echo', args: { value } }))
      const outcomes = await pair.caller.askAll(requests)
      for (const [index, value] of VALUES.entries()) expect(outcomes[index]).toEqual({ result: value })
    })

    it('give a result of null for a method that returns nothing', async () => {
      expect(await ask({ method: 'nothing' })).toEqual({ result: null })
    })

    it('hand over the context, which says of the server no more than what the client sent', async () => {
      const context = { user: 'u-17', roles: ['member', 'reader'], is_admin: false, deep: { none: null } }
      expect(
        await ask({ topic: 'group', server: 'member1', method: 'append', args: { text: 'c' }, context }),
      ).toHaveProperty('result')
      const { calls } = await pair.host.state('member1')
      const given = calls.findLast(({ method }) => method === 'append')?.context
      // Python's servers add their own member.
      expect(given).toEqual(pair.serving === 'hermod' ? context : { ...context, client_timeout: null })
    })

    it('choose the servers of a topic in turn', async () => {
      const answers: unknown[] = []
      for (let call = 0; call < 6; call++) answers.push(await ask({ topic: 'group', method: 'who' }))
      const names = answers.map((answer) => String((answer as { result: readonly unknown[] }).result[0]))
      expect(new Set(names.slice(0, 3))).toEqual(new Set(MEMBERS))
      expect(names.slice(3)).toEqual(names.slice(0, 3))
    })

    it('let a client choose one server', async () => {
      for (const server of [...MEMBERS, 'member2'])
        expect(await ask({ topic: 'group', server, method: 'who' })).toEqual({
          result: [server, null, '1.0'],
        })
    })

    it('cast to one server, and in a fanout to each', async () => {
      const append = (text: string) => ({ topic: 'group', method: 'append', args: { text }, cast: true })
      const before = await Promise.all(MEMBERS.map((name) => pair.host.state(name)))
      expect(await ask({ ...append('[one]'), server: 'member2' })).toEqual({ result: null })
      await expect.poll(async () => (await pair.host.state('member2')).text, PATIENCE).toContain('[one]')
      // Fanout counts more than the server that is named beside it.
      expect(await ask({ ...append('[all]'), fanout: true, server: 'member2' })).toEqual({ result: null })
      for (const [index, name] of MEMBERS.entries()) {
        const grown = async () => (await pair.host.state(name)).text.slice(before[index]?.text.length)
        await expect.poll(grown, PATIENCE).toBe(name === 'member2' ? '[one][all]' : '[all]')
      }
    })

    it('refuse to call in a fanout', async () => {
      expect(await ask({ method: 'who', fanout: true })).toMatchObject({ raised: 'invalid target' })
    })

    it('meet in an exchange that their targets name, and not in another', async () => {
      const abroad = { topic: 'abroad', method: 'who' }
      expect(await ask({ ...abroad, exchange: 'elsewhere' })).toEqual({ result: ['abroad1', null, '1.0'] })
      expect(await ask({ ...abroad, timeout: 1 })).toMatchObject({ raised: 'timeout' })
    })

    it.each([
      { asked: {}, answer: [null, '1.2'] },
      { asked: { version: '1.0' }, answer: [null, '1.2'] },
      { asked: { version: '1.2' }, answer: [null, '1.2'] },
      { asked: { version: '2.0' }, answer: [null, '2.0'] },
      { asked: { namespace: 'stock' }, answer: ['stock', '1.5'] },
      { asked: { namespace: 'stock', version: '1.5' }, answer: ['stock', '1.5'] },
      { asked: { namespace: 'new' }, answer: ['new', '1.0'] },
      { asked: { namespace: 'old', version: '1.0' }, answer: ['new', '1.0'] },
    ])('find the endpoint $answer for $asked', async ({ asked, answer }) => {
      expect(await ask({ method: 'who', ...asked })).toEqual({ result: ['shop1', ...answer] })
    })

    it.each([
      { asked: { version: '1.3' }, version: '1.3' },
      { asked: { version: '2.1' }, version: '2.1' },
      { asked: { version: '3.0' }, version: '3.0' },
      { asked: { namespace: 'stock', version: '1.6' }, version: '1.6' },
      { asked: { namespace: 'stock', version: '2.0' }, version: '2.0' },
      { asked: { namespace: 'unknown' }, version: '1.0' },
      { asked: { namespace: 'old', version: '1.1' }, version: '1.1' },
    ])('have no endpoint for $asked, and say so in the same words', async ({ asked, version }) => {
      expect(await ask({ method: 'who', ...asked })).toMatchObject({
        raised: 'UnsupportedVersion',
        text: `Endpoint does not support RPC version ${version}. Attempted method: who`,
      })
    })

    it.each(['absent', '_note', '__init__', 'echo_ignore_errors'])(
      'have no method %s to call, and say so in the same words',
      async (method) => {
        expect(await ask({ method, version: '1.0' })).toMatchObject({
          raised: 'NoSuchMethod',
          text: `Endpoint does not support RPC method ${method}`,
        })
      },
    )

    it('keep a client to its version cap', async () => {
      expect(await ask({ method: 'who', version: '1.1', version_cap: '1.1' })).toHaveProperty('result')
      expect(await ask({ method: 'who', version: '1.2', version_cap: '1.1' })).toMatchObject({
        raised: 'over the version cap',
      })
    })

    it('answer a ping, whatever comes with it', async () => {
      expect(await ask({ method: PING_METHOD })).toEqual({ result: 'pong' })
      expect(await ask({ method: PING_METHOD, server: 'shop1', args: { any: 1 } })).toEqual({
        result: 'pong',
      })
    })

    it('carry 200 calls at once, each with its own answer', async () => {
      const values = Array.from({ length: 200 }, (_, value) => value)
      const requests = values.map((value) => ({
        topic: 'group',
        method: 'echo',
        args: { value },
        timeout: 60,
      }))
      expect(await pair.caller.askAll(requests)).toEqual(values.map((result) => ({ result })))
    })

    // Hermod writes them as texts, in strict JSON.
    const written = pair.calling === 'hermod' && pair.serving === 'hermod' ? [] : ['nan', 'inf', '-inf']
    it.each(written)('carry %s, which JSON has no word for, from Python to Hermod', async (text) => {
      const number = { nan: NaN, inf: Infinity, '-inf': -Infinity }[text]
      const asked =
        pair.serving === 'hermod'
          ? { method: 'echo', floats: { value: text } }
          : { method: 'number', args: { text } }
      const result = pair.serving === 'hermod' ? String(number) : number
      expect(await ask({ ...asked, version: '1.0' })).toEqual({ result })
    })
  },
)
