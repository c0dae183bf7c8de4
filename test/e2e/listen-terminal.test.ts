import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declareExchanges } from './declare-exchanges.ts'
import { startPeer } from './start-peer.ts'
import { TerminalRun } from './terminal-run.ts'

const gate = needs(findBroker('administer'), findPython(['oslo_messaging', 'kombu', 'pika']))

const COLUMNS = 100

/** `hermod listen` on a terminal, once it taps. */
async function listening(
  url: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalRun> {
  const run = new TerminalRun(['listen', '--for', '150s', ...args], {
    columns: COLUMNS,
    env: { HERMOD_URL: url, ...env },
  })
  await eventually(() => run.stderr.includes('hermod: tapping '), { timeoutMs: 30_000 })
  return run
}

/** A tenant's idea of a name. */
const HOSTILE = 'a\u001b[2J\u001b]0;owned\u0007\r\n\u202e\u009bevil\u0000'

/** JSON in plain ASCII. */
function visibleForm(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

describe.skipIf(gate.skip)(`hermod listen on a terminal${gate.note}`, () => {
  let broker: BrokerFixture
  let notifier: PythonPeer
  let url = ''
  beforeAll(async () => {
    broker = await startBroker()
    url = broker.url
    await declareExchanges(url, ['nova'])
    notifier = startPeer('oslo_notify')
  })
  afterAll(async () => {
    await notifier?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  const ID = '178b0921-8f85-4257-88b6-2e743b5a975c'

  async function emit(type: string, name: string, priority = 'info'): Promise<void> {
    const payload = { instance_id: ID, display_name: name, tenant_id: 'demo' }
    await notifier.ask({ url, exchange: 'nova', event_type: type, payload, priority })
  }

  it('shows one line an event that fits the terminal, in colours, and ends with 130 on Ctrl-C', async () => {
    await using run = await listening(url, [])
    await emit('compute.instance.create.start', 'web-1')
    await emit('compute.instance.create.end', 'web-1')
    await emit('compute.instance.create.error', `web-${'long'.repeat(40)}`, 'error')
    await run.showing('compute.instance.create.error')
    run.type('\u0003')
    expect(await run.exit).toBe(130)
    expect(run.rows).toHaveLength(3)
    // oxlint-disable-next-line no-control-regex -- colours are what this is about
    const colours = /\u001b\[(?:\d{1,2})m/g
    const plain = run.rows.map((row) => row.replaceAll(colours, ''))
    expect(plain[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}nova {7}compute\.instance\.create\.start +▸ {2}web-1 178b0921/,
    )
    expect(plain[1]).toMatch(/ compute\.instance\.create\.end +✓ {2}web-1 178b0921 .*\d+(?:\.\d)?m?s$/)
    expect(plain[2]).toMatch(/ ✗ {2}web-long\S*… 178b0921/)
    for (const row of plain) expect(row.length).toBeLessThanOrEqual(COLUMNS)
    expect(run.rows.join('')).toMatch(colours)
  })

  it.each([
    ['pretty', 'a\\x1b[2J'],
    ['ndjson', `"display_name":${visibleForm(HOSTILE)}`],
  ])('writes out what would steer the terminal: %s', async (output, shown) => {
    await using run = await listening(url, ['-o', output, '-n', '1'])
    await emit('compute.instance.create.end', HOSTILE)
    expect(await run.exit).toBe(0)
    expect(run.rows).toHaveLength(1)
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    const steering = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202e]|\u001b(?!\[\d{1,2}m)/
    expect(run.rows[0]).not.toMatch(steering)
    expect(run.rows[0]).toContain(shown)
  })

  it('has no colours when nobody wants them', async () => {
    for (const [args, env] of [
      [['--no-color'], {}],
      [[], { NO_COLOR: '1' }],
      [[], { TERM: 'dumb' }],
    ] as const) {
      await using run = await listening(url, ['-n', '1', ...args], env)
      await emit('compute.instance.create.end', 'web-1')
      expect(await run.exit).toBe(0)
      expect(run.stdout).not.toContain('\u001b')
      expect(run.rows).toHaveLength(1)
    }
  })
})
