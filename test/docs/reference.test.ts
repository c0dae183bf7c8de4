import { CONNECTION_DEFAULTS } from '@hermod/amqp'
import { RABBIT_OPTIONS } from '@hermod/driver-rabbit'
import { TAP_DEFAULTS } from '@hermod/events'
import { ERROR_CODES } from '@hermod/kernel'
import { eventToRecord, normalizeNotification, type EventRecord } from '@hermod/openstack'
import { describe, expect, it } from 'vitest'
import { blocks, quoted, read, table } from './markdown.ts'

describe('ARCHITECTURE.md', () => {
  it('says of each package what layers.json lets it import', () => {
    const rows = table(read('ARCHITECTURE.md'), 'Package').map(([name = '', imports = '']) => [
      quoted(name)[0],
      quoted(imports),
    ])
    expect(Object.fromEntries(rows)).toEqual(JSON.parse(read('layers.json')))
  })
})

describe('docs/errors.md', () => {
  it('has every code, its meaning, and whether another attempt makes sense', () => {
    const rows = table(read('docs/errors.md'), 'Code').map(([code = '', retryable, meaning = '']) => [
      quoted(code)[0],
      { retryable: retryable === 'yes', meaning: meaning.toLowerCase() },
    ])
    const codes = Object.entries(ERROR_CODES).map(([code, { retryable, meaning }]) => [
      code,
      { retryable, meaning: meaning.toLowerCase() },
    ])
    expect(rows).toEqual(codes)
  })
})

describe('docs/amqp.md', () => {
  it('has the defaults of a connection', () => {
    const rows = table(read('docs/amqp.md'), 'Option').filter(([, value]) => value !== '')
    const defaults = Object.fromEntries(rows.map(([name = '', value]) => [quoted(name)[0], Number(value)]))
    expect(defaults).toEqual(CONNECTION_DEFAULTS)
  })
})

describe('docs/rabbit-options.md', () => {
  const page = read('docs/rabbit-options.md')
  const plain = (option: (typeof RABBIT_OPTIONS)[number]): object => {
    const { name, formerNames = [], field, defaultValue, defaultIs } = option
    return {
      names: [name, ...formerNames],
      field,
      defaultIs: defaultIs ?? (defaultValue === undefined ? 'none' : `\`${defaultValue}\``),
    }
  }

  it('has the options, what they are called here, and their defaults', () => {
    const used = table(page, 'Option').map(([names = '', field = '', , defaultIs]) => ({
      names: quoted(names),
      field: quoted(field)[0],
      defaultIs,
    }))
    const unused = table(page, 'Ignored').map(([names = '', , defaultIs]) => ({
      names: quoted(names),
      field: undefined,
      defaultIs,
    }))
    expect([...used, ...unused]).toEqual(RABBIT_OPTIONS.map(plain))
  })

  it('says of each what it takes, and what it does otherwise than in oslo.messaging', () => {
    const rows = new Map(
      [...table(page, 'Option'), ...table(page, 'Ignored')].map((row) => [
        quoted(row[0] ?? '')[0],
        row.join(' '),
      ]),
    )
    const missing = RABBIT_OPTIONS.flatMap(({ name, note, choices = [], min, max, unit }) =>
      [
        note,
        ...choices.map((choice) => `\`${choice}\``),
        max === undefined ? undefined : `${min} to ${max}`,
        unit,
      ]
        .filter((text) => text !== undefined && rows.get(name)?.includes(text) !== true)
        .map((text) => `${name}: ${text}`),
    )
    expect(missing).toEqual([])
  })
})

describe('docs/listen.md', () => {
  it('has the bounds of a tap', () => {
    const guide = read('docs/listen.md')
    const count = (value: number): string => `${value / 1000} 000 messages`
    const size = (bytes: number): string => `${bytes / 1024 / 1024} MiB`
    const { maxLength, maxLengthBytes, ringCapacity, ringCapacityBytes, searchIntervalMs } = TAP_DEFAULTS
    expect(guide).toContain(`holds ${count(maxLength)} and ${size(maxLengthBytes)} at the most`)
    expect(guide).toContain(`a ring of ${count(ringCapacity)} and ${size(ringCapacityBytes)}`)
    expect(guide).toContain(`every ${searchIntervalMs / 1000} seconds`)
  })
})

describe('docs/ndjson.md', () => {
  const page = read('docs/ndjson.md')
  const shown = JSON.parse(blocks(page, 'json')[0] as string) as EventRecord

  it('shows what becomes of a real notification', () => {
    const lines = read('packages/openstack/data/notifications.ndjson').trim().split('\n')
    const samples = lines.map(
      (line) => JSON.parse(line) as Record<'exchange' | 'routing_key' | 'body', string>,
    )
    const sample = samples.find(({ body }) => body.includes(shown.id))
    const event = normalizeNotification({
      body: Buffer.from(sample?.body ?? ''),
      exchange: sample?.exchange ?? '',
      routingKey: sample?.routing_key ?? '',
      queue: shown.transport.queue,
      redelivered: false,
      receivedAt: new Date(shown.received_at),
    })
    expect(shown).toEqual(eventToRecord(event))
  })

  it('explains every key of a line, and no other', () => {
    const members = (value: unknown, prefix: string): string[] =>
      Object.entries(value as object).flatMap(([key, member]) => [
        `${prefix}${key}`,
        ...(OPAQUE.has(key) || typeof member !== 'object' || member === null
          ? []
          : members(member, `${prefix}${key}.`)),
      ])
    const keys = table(page, 'Key').map(([cell = '']) => quoted(cell)[0])
    // No schema in this event: only versioned payloads have one.
    expect(keys.filter((key) => key !== 'schema.name' && key !== 'schema.version')).toEqual(
      members(shown, ''),
    )
  })
})

/** Whatever the service put into them. */
const OPAQUE: ReadonlySet<string> = new Set(['payload', 'context'])
