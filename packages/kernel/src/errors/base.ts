import { redactSecrets } from '../redaction.ts'
import { ERROR_CODES, type ErrorCode } from './codes.ts'

const BRAND: unique symbol = Symbol.for('@hermod/error') as never

/** What an error may carry beside its text. */
export interface HermodErrorOptions {
  /** What led to it, untouched. */
  readonly cause?: unknown
  /** Whether the same attempt may succeed later; the code's own default where absent. */
  readonly retryable?: boolean | undefined
  /** Facts for programs. Values under secret-looking keys are masked at once. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/**
 * The base of every error that Hermod makes.
 *
 * Every rejection of a Hermod call is one of these, except cancellation, which rejects with `signal.reason`.
 * Errors of two copies of this package recognise each other (`instanceof HermodError` tests a shared brand).
 */
export class HermodError extends Error {
  /** The kind of failure. */
  readonly code: ErrorCode
  /** Whether the same attempt may succeed later. */
  readonly retryable: boolean
  /** Facts for programs, with secrets masked. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: HermodErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable
    this.details = Object.freeze(redactSecrets(options.details ?? {}) as Record<string, unknown>)
    Object.defineProperty(this, BRAND, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === HermodError) return isHermodError(value)
    return (
      typeof value === 'object' &&
      value !== null &&
      Object.prototype.isPrototypeOf.call(this.prototype, value)
    )
  }

  /** A plain record for logs: name, code, message, retryable, details and the cause: an error's text, or the value, masked. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retryable, details, cause } = this
    const record: Record<string, unknown> = { name, code, message, retryable, details }
    if (cause !== undefined) record['cause'] = redactSecrets(cause)
    return record
  }
}

/** Whether `value` is an error of Hermod, whichever copy of the package made it. */
export function isHermodError(value: unknown): value is HermodError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true
}
