import { redactSecrets, stringifyJson, type Logger } from '@hermod/kernel'
import type { Priority } from '../notification.ts'
import type { NotificationDriver, NotificationEmission } from './notification-driver.ts'

/** Where the name of the logger begins; the event type follows. */
const LOGGER_BASE = 'oslo.messaging.notification'

/** Python's logging has no level for audit and sample, and drops these; here they are not lost. */
const LEVELS: Readonly<Record<Priority, keyof Logger>> = {
  audit: 'info',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  critical: 'error',
  sample: 'info',
}

/**
 * Writes each notification into a log, as JSON on one line and with its secrets masked. The detail `logger` is
 * `oslo.messaging.notification.` and the event type.
 *
 * @source oslo.messaging notify/_impl_log.py LogDriver
 */
export class LogNotificationDriver implements NotificationDriver {
  readonly name = 'log'
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  async notify({ message, priority }: NotificationEmission): Promise<void> {
    this.#logger[LEVELS[priority]](
      { logger: `${LOGGER_BASE}.${message.event_type}` },
      stringifyJson(redactSecrets(message)),
    )
  }
}
