import { maskUrlCredentials, redactSecrets } from './redaction.ts'

/** Facts that go with a log line. */
export type LogDetails = Readonly<Record<string, unknown>>

/** Where Hermod says what it does; pino's shape, details first. Hermod chooses no logging library. */
export interface Logger {
  debug(details: LogDetails, message: string): void
  info(details: LogDetails, message: string): void
  warn(details: LogDetails, message: string): void
  error(details: LogDetails, message: string): void
}

/** Says nothing. */
export const silentLogger: Logger = Object.freeze({
  debug() {},
  info() {},
  warn() {},
  error() {},
})

/**
 * The same logger behind a mask: no password of a URL and no value under a secret-looking key gets through.
 * Every package wraps the logger that it is given.
 */
export function redactingLogger(target: Logger): Logger {
  const through =
    (level: keyof Logger) =>
    (details: LogDetails, message: string): void =>
      target[level](redactSecrets(details) as LogDetails, maskUrlCredentials(message))
  return { debug: through('debug'), info: through('info'), warn: through('warn'), error: through('error') }
}
