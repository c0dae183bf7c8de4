import { ConfigurationError } from '@hermod/kernel'
import { PRIORITIES } from '../notification.ts'
import { compileFnmatch } from './fnmatch.ts'

/** What a driver accepts; both must hold, and what is absent accepts everything. */
interface Rule {
  readonly driver: string
  readonly acceptsEvent: (eventType: string) => boolean
  readonly acceptsPriority: (priority: string) => boolean
}

/**
 * Which drivers a notification goes to, by its event type and priority.
 *
 * The rules are what a routing file holds: groups, in each of them drivers, for each of these `accepted_events` and
 * `accepted_priorities`, lists of patterns as of Python's `fnmatch`. A driver is chosen when one of its entries has a
 * pattern for the event type and one for the priority; an entry without such a list accepts all. The names of the groups
 * mean nothing.
 *
 * @source oslo.messaging notify/_impl_routing.py RoutingDriver
 */
export class NotificationRoutes {
  /** Every driver that a rule names, in the order of the rules. */
  readonly drivers: readonly string[]
  readonly #rules: readonly Rule[]

  /**
   * @param routing what a YAML or JSON reader made of the file; null for an empty one.
   * @throws {ConfigurationError} E_CONFIG naming everything that no routing file holds.
   */
  constructor(routing: unknown) {
    const issues: string[] = []
    this.#rules = rulesOf(routing, issues)
    if (issues.length > 0) throw new ConfigurationError(issues)
    this.drivers = [...new Set(this.#rules.map(({ driver }) => driver))]
  }

  /** The names of the drivers, each once. */
  driversFor(eventType: string, priority: string): readonly string[] {
    const lower = priority.toLowerCase()
    const accepting = this.#rules.filter(
      (rule) => rule.acceptsEvent(eventType) && rule.acceptsPriority(lower),
    )
    return [...new Set(accepting.map(({ driver }) => driver))]
  }
}

function rulesOf(routing: unknown, issues: string[]): readonly Rule[] {
  return members(routing, 'the routing', 'groups', issues).flatMap(([group, entries]) =>
    members(entries, `group '${group}' of the routing`, 'drivers', issues).map(([driver, entry]) =>
      ruleOf(driver, entry, `driver '${driver}' in group '${group}' of the routing`, issues),
    ),
  )
}

function ruleOf(driver: string, entry: unknown, where: string, issues: string[]): Rule {
  if (driver === 'routing') issues.push(`${where} is the router itself`)
  let events: readonly string[] | undefined
  let priorities: readonly string[] | undefined
  for (const [key, value] of members(entry, where, "'accepted_events' and 'accepted_priorities'", issues)) {
    if (key === 'accepted_events') {
      events = patterns(value, `'${key}' of ${where}`, issues)
    } else if (key === 'accepted_priorities') {
      priorities = patterns(value, `'${key}' of ${where}`, issues)?.map((pattern) => pattern.toLowerCase())
      for (const pattern of priorities ?? []) {
        if (!PRIORITIES.some(compileFnmatch(pattern)))
          issues.push(`'${pattern}' of ${where} is no priority (they are ${PRIORITIES.join(', ')})`)
      }
    } else {
      issues.push(
        `${where} has an unknown member '${key}' ('accepted_events' and 'accepted_priorities' are known)`,
      )
    }
  }
  return { driver, acceptsEvent: anyOf(events), acceptsPriority: anyOf(priorities) }
}

/** YAML reads a key that nothing follows as null: something without members. */
function members(
  value: unknown,
  where: string,
  what: string,
  issues: string[],
): readonly [string, unknown][] {
  if (value === null || value === undefined) return []
  if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value)
  issues.push(`${where} is no mapping of ${what}`)
  return []
}

function patterns(value: unknown, where: string, issues: string[]): readonly string[] | undefined {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  issues.push(`${where} is no list of texts`)
  return undefined
}

function anyOf(accepted: readonly string[] | undefined): (text: string) => boolean {
  if (accepted === undefined) return () => true
  const tests = accepted.map(compileFnmatch)
  return (text) => tests.some((test) => test(text))
}
