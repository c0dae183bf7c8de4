import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { BasicProperties } from '../../packages/amqp/src/wire/basic-properties.ts'
import type { FieldTable, FieldValue } from '../../packages/amqp/src/wire/field-table.ts'
import type { MethodName } from '../../packages/amqp/src/wire/generated/methods.ts'
import { TypedField } from '../../packages/amqp/src/wire/typed-field.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n
const LONGEST_DATE_S = 8_640_000_000_000

/** Text of any code points, and of halves of them that no UTF-8 exists for. */
const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom('a', '\u{d800}', '\u{dfff}', '\u{feff}', '🦊') }),
  },
  { weight: 1, arbitrary: fc.integer({ min: 250, max: 255 }).map((length) => 'k'.repeat(length)) },
)

/** Text that fits into a short string. */
const shortText: fc.Arbitrary<string> = text.filter((value) => Buffer.byteLength(value) <= 255)

const name: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: shortText },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', 'x-death') },
)

const octets: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 80 })

const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const wide = (min: bigint, max: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min, max })

/** NaN and the infinities are read, but never written. */
const finite: fc.Arbitrary<number> = fc.double({ noNaN: true, noDefaultInfinity: true })

const typedField: fc.Arbitrary<TypedField> = fc.oneof(
  whole(-128, 127).map((value) => TypedField.int8(value)),
  whole(0, 255).map((value) => TypedField.uint8(value)),
  whole(-32_768, 32_767).map((value) => TypedField.int16(value)),
  whole(0, 65_535).map((value) => TypedField.uint16(value)),
  whole(-(2 ** 31), 2 ** 31 - 1).map((value) => TypedField.int32(value)),
  whole(0, 2 ** 32 - 1).map((value) => TypedField.uint32(value)),
  wide(INT64_MIN, INT64_MAX).map((value) => TypedField.int64(value)),
  wide(0n, UINT64_MAX).map((value) => TypedField.timestamp(value)),
  finite.map((value) => TypedField.double(value)),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => TypedField.float(value)),
  fc
    .tuple(whole(0, 255), whole(-(2 ** 31), 2 ** 31 - 1))
    .map(([scale, digits]) => TypedField.decimal(scale, digits)),
)

const date: fc.Arbitrary<Date> = fc.date({ min: new Date(0), noInvalidDate: true })

const field = fc.letrec<{ value: FieldValue; table: FieldTable; items: readonly FieldValue[] }>((tie) => ({
  table: fc.dictionary(name, fc.option(tie('value'), { nil: undefined, freq: 20 }), { maxKeys: 6 }),
  items: fc.array(tie('value'), { maxLength: 5 }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    finite,
    wide(INT64_MIN, INT64_MAX),
    text,
    octets,
    date,
    typedField,
    tie('items'),
    tie('table'),
  ),
}))

/** Every kind of value that a table may have. */
export const fieldValue: fc.Arbitrary<FieldValue> = field.value

/** Every kind of table that can be written. */
export const fieldTable: fc.Arbitrary<FieldTable> = field.table

/** Every combination of properties. */
export const basicProperties: fc.Arbitrary<BasicProperties> = fc.record(
  {
    contentType: shortText,
    contentEncoding: shortText,
    headers: field.table,
    deliveryMode: whole(0, 255),
    priority: whole(0, 255),
    correlationId: shortText,
    replyTo: shortText,
    expiration: shortText,
    messageId: shortText,
    timestamp: fc.oneof(date, wide(0n, UINT64_MAX)),
    type: shortText,
    userId: shortText,
    appId: shortText,
    clusterId: shortText,
  },
  { requiredKeys: [] },
)

interface Specification {
  readonly classes: Readonly<
    Record<
      string,
      { readonly methods: Readonly<Record<string, { readonly arguments: Record<string, string> }>> }
    >
  >
}

const specification = JSON.parse(
  readFileSync(new URL('../../packages/amqp/spec/amqp-0-9-1.json', import.meta.url), 'utf8'),
) as Specification

const camel = (dashed: string): string =>
  dashed.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

/** A method with arguments that it can carry. */
export interface AnyMethod {
  readonly name: MethodName
  readonly args: Readonly<Record<string, unknown>>
}

/** Any of the 66 methods, with tables and long strings of one's own choice. */
export function anyMethodWith(
  table: fc.Arbitrary<FieldTable>,
  longText: fc.Arbitrary<string | Uint8Array>,
): fc.Arbitrary<AnyMethod> {
  const byType: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    octet: whole(0, 255),
    short: whole(0, 65_535),
    long: whole(0, 2 ** 32 - 1),
    'delivery-tag': whole(0, Number.MAX_SAFE_INTEGER),
    bit: fc.boolean(),
    shortstr: shortText,
    longstr: longText,
    table,
  }
  const methods = Object.entries(specification.classes).flatMap(([className, { methods: own }]) =>
    Object.entries(own).map(([methodName, { arguments: types }]): fc.Arbitrary<AnyMethod> => {
      const args: Record<string, fc.Arbitrary<unknown>> = {}
      for (const [argument, type] of Object.entries(types)) {
        const arbitrary = byType[type]
        if (arbitrary !== undefined) args[camel(argument)] = arbitrary
      }
      return fc.record({
        name: fc.constant(`${className}.${methodName}` as MethodName),
        args: fc.record(args, { noNullPrototype: true }),
      })
    }),
  )
  return fc.oneof(...methods)
}

/** Any of the 66 methods, with anything that they can carry. */
export const method: fc.Arbitrary<AnyMethod> = anyMethodWith(field.table, fc.oneof(text, octets))

const utf8 = (value: string): string => Buffer.from(value, 'utf8').toString('utf8')

const momentAsRead = (seconds: bigint): Date | TypedField =>
  seconds <= LONGEST_DATE_S
    ? new Date(Number(seconds) * 1000)
    : TypedField.timestamp(seconds <= Number.MAX_SAFE_INTEGER ? Number(seconds) : seconds)

const integerAsRead = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value

function typedFieldAsRead(value: TypedField): FieldValue {
  switch (value.kind) {
    case 'decimal':
      return value
    case 'timestamp':
      return momentAsRead(BigInt(value.value))
    case 'float':
      return Math.fround(Number(value.value))
    case 'double':
      return Number(value.value)
    default:
      return integerAsRead(BigInt(value.value))
  }
}

/** What a value is once it was written and read: the documented losses, and nothing else. */
function fieldAsRead(value: FieldValue): FieldValue {
  if (typeof value === 'bigint') return integerAsRead(value)
  if (typeof value === 'string') return utf8(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return new Date(Math.floor(value.getTime() / 1000) * 1000)
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (value instanceof TypedField) return typedFieldAsRead(value)
  if (Array.isArray(value)) return (value as readonly FieldValue[]).map((item) => fieldAsRead(item))
  return tableAsRead(value as FieldTable)
}

/** {@link fieldAsRead} for a whole table. */
export function tableAsRead(table: FieldTable): FieldTable {
  const read: Record<string, FieldValue> = {}
  for (const [key, value] of Object.entries(table)) {
    if (value === undefined) continue
    Object.defineProperty(read, utf8(key), {
      value: fieldAsRead(value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return read
}

/** {@link fieldAsRead} for properties. */
export function propertiesAsRead(properties: BasicProperties): BasicProperties {
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(properties) as [string, FieldValue][]) {
    if (typeof value !== 'bigint') read[key] = fieldAsRead(value)
    else read[key] = value <= LONGEST_DATE_S ? new Date(Number(value) * 1000) : value
  }
  return read
}

/** {@link fieldAsRead} for the arguments of a method, whose long strings are always bytes. */
export function argumentsAsRead({ name: methodName, args }: AnyMethod): Record<string, unknown> {
  const [className, own] = methodName.split('.') as [string, string]
  const types = specification.classes[className]?.methods[own]?.arguments ?? {}
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(args)) {
    const type = types[key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)]
    read[key] =
      type === 'longstr'
        ? Buffer.from(value as string | Uint8Array as string)
        : fieldAsRead(value as FieldValue)
  }
  return read
}
