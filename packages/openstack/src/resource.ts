import type { JsonValue } from '@hermod/kernel'
import { RESOURCE_RULES, type ResourceRule } from './resource-rules.ts'
import { firstText, memberOf, textOf } from './value-at.ts'

/** What an event is about. */
export interface Resource {
  /** `instance`, `network`, `user`; null when neither the type nor the payload tells. */
  readonly type: string | null
  readonly id: string | null
  readonly name: string | null
}

const RULES: ReadonlyMap<string, ResourceRule> = new Map(RESOURCE_RULES.map((rule) => [rule.prefix, rule]))
const LONGEST_PREFIX = Math.max(...RESOURCE_RULES.map(({ prefix }) => prefix.length))

/**
 * What an event is about, by the rule for its type, else by the shapes that most services share: `payload.<type>`
 * with `id` and `name` in it, `payload.<type>_id`, `payload.uuid`, `payload.id`.
 *
 * @param payload unwrapped, and already masked: a name of a tenant's choosing may hold anything.
 */
export function resourceOf(eventType: string, payload: JsonValue): Resource {
  const rule = ruleOf(eventType)
  if (rule !== undefined) {
    return {
      type: rule.type === '' ? subtypeOf(eventType, payload) : rule.type,
      id: withoutPath(firstText(payload, rule.id)),
      name: firstText(payload, rule.name),
    }
  }
  // The name of a Python function that failed, or of nobody's making: no resource in it.
  if (!eventType.includes('.')) return { type: null, id: firstText(payload, ANY_ID), name: null }
  const type = eventType.slice(0, eventType.indexOf('.'))
  const own = memberOf(payload, type)
  return {
    type,
    id:
      idOf(own) ??
      textOf(memberOf(payload, `${type}_id`)) ??
      firstText(payload, ANY_ID) ??
      onlyId(payload, type),
    name: nameOf(own) ?? nameOf(payload),
  }
}

const ANY_ID: readonly (readonly string[])[] = [['uuid'], ['id'], ['resource_id'], ['target', 'id']]

function ruleOf(eventType: string): ResourceRule | undefined {
  // A type that is nothing but dots would otherwise take time with the square of its length.
  let end = eventType.length <= LONGEST_PREFIX ? eventType.length : eventType.lastIndexOf('.', LONGEST_PREFIX)
  for (; end > 0; end = eventType.lastIndexOf('.', end - 1)) {
    const rule = RULES.get(eventType.slice(0, end))
    if (rule !== undefined) return rule
  }
  return undefined
}

/** The second segment, for families such as `identity.<type>.<verb>`; what CADF's target says where there is one. */
function subtypeOf(eventType: string, payload: JsonValue): string | null {
  const [family, second = null] = eventType.split('.', 3)
  if (family === 'audit') return textOf(memberOf(memberOf(payload, 'target'), 'typeURI'))
  if (family === 'dbaas') return second?.split('_')[0] ?? null
  if (family === 'scheduler') return second?.match(/volume|snapshot|share/)?.[0] ?? null
  return second
}

function idOf(value: JsonValue | undefined): string | null {
  return textOf(memberOf(value, 'uuid')) ?? textOf(memberOf(value, 'id'))
}

function nameOf(value: JsonValue | undefined): string | null {
  return textOf(memberOf(value, 'name')) ?? textOf(memberOf(value, 'display_name'))
}

/** Neutron creates several at once under the plural; one of them is as good as the singular. */
function onlyId(payload: JsonValue, type: string): string | null {
  const several = memberOf(payload, `${type}s`)
  return Array.isArray(several) && several.length === 1 ? idOf(several[0]) : null
}

/** The last part of an identifier that is a path (`arn:…:stacks/name/id`). */
function withoutPath(id: string | null): string | null {
  return id !== null && id.startsWith('arn:') ? id.slice(id.lastIndexOf('/') + 1) : id
}
