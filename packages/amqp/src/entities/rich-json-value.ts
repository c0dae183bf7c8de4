import { ConfigurationError } from '@hermod/kernel'
import { parseIsoDateTime } from './rich-json-datetime.ts'

/** The types of Python's standard library that JavaScript has no equal for. */
export type RichJsonKind = 'date' | 'time' | 'decimal' | 'uuid'

const TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$/
const DECIMAL = /^[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf(inity)?|s?nan\d*)$/i
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * A date, a time of day, an exact decimal or a UUID of Python, as its text; what `richJsonSerializer` reads these as,
 * and writes as what they are. Two of the same kind with the same text are equal in value, not in identity.
 *
 * @example
 * await producer.publish({ due: RichJsonValue.date('2026-03-31'), price: RichJsonValue.decimal('19.90') })
 */
export class RichJsonValue {
  readonly kind: RichJsonKind
  /** As Python's `str()` writes it. */
  readonly text: string

  /** @throws {ConfigurationError} E_CONFIG when the text is none of this kind. */
  constructor(kind: RichJsonKind, text: string) {
    if (!isOfKind(kind, text)) throw new ConfigurationError([`the text is no ${kind} as Python writes it`])
    this.kind = kind
    this.text = text
    Object.freeze(this)
  }

  /** `YYYY-MM-DD` */
  static date(text: string): RichJsonValue {
    return new RichJsonValue('date', text)
  }
  /** `HH:MM[:SS[.ffffff]]`, with an offset from UTC or without. */
  static time(text: string): RichJsonValue {
    return new RichJsonValue('time', text)
  }
  /** Digits of any number, `Infinity` and `NaN` too. */
  static decimal(text: string): RichJsonValue {
    return new RichJsonValue('decimal', text)
  }
  /** 32 hexadecimal digits in five groups; they are kept in lower case. */
  static uuid(text: string): RichJsonValue {
    return new RichJsonValue('uuid', text.toLowerCase())
  }

  toString(): string {
    return this.text
  }

  /** The text alone, for serializers that know nothing of kinds. */
  toJSON(): string {
    return this.text
  }
}

function isOfKind(kind: RichJsonKind, text: string): boolean {
  switch (kind) {
    case 'date':
      return text.length === 10 && parseIsoDateTime(`${text}T00:00`) !== undefined
    case 'time':
      return TIME.test(text)
    case 'decimal':
      return DECIMAL.test(text)
    case 'uuid':
      return UUID.test(text)
  }
}
