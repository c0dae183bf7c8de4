import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findRabbitMq, needs } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  readProperties,
  writeProperties,
  type BasicProperties,
} from '../../packages/amqp/src/wire/basic-properties.ts'
import { ByteReader } from '../../packages/amqp/src/wire/byte-reader.ts'
import { ByteWriter } from '../../packages/amqp/src/wire/byte-writer.ts'
import {
  readTable,
  writeTable,
  type FieldTable,
  type FieldValue,
} from '../../packages/amqp/src/wire/field-table.ts'
import {
  CONTENT_METHODS,
  encodeMethod,
  METHOD_CODES,
  type MethodArguments,
} from '../../packages/amqp/src/wire/generated/methods.ts'
import { TypedField, type TypedFieldKind } from '../../packages/amqp/src/wire/typed-field.ts'
import { basicProperties, fieldTable, method } from '../fuzz/wire-arbitraries.ts'

const gate = needs(findRabbitMq())
const SEED = Date.now() & 0x7fff_ffff

interface Answer {
  readonly error?: string
  readonly ids?: readonly number[]
  readonly fields?: readonly string[]
  readonly content?: boolean
  readonly value?: unknown
  readonly written?: string
}

/** The folder of RabbitMQ's plugins, the codec among them, beside the server's own programs. */
function pluginsFolder(): string {
  const releases = '/usr/lib/rabbitmq/lib'
  const release = readdirSync(releases).find((name) => name.startsWith('rabbitmq_server-'))
  return `${releases}/${release}/plugins`
}

/** Asks RabbitMQ's own codec, without a broker, all questions at once. */
function ask(questions: readonly (readonly [string, Buffer])[]): Answer[] {
  const run = spawnSync('escript', [fileURLToPath(new URL('peers/wire_codec.escript', import.meta.url))], {
    input: questions.map(([kind, bytes]) => `${kind} x${bytes.toString('hex')}\n`).join(''),
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      ERL_LIBS: pluginsFolder(),
      ERL_CRASH_DUMP_SECONDS: '0',
    },
    maxBuffer: 1 << 28,
  })
  if (run.status !== 0) throw new Error(`escript failed: ${run.stderr}${run.error?.message ?? ''}`)
  const answers = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
  expect(answers).toHaveLength(questions.length)
  return answers
}

const written = (write: (writer: ByteWriter) => void): Buffer => {
  const writer = new ByteWriter()
  write(writer)
  return Buffer.from(writer.written())
}

const ERLANG: Readonly<Record<TypedFieldKind, string>> = {
  int8: 'byte',
  uint8: 'unsignedbyte',
  int16: 'short',
  uint16: 'unsignedshort',
  int32: 'signedint',
  uint32: 'unsignedint',
  int64: 'long',
  timestamp: 'timestamp',
  float: 'float',
  double: 'double',
  decimal: 'decimal',
}

const hex = (value: string | Uint8Array): string => Buffer.from(value as string).toString('hex')
const double = (value: number): string => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}

/** A value as RabbitMQ sees it: its type and what it holds. */
function erlang(value: FieldValue): readonly unknown[] {
  if (value === null) return ['void']
  if (typeof value === 'boolean') return ['bool', value]
  if (typeof value === 'string') return ['longstr', hex(value)]
  if (typeof value === 'bigint') return ['long', String(value)]
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return ['double', double(value)]
    return [value === (value | 0) ? 'signedint' : 'long', String(value)]
  }
  if (value instanceof Uint8Array) return ['binary', hex(value)]
  if (value instanceof Date) return ['timestamp', String(Math.floor(value.getTime() / 1000))]
  if (value instanceof TypedField) {
    const { kind } = value
    // RabbitMQ takes the digits of a decimal for unsigned.
    if (kind === 'decimal') return ['decimal', value.scale, Number(value.value) >>> 0]
    if (kind === 'float') return ['float', double(Math.fround(Number(value.value)))]
    if (kind === 'double') return ['double', double(Number(value.value))]
    return [ERLANG[kind], String(BigInt(value.value))]
  }
  if (Array.isArray(value)) return ['array', (value as readonly FieldValue[]).map(erlang)]
  return ['table', erlangTable(value as FieldTable)]
}

const erlangTable = (table: FieldTable): unknown[] =>
  Object.entries(table).flatMap(([name, value]) =>
    value === undefined ? [] : [[hex(name), ...erlang(value)]],
  )

const argument = (value: unknown): unknown => {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' || value instanceof Uint8Array) return hex(value)
  return erlangTable(value as FieldTable)
}

const snake = (camel: string): string => camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

describe.skipIf(gate.skip)(`the wire codec and RabbitMQ's own, seed ${SEED}${gate.note}`, () => {
  test('tables: the same types, values and bytes', () => {
    const tables = fc.sample(fieldTable, { seed: SEED, numRuns: 1000 })
    const bytes = tables.map((table) => written((writer) => writeTable(writer, table)))
    const answers = ask(bytes.map((one) => ['table', one] as const))
    for (const [at, answer] of answers.entries()) {
      expect(answer).toEqual({
        value: erlangTable(tables[at] as FieldTable),
        written: bytes[at]?.toString('hex'),
      })
    }
  })

  test('properties: the same values and bytes', () => {
    const NAMES: readonly (keyof BasicProperties)[] = [
      'contentType',
      'contentEncoding',
      'headers',
      'deliveryMode',
      'priority',
      'correlationId',
      'replyTo',
      'expiration',
      'messageId',
      'timestamp',
      'type',
      'userId',
      'appId',
      'clusterId',
    ]
    const samples = fc.sample(basicProperties, { seed: SEED, numRuns: 1000 })
    const bytes = samples.map((properties) => written((writer) => writeProperties(writer, properties)))
    const answers = ask(bytes.map((one) => ['properties', one] as const))
    for (const [at, answer] of answers.entries()) {
      const properties = samples[at] as BasicProperties
      const value = NAMES.map((name) => {
        const property = properties[name]
        if (property === undefined) return null
        if (property instanceof Date) return String(Math.floor(property.getTime() / 1000))
        return typeof property === 'bigint' ? String(property) : argument(property)
      })
      expect(answer).toEqual({ value, written: bytes[at]?.toString('hex') })
    }
  })

  test('all 66 methods: the same ids, fields, values and bytes', () => {
    const samples = fc.sample(method, { seed: SEED, numRuns: 2000 })
    const bytes = samples.map((any) =>
      written((writer) =>
        encodeMethod(writer, any.name, any.args as unknown as MethodArguments[typeof any.name]),
      ),
    )
    const answers = ask(
      samples.map((any, at) => [any.name.replaceAll('-', '_'), (bytes[at] as Buffer).subarray(4)] as const),
    )
    const seen = new Set<string>()
    for (const [at, { name, args }] of samples.entries()) {
      const answer = answers[at] as Answer
      seen.add(name)
      expect([name, answer.error]).toEqual([name, undefined])
      expect([name, answer.written]).toEqual([name, bytes[at]?.toString('hex', 4)])
      expect([name, answer.ids]).toEqual([name, [METHOD_CODES[name] >>> 16, METHOD_CODES[name] & 0xffff]])
      expect([name, answer.content]).toEqual([name, CONTENT_METHODS.has(name)])
      const names = Object.keys(args).map((key) => (key === 'noWait' ? 'nowait' : snake(key)))
      const fields = answer.fields ?? []
      const values = answer.value as unknown[]
      // What RabbitMQ has and we have not is reserved.
      const own = fields.flatMap((field, place) => (names.includes(field) ? [[field, values[place]]] : []))
      expect([name, own]).toEqual([
        name,
        Object.values(args).map((value, place) => [names[place], argument(value)]),
      ])
    }
    expect(seen.size).toBe(66)
  })

  test('what it reads by other letters, we read alike', () => {
    const bytes = Buffer.from(
      '0000001d' +
        '0161' +
        '4cffffffff00000000' +
        '0162' +
        '62ff' +
        '0163' +
        '42ff' +
        '0164' +
        '73fffe' +
        '0165' +
        '75fffe',
      'hex',
    )
    const [answer] = ask([['table', bytes]])
    const names = ['61', '62', '63', '64', '65']
    const values = [-4_294_967_296, -1, 255, -2, 65_534]
    const types = ['long', 'byte', 'unsignedbyte', 'short', 'unsignedshort']
    expect(answer?.value).toEqual(names.map((name, at) => [name, types[at], String(values[at])]))
    expect(Object.values(readTable(new ByteReader().reset(bytes)))).toEqual(values)
  })

  test('it cannot read NaN, which is why we do not write it', () => {
    const nan = Buffer.from('0000000b016b647ff8000000000000', 'hex')
    const infinity = Buffer.from('0000000b016b64fff0000000000000', 'hex')
    for (const answer of ask([nan, infinity].map((bytes) => ['table', bytes] as const)))
      expect(answer.error).toBe('function_clause')
  })

  test('what it lets through, we read: no publisher can end the connections of its consumers', () => {
    const letters = fc.constantFrom(...Buffer.from('SIltFATxVbBsuiLdfD'))
    const wounds = fc.array(fc.tuple(fc.nat(), fc.oneof(letters, fc.integer({ min: 0, max: 255 }))), {
      minLength: 1,
      maxLength: 2,
    })
    const damaged = fc.tuple(basicProperties, wounds).map(([properties, places]) => {
      const bytes = written((writer) => writeProperties(writer, properties))
      for (const [where, octet] of places) bytes[where % bytes.length] = octet
      return bytes
    })
    const lists = fc.sample(damaged, { seed: SEED, numRuns: 3000 })
    const answers = ask(lists.map((bytes) => ['properties', bytes] as const))
    const outcomes = { passed: 0, refused: 0 }
    for (const [at, { error }] of answers.entries()) {
      outcomes[error === undefined ? 'passed' : 'refused']++
      if (error !== undefined) continue
      const bytes = lists[at] as Buffer
      const reader = new ByteReader().reset(bytes)
      let refusal: unknown
      try {
        readProperties(reader)
        reader.finish('the property list')
      } catch (thrown) {
        refusal = thrown
      }
      expect([bytes.toString('hex'), refusal]).toEqual([bytes.toString('hex'), undefined])
    }
    expect(outcomes.passed).toBeGreaterThan(100)
    expect(outcomes.refused).toBeGreaterThan(100)
  })
})
