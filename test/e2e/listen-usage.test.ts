import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declareExchanges } from './declare-exchanges.ts'
import { startListen } from './running-listen.ts'
import { startPeer } from './start-peer.ts'

const gate = needs(findBroker('administer', 'inspect'), findPython(['oslo_messaging', 'kombu', 'pika']))

const PASSWORD = 'hunter2-Pa55'
const URL = `amqp://operator:${PASSWORD}@127.0.0.1:1/`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermod-usage-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('hermod listen that is called wrongly', () => {
  it.each<[string, readonly string[], RegExp]>([
    [
      'a flag that is nearly right',
      ['--exchnage', 'nova'],
      /unknown option '--exchnage'.*Did you mean --exchange\?/s,
    ],
    ['an unknown flag with a value', [`--pasword=${PASSWORD}`], /unknown option '--pasword'/],
    ['a count that is none', ['-n', 'many'], /--count 'many' is not a whole number from 1/],
    ['a count of nothing', ['-n', '0'], /--count '0' is not a whole number from 1/],
    ['a duration without a unit', ['--for', '5'], /--for '5' is not a duration; give .*5s/],
    ['a duration of nothing', ['--until-idle', '0s'], /--until-idle '0s' is no time at all/],
    ['an unknown output', ['-o', 'yaml'], /--output 'yaml' is not one of pretty, ndjson/],
    ['an unknown priority', ['-p', 'inof'], /--priority 'inof' is not one of audit, debug, info/],
    ['a topic with a wildcard', ['-t', '#'], /--topic '#' holds a wildcard.*tokens/],
    ['an empty exchange', ['-x', 'nova,'], /--exchange has an empty name/],
    ['an empty pattern', ['!'], /pattern '!' is empty/],
    ['a URL for a pattern', [URL], /looks like a URL; give the broker with --url/],
    ['two places of the URL', ['--url', URL, '--from-conf', 'nova.conf'], /exclude each other/],
    ['a flag without its value', ['--for'], /--for <duration>.*argument missing/],
    ['half a certificate', ['--tls-cert', 'a.pem'], /--tls-cert and --tls-key belong together/],
  ])('%s: status 2, and a way out', async (_, args, complaint) => {
    await using listen = startListen(args, { url: URL })
    expect(await listen.ended).toEqual({ code: 2, signal: null })
    expect(listen.stderr).toMatch(complaint)
    for (const line of listen.said) expect(line).toMatch(/^hermod: /)
    expect(listen.output).not.toContain(PASSWORD)
    expect(listen.lines).toEqual([])
  })

  it('says every problem at once', async () => {
    await using listen = startListen(['-n', '0', '-o', 'xml', '-p', 'none'])
    expect((await listen.ended).code).toBe(2)
    expect(listen.said).toHaveLength(4)
    expect(listen.stderr).toMatch(/no broker named; give --url, --url-file or --from-conf, or set HERMOD_URL/)
  })

  it('a URL that cannot be used: 2 on the command line, 3 from anywhere else, and never its password', async () => {
    const broken = `amqp://operator:${PASSWORD}@host:notaport/`
    await using flag = startListen(['--url', broken])
    await using variable = startListen([], { url: broken })
    await using inFile = startListen(['--url-file', file('broken', broken)])
    await using scheme = startListen([], { url: `http://operator:${PASSWORD}@host/` })
    expect((await flag.ended).code).toBe(2)
    expect(flag.stderr).toMatch(/^hermod: --url: /)
    expect((await variable.ended).code).toBe(3)
    expect(variable.stderr).toMatch(/^hermod: HERMOD_URL: /)
    expect((await inFile.ended).code).toBe(3)
    expect(inFile.stderr).toMatch(/^hermod: .*broken: /)
    expect((await scheme.ended).code).toBe(3)
    expect(scheme.stderr).toMatch(/the scheme 'http' is not known; use amqp:\/\//)
    for (const { output } of [flag, variable, inFile, scheme]) expect(output).not.toContain(PASSWORD)
  })

  it('a file that cannot be used: 3', async () => {
    await using absent = startListen(['--from-conf', join(folder, 'absent.conf')])
    await using empty = startListen(['--url-file', file('empty', '# nothing\n')])
    await using broken = startListen(['--from-conf', file('broken.conf', `transport_url = ${URL}\n[oops\n`)])
    expect((await absent.ended).code).toBe(3)
    expect(absent.said).toEqual([expect.stringMatching(/absent\.conf.*ENOENT/) as string])
    expect((await empty.ended).code).toBe(3)
    expect(empty.stderr).toMatch(/holds no URL/)
    expect((await broken.ended).code).toBe(3)
    expect(broken.output).not.toContain(PASSWORD)
  })

  it('explains itself on stdout when asked', async () => {
    await using listen = startListen(['--help'])
    expect((await listen.ended).code).toBe(0)
    expect(listen.lines.join('\n')).toMatch(/hermod listen .*--until-idle <duration>/s)
    expect(listen.stderr).toBe('')
  })
})

describe.skipIf(gate.skip)(`what hermod listen is told${gate.note}`, () => {
  const secret = 'p@ss:/w%rd ü#?'
  let broker: BrokerFixture
  let notifier: PythonPeer
  let url = ''
  beforeAll(async () => {
    broker = await startBroker()
    await broker.createVhost('cloud/one')
    await broker.addUser('nova', secret, ['cloud/one'])
    url = broker.urlFor({ vhost: 'cloud/one' })
    await declareExchanges(url, ['nova', 'neutron', 'cell1'])
    notifier = startPeer('oslo_notify')
  })
  afterAll(async () => {
    await notifier?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  async function emit(facts: {
    readonly type: string
    readonly exchange?: string
    readonly priority?: string
    readonly topics?: readonly string[]
  }): Promise<void> {
    const { type, exchange = 'nova', priority = 'info', topics = ['notifications'] } = facts
    await notifier.ask({ url, exchange, event_type: type, priority, topics })
  }

  const encoded = encodeURIComponent(secret)

  it('--from-conf: broker, topics and exchange of a service', async () => {
    const conf = file(
      'nova.conf',
      [
        '[DEFAULT]',
        `transport_url = rabbit://nova:${encoded}@${broker.host}:${broker.port}/cloud%2Fone`,
        'control_exchange = cell1',
        '[oslo_messaging_notifications]',
        'driver = messagingv2',
        'topics = notifications,billing',
        '',
      ].join('\n'),
    )
    await using listen = await startListen(['--from-conf', conf, '-n', '3']).tapping()
    await emit({ type: 'on.cell1', exchange: 'cell1' })
    await emit({ type: 'on.billing', exchange: 'cell1', topics: ['billing'] })
    await emit({ type: 'on.nova' })
    expect((await listen.ended).code).toBe(0)
    expect(listen.events.map(({ type }) => type).toSorted()).toEqual(['on.billing', 'on.cell1', 'on.nova'])
    expect(listen.said).toHaveLength(1)
    for (const text of [secret, encoded]) expect(listen.output).not.toContain(text)
  })

  it('--from-conf: a transport of its own for notifications goes first', async () => {
    const conf = file(
      'split.conf',
      [
        '[DEFAULT]',
        'transport_url = rabbit://nova:other@127.0.0.1:1/',
        '[oslo_messaging_notifications]',
        `transport_url = rabbit://nova:${encoded}@${broker.host}:${broker.port}/cloud%2Fone`,
        '',
      ].join('\n'),
    )
    await using listen = await startListen(['--from-conf', conf, '-n', '1']).tapping()
    await emit({ type: 'a' })
    expect((await listen.ended).code).toBe(0)
  })

  it('--url-file, with comments, and either scheme', async () => {
    const authority = `nova:${encoded}@${broker.host}:${broker.port}`
    for (const scheme of ['amqp', 'rabbit']) {
      const path = file('url', `# the cloud\n\n  ${scheme}://${authority}/cloud%2Fone\n`)
      await using listen = await startListen(['--url-file', path, '-n', '1']).tapping()
      await emit({ type: 'a' })
      expect((await listen.ended).code).toBe(0)
      expect(listen.said).toHaveLength(1)
      for (const text of [secret, encoded]) expect(listen.output).not.toContain(text)
    }
  })

  it('-s, -p and patterns with ! choose what is shown', async () => {
    const all = [
      'compute.instance.create.end',
      'compute.instance.exists',
      'port.create.end',
      'keypair.create.end',
    ]
    const emitAll = async (): Promise<void> => {
      for (const type of all) {
        await emit({ type, exchange: type.startsWith('port') ? 'neutron' : 'nova' })
        await emit({ type, exchange: 'nova', priority: 'error' })
      }
      for (const exchange of ['nova', 'neutron'])
        for (const priority of ['info', 'error']) await emit({ type: `mark.${exchange}`, exchange, priority })
    }
    const wanted: readonly (readonly [args: readonly string[], shown: readonly string[]])[] = [
      [['compute.*', '!*.exists', 'mark.*', '-p', 'INFO'], ['info compute.instance.create.end']],
      [['!compute.*,!keypair.*', '-s', 'Neutron', '-s', 'nova', '-p', 'info,warn'], ['info port.create.end']],
      [['*.create.end', 'mark.*', '-s', 'neutron'], ['info port.create.end']],
      [['-p', 'error'], all.map((type) => `error ${type}`)],
    ]
    const runs: ReturnType<typeof startListen>[] = []
    try {
      for (const [args] of wanted) runs.push(startListen(args, { url }))
      for (const run of runs) await run.tapping()
      await emitAll()
      for (const [at, [, shown]] of wanted.entries()) {
        const run = runs[at] as ReturnType<typeof startListen>
        // All else was emitted before.
        await run.showing('mark.neutron')
        run.signal('SIGINT')
        expect((await run.ended).code).toBe(130)
        const lines = run.events.filter(({ type }) => !type.startsWith('mark.'))
        expect(lines.map(({ priority, type }) => `${priority} ${type}`).toSorted()).toEqual(shown.toSorted())
      }
    } finally {
      for (const run of runs) await run[Symbol.asyncDispose]()
    }
  })

  it('-x taps these exchanges alone, and -t a topic more', async () => {
    await using listen = await startListen(['-x', 'neutron,cell1', '-t', 'audit_trail', '-n', '2'], {
      url,
    }).tapping()
    const queue = /queue (hermod\.tap\.[0-9a-f]+)/.exec(listen.stderr)?.[1] ?? ''
    const bindings = (await broker.bindings('cloud/one')).filter(({ destination }) => destination === queue)
    expect(bindings.map(({ source, routingKey }) => `${source} ${routingKey}`).toSorted()).toEqual(
      ['cell1', 'neutron'].flatMap((exchange) =>
        ['audit_trail', 'ironic_versioned_notifications', 'notifications', 'versioned_notifications'].map(
          (topic) => `${exchange} ${topic}.*`,
        ),
      ),
    )
    await emit({ type: 'elsewhere' })
    await emit({ type: 'kept', exchange: 'neutron', topics: ['audit_trail'] })
    await emit({ type: 'usual', exchange: 'neutron' })
    expect((await listen.ended).code).toBe(0)
    expect(listen.events.map(({ type }) => type)).toEqual(['kept', 'usual'])
  })
})
