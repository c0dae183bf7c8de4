import { ConfigurationError } from '@hermod/kernel'
import { PRIORITIES, type Notification, type Priority } from '../notification.ts'
import type { NotificationHandlers } from './notification-endpoint.ts'
import { NotificationFilter } from './notification-filter.ts'

/** One method of an endpoint. */
export interface BoundHandler {
  readonly accepts: (notification: Notification) => boolean
  /** Returns and throws what the method does. */
  readonly call: (input: unknown) => unknown
}

const NONE: readonly BoundHandler[] = []

/** The methods of endpoints by priority, in the order of the endpoints. */
export class HandlerTable {
  /** Those that at least one endpoint has a method for. */
  readonly priorities: readonly Priority[]
  readonly #handlers = new Map<string, readonly BoundHandler[]>()

  /** @throws {ConfigurationError} E_CONFIG when there is no endpoint, or one that has no method or an unusable filter. */
  constructor(endpoints: readonly NotificationHandlers<never>[]) {
    const issues: string[] = []
    if (endpoints.length === 0) issues.push("there are no endpoints; pass one at least in 'endpoints'")
    const filters = endpoints.map((endpoint, at) => filterOf(endpoint, at, issues))
    for (const [at, endpoint] of endpoints.entries()) {
      if (!PRIORITIES.some((priority) => typeof endpoint[priority] === 'function'))
        issues.push(`endpoint ${at + 1} handles nothing; name a method of it ${PRIORITIES.join(', ')}`)
    }
    if (issues.length > 0) throw new ConfigurationError(issues)
    for (const priority of PRIORITIES) {
      const handlers = endpoints.flatMap((endpoint, at) => bind(endpoint, priority, filters[at]))
      if (handlers.length > 0) this.#handlers.set(priority, handlers)
    }
    this.priorities = PRIORITIES.filter((priority) => this.#handlers.has(priority))
  }

  /** @param priority in lower case. */
  for(priority: string): readonly BoundHandler[] {
    return this.#handlers.get(priority) ?? NONE
  }
}

function filterOf(
  { filter }: NotificationHandlers<never>,
  at: number,
  issues: string[],
): NotificationFilter | undefined {
  if (filter === undefined || filter instanceof NotificationFilter) return filter
  try {
    return new NotificationFilter(filter)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    issues.push(...error.issues.map((issue) => `endpoint ${at + 1}: ${issue}`))
    return undefined
  }
}

function bind(
  endpoint: NotificationHandlers<never>,
  priority: Priority,
  filter: NotificationFilter | undefined,
): readonly BoundHandler[] {
  const method: unknown = endpoint[priority]
  if (typeof method !== 'function') return []
  return [
    {
      accepts: filter === undefined ? () => true : (notification) => filter.matches(notification),
      call: (input) => Reflect.apply(method, endpoint, [input]) as unknown,
    },
  ]
}
