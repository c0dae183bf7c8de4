import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { brotliCompressSync, deflateSync } from 'node:zlib'
import type { BasicProperties } from '@hermod/amqp'
import { run, type CliIo } from '@hermod/cli'
import { openTap, type TapStatus } from '@hermod/events'
import { parseAmqpUrl } from '@hermod/amqp'
import { systemClock } from '@hermod/kernel'
import { eventually, SILENT } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { steers } from '../../packages/cli/test/hostile-text.ts'
import {
  HOSTILE_URL,
  HostileTapBroker,
  longestTurnMs,
  nestedTable,
  PASSWORD,
  strayErrors,
} from './hostile-broker.ts'
import { search, TIMEOUT_MS } from './search.ts'

const MIB = 1 << 20
const SECRET = 'hunter2-of-a-tenant'

/** Keeps what is written. */
class Sink extends Writable {
  text = ''

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

/** `hermod listen` in this process, on a hostile broker. */
class Listening {
  readonly tap = new HostileTapBroker()
  readonly stdout = new Sink()
  readonly stderr = new Sink()
  readonly #signals = new EventEmitter()
  readonly ended: Promise<number>

  constructor(output: 'pretty' | 'ndjson') {
    const io: CliIo = {
      version: '1.2.3',
      stdout: this.stdout,
      stderr: this.stderr,
      stdin: Readable.from([]),
      ask: undefined,
      env: { HERMOD_URL: HOSTILE_URL },
      signalSource: this.#signals,
      isTty: false,
      columns: () => undefined,
      clock: systemClock,
      openTap: (options) => openTap({ ...options, dial: this.tap.broker.dial, heartbeatMs: 0 }),
      startInBackground: () => Promise.reject(new Error('hermod listen starts no process')),
    }
    this.ended = run(['listen', '-x', 'nova', '-o', output], io)
  }

  async tapped(): Promise<this> {
    await eventually(() => this.stderr.text.includes('tapping'))
    return this
  }

  /** Delivers a last event, waits until it is shown, and ends. */
  async finish(): Promise<{
    readonly lines: readonly string[]
    readonly errors: string
    readonly unreadable: number
  }> {
    this.tap.deliver(JSON.stringify({ event_type: 'at.last', payload: {} }))
    await eventually(() => this.stdout.text.includes('at.last'), { timeoutMs: 30_000 })
    this.#signals.emit('SIGINT')
    const code = await this.ended
    const errors = this.stderr.text
    if (code !== 130 || !this.stdout.text.endsWith('\n') || errors.includes(PASSWORD))
      throw new RangeError(`ended with ${code} and ${errors}`)
    const unreadable = Number(/(\d+) unreadable\n/.exec(errors)?.[1] ?? 0)
    return { lines: this.stdout.text.slice(0, -1).split('\n'), errors, unreadable }
  }
}

const notification = (more: Record<string, unknown>): string =>
  JSON.stringify({ event_type: 'compute.instance.create.end', payload: {}, ...more })

const enveloped = (message: unknown, version: unknown = '2.0'): string =>
  JSON.stringify({ 'oslo.version': version, 'oslo.message': message })

type Body = readonly [
  name: string,
  body: string | Uint8Array,
  readable: boolean,
  properties?: BasicProperties,
]

const DUNDER =
  '{"event_type":"a.b","payload":{"__proto__":{"x":1},"constructor":{"prototype":{}},"toString":1,"hasOwnProperty":2,"toJSON":3},"_context___proto__":{"y":1},"_context_toString":1,"__proto__":{"method":1}}'

const SMALL: readonly Body[] = [
  ['nothing', '', false],
  ['no UTF-8', Buffer.from(`{"event_type":"${SECRET}\xff"}`, 'latin1'), false],
  ['a byte order mark', `\ufeff${notification({})}`, true],
  ['UTF-16', Buffer.from(notification({}), 'utf16le'), false],
  ['a list', '[]', false],
  ['null', 'null', false],
  ['a secret that is no JSON', `password=${SECRET}`, false],
  ['JSON cut in a secret', `{"event_type":"a.b","payload":{"password":"${SECRET}`, false],
  ['a request', notification({ method: 'delete_everything', args: { token: SECRET } }), false],
  ['an envelope in an envelope', enveloped(enveloped(notification({}))), false],
  ['an envelope of a number', enveloped(5), false],
  ['an envelope of a list', enveloped('[]'), false],
  ['a version that is a number', enveloped(notification({}), 2), false],
  ['a version that is an object', enveloped(notification({}), {}), false],
  ['version 3', enveloped(notification({}), '3.0'), false],
  ['event type: object', notification({ event_type: {} }), false],
  ['event type: list', notification({ event_type: ['a.b'] }), false],
  ['event type: null', notification({ event_type: null }), false],
  ['event type: empty', notification({ event_type: '' }), true],
  ['event type: escapes', notification({ event_type: '\u001b[2J\u009b\r\n\u202e.end' }), true],
  ['event type: constructor', notification({ event_type: 'constructor' }), true],
  ['event type: __proto__', notification({ event_type: '__proto__.toString' }), true],
  ['event type: dots', notification({ event_type: '.'.repeat(MIB) }), true],
  ['event type: a megabyte', notification({ event_type: 'x'.repeat(MIB) }), true],
  ['priority: object', notification({ priority: {} }), true],
  ['priority: escapes', notification({ priority: '\u001b]0;x\u0007' }), true],
  ['timestamp: nonsense', notification({ timestamp: '\u001b[31m2026-99-99' }), true],
  ['timestamp: number', notification({ timestamp: 1e300 }), true],
  ['payload: null', notification({ payload: null }), true],
  ['payload: text', notification({ payload: `password=${SECRET}` }), true],
  ['payload: number', notification({ payload: 1 }), true],
  ['payload: list', notification({ payload: [[], {}, null] }), true],
  ['publisher: object', notification({ publisher_id: {} }), true],
  ['ids: objects', notification({ message_id: {}, _unique_id: [], payload: { id: {}, name: [] } }), true],
  [
    'names: escapes',
    notification({ payload: { display_name: '\u001b[2J\n\u2028\u0085', instance_id: '\u0000\u007f' } }),
    true,
  ],
  ['names of Object', DUNDER, true],
  ['an integer of 100 000 digits', `{"event_type":"a.b","payload":${'9'.repeat(100_000)}}`, false],
  ['an integer of 4 000 digits', `{"event_type":"a.b","payload":${'9'.repeat(4000)}}`, true],
  ['not a number', '{"event_type":"a.b","payload":[NaN,-Infinity]}', true],
  ['a wrong content type', notification({}), true, { contentType: '\u001b[2J', contentEncoding: 'klingon' }],
  [
    'an unknown compression',
    notification({}),
    false,
    { headers: { compression: `\u001b[2J ${'x'.repeat(9000)}` } },
  ],
  ['a compression that is a table', notification({}), false, { headers: { compression: {} } }],
  ['a compression that is none', notification({}), false, { headers: { compression: 'application/x-gzip' } }],
]

const filled = (head: string, unit: string, tail: string): string =>
  head + unit.repeat(Math.floor((16 * MIB - head.length - tail.length) / Buffer.byteLength(unit))) + tail
const text = (unit: string): string => filled('{"event_type":"a.b","payload":"', unit, '"}')
const list = (unit: string, head = ''): string =>
  filled(`{"event_type":"a.b","payload":[${head}`, unit, '0]}')
const few = (unit: string, head = ''): string =>
  `{"event_type":"a.b","payload":[${head}${unit.repeat(450_000)}0]}`

/** For how long one body of 16 MiB may keep everything else waiting. */
const MOST_MS = 2000

const LARGE: readonly Body[] = [
  ['brackets', '['.repeat(16 * MIB), false],
  ['17 MiB', ' '.repeat(17 * MIB), false],
  ['ten megabytes of text', notification({ payload: 'x'.repeat(10 * MIB) }), true],
  [
    'a million keys',
    `{"event_type":"a.b","payload":{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":1`).join()}}}`,
    false,
  ],
  ['empty lists', list('[],'), false],
  ['as many empty lists as may be', few('[],'), true],
  ['as many, with a big integer', few('[],', '12345678901234567890,'), true],
  ['as many members, with NaN', few('{"a":1},', 'NaN,'), true],
  ['long integers', list(`${'9'.repeat(4300)},`), false],
  ['deep objects', list(`${'{"a":'.repeat(60)}1${'}'.repeat(60)},`), false],
  ['URLs', text('a://b:c@'), true],
  ['2 MiB of URLs', notification({ payload: 'a://b:c@'.repeat(MIB / 4 - 10) }), true],
  ['2 MiB of passwords', notification({ payload: `password=${SECRET} `.repeat(70_000) }), true],
  ['passwords', text(`password=${SECRET} `), true],
  ['deletes', text('\u007f'), true],
  ['a long key', `{"event_type":"a.b","payload":{"${'-_'.repeat(7 * MIB)}":1}}`, true],
  ['a long type of dots', `{"event_type":"${'.'.repeat(15 * MIB)}","payload":1}`, true],
  ['wide characters in a type', `{"event_type":"${'漢'.repeat(5 * MIB)}","payload":1}`, true],
  [
    'a bomb of zlib',
    deflateSync(Buffer.alloc(200 * MIB)),
    false,
    { headers: { compression: 'application/x-gzip' } },
  ],
  [
    'a bomb of brotli',
    brotliCompressSync(Buffer.alloc(100 * MIB)),
    false,
    { headers: { compression: 'application/x-brotli' } },
  ],
]

describe.each(['ndjson', 'pretty'] as const)('hermod listen -o %s survives', (output) => {
  it('every body', { timeout: TIMEOUT_MS }, async () => {
    const stray = await strayErrors(async () => {
      const listening = await new Listening(output).tapped()
      for (const [, body, , properties] of SMALL) listening.tap.deliver(body, properties)
      const { lines, errors, unreadable } = await listening.finish()
      const readable = SMALL.filter(([, , shown]) => shown).length
      expect(lines).toHaveLength(readable + 1)
      expect(unreadable).toBe(SMALL.length - readable)
      expect(errors + lines.join('')).not.toContain(SECRET)
      expect(steers(lines.join(''))).toBe(false)
      expect(steers(errors.replaceAll('\n', ''))).toBe(false)
      expect(errors.split('\n').every((line) => line.length < 600)).toBe(true)
      const records = output === 'ndjson' ? lines.map((line) => JSON.parse(line) as { v: unknown }) : []
      expect(records.every(({ v }) => v === 1)).toBe(true)
    })
    expect(stray).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  const large = LARGE.map(([name, body, readable, properties]) => ({ name, body, readable, properties }))
  it.each(large)('$name', { timeout: TIMEOUT_MS }, async ({ body, readable, properties }) => {
    let longest = Infinity
    // What makes one run longer than another is the rest of this machine.
    for (let attempt = 0; attempt < 3 && longest >= MOST_MS; attempt++) {
      const listening = await new Listening(output).tapped()
      longest = await longestTurnMs(async () => {
        listening.tap.deliver(body, properties)
        const { lines, unreadable } = await listening.finish()
        expect(lines.length).toBe(readable ? 2 : 1)
        expect(unreadable).toBe(readable ? 0 : 1)
        expect(lines[0]?.includes(SECRET)).toBe(false)
      })
    }
    expect(longest).toBeLessThan(MOST_MS)
  })

  it('properties that are garbage', { timeout: TIMEOUT_MS }, async () => {
    const listening = await new Listening(output).tapped()
    const lists = [
      Buffer.alloc(90, 0xff),
      Buffer.alloc(1),
      Buffer.concat([Buffer.from([0x20, 0]), nestedTable(9000)]),
      Buffer.from([0x80, 0, 255, 1]),
    ]
    for (const properties of lists) listening.tap.deliverRaw(properties, notification({ payload: SECRET }))
    const { lines, unreadable } = await listening.finish()
    expect(unreadable).toBe(lists.length)
    expect(lines).toHaveLength(1)
  })
})

describe('a tap', () => {
  it('gives one line for each notification, whatever it holds', { timeout: TIMEOUT_MS }, async () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 4 }).map((json) => JSON.parse(json) as unknown),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(null, '', '__proto__', 'password', {}, []),
    )
    const names = [
      'event_type',
      'payload',
      'priority',
      'timestamp',
      'publisher_id',
      'message_id',
      '_unique_id',
      '_context_user',
      '_context_',
      '__proto__',
      'oslo.version',
      'oslo.message',
      'toString',
    ]
    const message = fc
      .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 9 })
      .map((entries) => Object.fromEntries([['event_type', 'a.b'], ...entries]) as unknown)
    const bodies = fc.array(
      fc
        .tuple(message, fc.boolean())
        .map(([one, wraps]) => (wraps ? enveloped(JSON.stringify(one)) : JSON.stringify(one))),
      { minLength: 200, maxLength: 200 },
    )
    const property = fc.asyncProperty(
      bodies,
      fc.constantFrom('ndjson' as const, 'pretty' as const),
      async (given, output) => {
        const listening = await new Listening(output).tapped()
        for (const body of given) listening.tap.deliver(body)
        const { lines, unreadable } = await listening.finish()
        expect(lines.length + unreadable).toBe(given.length + 1)
        expect(steers(lines.join(''))).toBe(false)
        if (output === 'ndjson') for (const line of lines) JSON.parse(line)
      },
    )
    await fc.assert(property, search(0.5))
  })

  it('names its queue in the very first event', async () => {
    const hostile = new HostileTapBroker()
    const { broker } = hostile
    const open = openTap({
      servers: [parseAmqpUrl(HOSTILE_URL)],
      exchanges: ['nova'],
      dial: broker.dial,
      heartbeatMs: 0,
    })
    broker.on('basic.consume', ({ channel, args }, link) => {
      hostile.consumes(channel, args.consumerTag, link)
      link.send(channel, 'basic.consume-ok', { consumerTag: args.consumerTag })
      hostile.deliver(notification({}))
      return SILENT
    })
    await using tap = await open
    for await (const event of tap) {
      expect(event.transport.queue).toMatch(/^hermod\.tap\./)
      break
    }
  })

  it.each(['basic.consume', 'queue.bind', 'queue.declare'] as const)(
    'asks no faster and faster of a broker that closes each channel over %s',
    async (name) => {
      const hostile = new HostileTapBroker()
      const { broker } = hostile
      const tap = await openTap({
        servers: [parseAmqpUrl(HOSTILE_URL)],
        exchanges: ['nova'],
        dial: broker.dial,
        heartbeatMs: 0,
      })
      const said: TapStatus[] = []
      tap.onStatus((status) => void said.push(status))
      const channel = hostile.channel
      broker.on(name, (received, link) => {
        setImmediate(() => link.closeChannel(received.channel, 541, 'INTERNAL_ERROR'))
        return name === 'basic.consume' ? undefined : SILENT
      })
      broker.link.closeChannel(channel, 541, 'INTERNAL_ERROR')
      await new Promise((resolve) => setTimeout(resolve, 1000))
      expect(broker.links.flatMap((link) => link.all('channel.open')).length).toBeLessThan(60)
      expect(said.length).toBeGreaterThan(0)
      expect(said.length).toBeLessThan(60)
      await tap.close()
      expect(await tap.closed).toEqual({})
    },
  )
})
