import type { JsonValue } from '@hermod/kernel'
import type { Priority } from '../notification.ts'

/** A line of a log, of whatever logging library. */
export interface LogRecord {
  readonly level: Exclude<Priority, 'audit' | 'sample'>
  readonly message: string
  /** The name of the logger. */
  readonly name?: string | undefined
  /** The text of an error, with its stack. */
  readonly error?: string | undefined
  readonly path?: string | undefined
  readonly line?: number | undefined
  readonly functionName?: string | undefined
  /** Whatever else belongs to the line. Secrets are the caller's to leave out. */
  readonly extra?: JsonValue | undefined
}

/** Python's name and number of each level. */
const LEVELS: Readonly<Record<LogRecord['level'], readonly [string, number]>> = {
  debug: ['DEBUG', 10],
  info: ['INFO', 20],
  warn: ['WARNING', 30],
  error: ['ERROR', 40],
  critical: ['CRITICAL', 50],
}

/** What a log line is as a notification. */
export interface LogRecordNotification {
  readonly priority: LogRecord['level']
  readonly eventType: 'logrecord'
  readonly payload: Readonly<Record<string, JsonValue>>
}

/**
 * A log line as the notification that oslo.messaging's `LoggingNotificationHandler` makes of it, for a hook of any
 * logging library: `const { priority, eventType, payload } = logRecordNotification(record)`, then
 * `notifier.notify`.
 *
 * Do not connect it to the log that the transport of the same notifier writes to: each failure would make the next one.
 *
 * @source oslo.messaging notify/logger.py LoggingNotificationHandler.emit
 */
export function logRecordNotification(record: LogRecord): LogRecordNotification {
  const [levelname, levelno] = LEVELS[record.level]
  return {
    priority: record.level,
    eventType: 'logrecord',
    payload: {
      name: record.name ?? 'root',
      levelno,
      levelname,
      exc_info: record.error ?? null,
      pathname: record.path ?? '',
      lineno: record.line ?? 0,
      msg: record.message,
      funcName: record.functionName ?? '',
      thread: 0,
      processName: process.title,
      process: process.pid,
      extra: record.extra ?? null,
    },
  }
}

/** The publisher that {@link errorNotification} is sent under. */
export const ERROR_PUBLISHER = 'error.publisher'

/**
 * An error message as the notification that oslo.messaging's `LoggingErrorNotificationHandler` makes of it; send it at
 * level error, as publisher {@link ERROR_PUBLISHER}.
 *
 * @source oslo.messaging notify/log_handler.py LoggingErrorNotificationHandler.emit
 */
export function errorNotification(message: string): {
  readonly eventType: 'error_notification'
  readonly payload: { readonly error: string }
} {
  return { eventType: 'error_notification', payload: { error: message } }
}
