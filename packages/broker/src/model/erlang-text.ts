import { typeClass } from './field-equality.ts'
import type { Decimal, Field, Fields } from './field.ts'

/*
 * RabbitMQ's texts show values as Erlang prints them (`~p`). Clients compare some of these texts, so they are made
 * here as Erlang would: binaries as <<"…">>, tables as lists of tuples.
 */

/** A value as `~p` shows it. */
export function erlangTerm({ type, value }: Field): string {
  if (typeof value === 'string') return erlangBinary(value)
  if (value === null) return 'undefined'
  if (typeof value === 'number' && typeClass(type) === 'float') return erlangFloat(value)
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value)
  if (value instanceof Map) {
    const fields = [...(value as Fields)].map(([name, field]) => `{${erlangBinary(name)},${typed(field)}}`)
    return `[${fields.join(',')}]`
  }
  if (Array.isArray(value)) {
    return `[${(value as readonly Field[]).map((field) => `{${typed(field)}}`).join(',')}]`
  }
  const { scale, digits } = value as Decimal
  return `{${scale},${digits}}`
}

const typed = (field: Field): string => `${field.type},${erlangTerm(field)}`

function erlangFloat(value: number): string {
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

const PRINTABLE = /^[\x20-\x7e\xa0-\xff]*$/

/** A binary as `~p` shows it: a text where it can be read, else its bytes. */
export function erlangBinary(bytes: string): string {
  if (!PRINTABLE.test(bytes)) return `<<${Buffer.from(bytes, 'latin1').join(',')}>>`
  return bytes === '' ? '<<>>' : `<<${erlangString(bytes)}>>`
}

/** A list of characters as `~p` shows it. */
export function erlangString(text: string): string {
  return text === '' ? '[]' : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
