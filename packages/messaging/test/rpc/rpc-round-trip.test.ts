import { NoSuchMethodError, RemoteError, UnsupportedVersionError, ValidationError } from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createRpcClient,
  createRpcServer,
  createTransport,
  defineEndpoint,
  fake,
  RemoteErrorRegistry,
  Target,
  type RpcCall,
  type RpcServer,
  type RpcServerOptions,
  type Transport,
} from '../../src/index.ts'

const clock = new ManualClock()
const closing: (() => Promise<unknown>)[] = []
let worlds = 0

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

function open(url: string): Transport {
  const transport = createTransport(url, { drivers: [fake()], clock })
  closing.push(() => transport.close())
  return transport
}

const ownUrl = (): string => `fake://round-trip-${worlds++}`

async function start(url: string, server: string, options: RpcServerOptions): Promise<RpcServer> {
  const started = createRpcServer(open(url), { topic: 'test', server }, options)
  await started.start()
  closing.push(() => started.stop())
  return started
}

class Echo {
  readonly target: Target
  readonly name: string
  readonly heard: unknown[] = []

  constructor(name: string, namespace: string) {
    this.name = name
    this.target = new Target({ namespace, version: '1.2' })
  }

  test({ arg }: { arg: string }, call: RpcCall): string {
    this.heard.push(call.context)
    return `${this.name} ${arg}`
  }
}

describe('a client and a server', () => {
  it('meet by namespace and version', async () => {
    const url = ownUrl()
    const endpoints = [new Echo('one', 'namespace1'), new Echo('two', 'namespace2')]
    await start(url, 'server1', { endpoints })
    const client = createRpcClient<Echo>(open(url), {
      topic: 'test',
      namespace: 'namespace2',
      version: '1.1',
    })
    expect(await client.call('test', { arg: 'a' }, { context: { user: 'u' } })).toBe('two a')
    expect(endpoints[1]!.heard).toMatchObject([{ user: 'u' }])
    expect(await client.prepare({ namespace: 'namespace1' }).call('test', { arg: 'a' })).toBe('one a')
    await expect(client.prepare({ version: '1.3' }).call('test', { arg: 'a' })).rejects.toThrow(
      UnsupportedVersionError,
    )
    await expect(client.prepare({ namespace: undefined }).call('test', { arg: 'a' })).rejects.toThrow(
      UnsupportedVersionError,
    )
  })

  it('meet at all servers, at one, or at any', async () => {
    const url = ownUrl()
    const echoes = ['server1', 'server2', 'server3'].map((name) => new Echo(name, 'n'))
    for (const echo of echoes) await start(url, echo.name, { endpoints: [echo] })
    const client = createRpcClient<Echo>(open(url), { topic: 'test', namespace: 'n' })
    const ofServer = client.prepare({ server: 'server2' })
    expect(await Promise.all([1, 2, 3].map(() => ofServer.call('test', { arg: '' })))).toEqual([
      'server2 ',
      'server2 ',
      'server2 ',
    ])
    const any = await Promise.all(Array.from({ length: 6 }, () => client.call('test', { arg: '' })))
    expect(any.toSorted()).toEqual(['server1 ', 'server1 ', 'server2 ', 'server2 ', 'server3 ', 'server3 '])
    const before = echoes.map(({ heard }) => heard.length)
    await ofServer.prepare({ fanout: true }).cast('test', { arg: '' })
    await settled()
    expect(echoes.map(({ heard }, n) => heard.length - before[n]!)).toEqual([1, 1, 1])
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['false', false],
    ['zero', 0],
    ['an empty text', ''],
    ['an empty list', []],
    ['an empty object', {}],
    ['text of many scripts', 'caf\u00e9 \u{1f680}'],
    ['a big integer', 2n ** 64n],
    ['a megabyte', 'x'.repeat(1024 * 1024)],
  ])('pass on %s', async (_, value) => {
    const url = ownUrl()
    await start(url, 's', { endpoints: [{ same: ({ value: given }: { value: unknown }) => given }] })
    expect(await createRpcClient(open(url), { topic: 'test' }).call('same', { value })).toEqual(value)
  })

  it('pass on errors, as the classes that the client allows', async () => {
    class NotFound extends RemoteError {}
    const url = ownUrl()
    const endpoint = {
      typed: () => {
        throw new TypeError('it is wrong')
      },
      missing: () => {
        throw new RemoteError({
          class: 'NotFound',
          module: 'things.exception',
          message: 'no such thing',
          tb: [],
          args: ['no such thing', 7],
          kwargs: {},
        })
      },
    }
    await start(url, 's', { endpoints: [endpoint] })
    const errors = RemoteErrorRegistry.standard.allow('things.exception', { NotFound })
    const client = createRpcClient<typeof endpoint>(open(url), { topic: 'test' }, { errors })
    await expect(client.call('typed')).rejects.toMatchObject({ code: 'E_REMOTE', remoteClass: 'TypeError' })
    const error: unknown = await client.call('missing').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(NotFound)
    expect((error as NotFound).failure.args).toEqual(['no such thing', 7])
    for (const method of ['constructor', '__proto__', 'toString', 'hasOwnProperty', '_typed', 'then', '']) {
      await expect(client.call(method as 'typed')).rejects.toThrow(NoSuchMethodError)
    }
  })

  it('hold arguments and results against schemas on both sides', async () => {
    const url = ownUrl()
    const endpoint = defineEndpoint(
      {
        later: ({ at, byDays }: { at: Date; byDays: number }) => new Date(at.getTime() + byDays * 86_400_000),
      },
      {
        schemas: {
          later: { args: z.object({ at: z.coerce.date<string>(), byDays: z.number().default(1) }) },
        },
      },
    )
    await start(url, 's', { endpoints: [endpoint] })
    const untyped = createRpcClient(open(url), { topic: 'test' })
    const at = '2026-01-01T00:00:00.000Z'
    expect(await createRpcClient<typeof endpoint>(open(url), { topic: 'test' }).call('later', { at })).toBe(
      '2026-01-02T00:00:00.000Z',
    )
    await expect(untyped.call('later', { at: 'never' })).rejects.toMatchObject({ remoteClass: 'ValueError' })
    const schemas = { later: { args: z.object({ at: z.iso.datetime() }), result: z.coerce.date() } }
    const strict = createRpcClient(open(url), { topic: 'test' }, { schemas })
    expect(await strict.call('later', { at })).toEqual(new Date('2026-01-02T00:00:00Z'))
    await expect(strict.call('later', { at: 'never' })).rejects.toThrow(ValidationError)
  })

  it('last beyond the time without signs of life, as long as the server gives them', async () => {
    const url = ownUrl()
    let finish!: () => void
    const working = new Promise<string>((resolve) => (finish = () => resolve('done')))
    await start(url, 's', { endpoints: [{ work: () => working }] })
    const client = createRpcClient(
      open(url),
      { topic: 'test' },
      { callMonitorTimeoutMs: 2000, timeoutMs: 60_000 },
    )
    const calling = client.call('work')
    await clock.pass(20_000)
    finish()
    expect(await calling).toBe('done')
    await expect(client.prepare({ atLeastOnce: true, topic: 'nowhere' }).call('work')).rejects.toMatchObject({
      code: 'E_UNROUTABLE',
    })
  })

  it('survive hundreds of calls at a time', async () => {
    const url = ownUrl()
    const server = await start(url, 's', {
      endpoints: [{ add: ({ a, b }: { a: number; b: number }) => a + b }],
      concurrency: 4,
    })
    const client = createRpcClient(open(url), { topic: 'test' })
    const results = await Promise.all(
      Array.from({ length: 500 }, (_, n) => client.call('add', { a: n, b: 1 })),
    )
    expect(results).toEqual(Array.from({ length: 500 }, (_, n) => n + 1))
    expect(client.stats()).toEqual({
      calls: 500,
      casts: 0,
      inFlight: 0,
      failed: 0,
      timedOut: 0,
      remoteErrors: 0,
    })
    expect(server.stats()).toMatchObject({ received: 500, done: 500, running: 0, waiting: 0 })
  })
})
