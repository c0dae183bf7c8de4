import type { JsonObject } from '@hermod/kernel'

/** A context that knows which of its parts may leave; {@link RequestContext} is one. */
export interface RedactableContext {
  /** The same without secrets. */
  redactedCopy(): RedactableContext
  /** The form in which it travels. */
  toWire(): JsonObject
}

/**
 * What of a plain context goes into notifications.
 * @source oslo.messaging 14.0.3 notify/notifier.py _sanitize_context
 */
const SAFE_KEYS: ReadonlySet<string> = new Set([
  'user_id',
  'project_id',
  'domain_id',
  'user_domain_id',
  'project_domain_id',
  'is_admin',
  'request_id',
  'roles',
  'user_name',
  'project_name',
  'domain_name',
  'user_domain_name',
  'project_domain_name',
  'service_user_id',
  'service_user_domain_id',
  'service_user_domain_name',
  'service_project_id',
  'service_project_name',
  'service_project_domain_id',
  'service_project_domain_name',
  'service_roles',
  'global_request_id',
  'system_scope',
  'user',
  'domain',
  'user_domain',
  'project_domain',
])

/**
 * The part of a context that a notification may carry: whoever can read a queue of the broker reads notifications, so
 * no token goes into one.
 *
 * A context with `redactedCopy()` gives that copy. Of a plain object the members stay that name who asked and under
 * which request; all others are left out, as by oslo.messaging 14.0.3 (from 14.7 on it sends nothing of a plain
 * object, whatever it holds). Null and everything else give `{}`.
 *
 * @source oslo.messaging notify/notifier.py _sanitize_context
 */
export function redactContext(context: unknown): RedactableContext | JsonObject {
  if (typeof context !== 'object' || context === null) return {}
  if (isRedactable(context)) return context.redactedCopy()
  return isPlain(context) ? keepSafeKeys(context as JsonObject) : {}
}

/** Whether the context makes its own redacted copy. */
export function isRedactable(context: object): context is RedactableContext {
  return 'redactedCopy' in context && typeof context.redactedCopy === 'function'
}

/** The members of a plain context that a notification may carry. */
export function keepSafeKeys(context: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(context).filter(([key]) => SAFE_KEYS.has(key)))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
