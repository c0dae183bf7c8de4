import { ConfigurationError, type JsonValue } from '@hermod/kernel'
import type { Notification } from '../notification.ts'

/**
 * A text that must match: the source of a regular expression of JavaScript (with flag `u`), which has to match at the
 * beginning as with Python's `re.match`; or a regular expression, which may match anywhere.
 */
export type FilterPattern = string | RegExp

/** What a notification must be like; all of it. */
export interface NotificationFilterParts {
  /** By member of the context as it was sent. */
  readonly context?: Readonly<Record<string, FilterPattern>> | undefined
  readonly publisherId?: FilterPattern | undefined
  readonly eventType?: FilterPattern | undefined
  readonly metadata?:
    | {
        readonly messageId?: FilterPattern | undefined
        readonly timestamp?: FilterPattern | undefined
      }
    | undefined
  /** By member of the payload as it was sent, its outermost level only. */
  readonly payload?: Readonly<Record<string, FilterPattern>> | undefined
}

type Check = (notification: Notification) => boolean

/**
 * Chooses notifications by the texts that they hold. What is missing or is no text matches nothing. A pattern that takes
 * long takes it for each notification.
 *
 * @source oslo.messaging notify/filter.py NotificationFilter
 */
export class NotificationFilter {
  readonly #checks: readonly Check[]

  /** @throws {ConfigurationError} E_CONFIG naming every pattern that is no regular expression. */
  constructor(parts: NotificationFilterParts) {
    const issues: string[] = []
    const text = (
      pattern: FilterPattern | undefined,
      where: string,
      read: (notification: Notification) => JsonValue | undefined,
    ): Check[] => (pattern === undefined ? [] : [textCheck(pattern, where, read, issues)])
    const { publisherId, eventType, metadata, context, payload } = parts
    this.#checks = [
      ...text(publisherId, 'publisherId', (notification) => notification.publisherId),
      ...text(eventType, 'eventType', (notification) => notification.eventType),
      ...Object.entries(context ?? {}).flatMap(([key, pattern]) =>
        text(pattern, `context.${key}`, (notification) => member(notification.context, key)),
      ),
      ...text(metadata?.messageId, 'metadata.messageId', ({ messageId }) => messageId),
      ...text(metadata?.timestamp, 'metadata.timestamp', ({ timestamp }) => timestamp),
      ...Object.entries(payload ?? {}).flatMap(([key, pattern]) =>
        text(pattern, `payload.${key}`, (notification) => member(notification.payload, key)),
      ),
    ]
    if (issues.length > 0) throw new ConfigurationError(issues)
  }

  matches(notification: Notification): boolean {
    return this.#checks.every((check) => check(notification))
  }
}

function textCheck(
  pattern: FilterPattern,
  where: string,
  read: (notification: Notification) => JsonValue | undefined,
  issues: string[],
): Check {
  const expression = expressionOf(pattern)
  if (expression === undefined) {
    issues.push(`'${where}' of the filter is no regular expression of JavaScript with flag 'u'`)
    return () => false
  }
  return (notification) => {
    const value = read(notification)
    // An expression with `g` or `y` would go on where its last match ended.
    expression.lastIndex = 0
    return typeof value === 'string' && expression.test(value)
  }
}

/** `y` matches at one place only: the beginning. */
function expressionOf(pattern: FilterPattern): RegExp | undefined {
  try {
    return typeof pattern === 'string' ? new RegExp(pattern, 'uy') : new RegExp(pattern)
  } catch {
    return undefined
  }
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, key) ? value[key] : undefined
}
