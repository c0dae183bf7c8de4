import type { JsonObject, JsonValue } from '@hermod/kernel'
import { randomUUID } from 'node:crypto'
import { keepSafeKeys } from './redact-context.ts'

/** What a {@link RequestContext} is made of; everything may be left out. */
export interface RequestContextParts {
  readonly userId?: string | null | undefined
  readonly projectId?: string | null | undefined
  /** `all`: the whole deployment. */
  readonly systemScope?: string | null | undefined
  readonly domainId?: string | null | undefined
  readonly userDomainId?: string | null | undefined
  readonly projectDomainId?: string | null | undefined
  readonly isAdmin?: boolean | undefined
  /** Whether the project is the admin project; default true, as in Python. */
  readonly isAdminProject?: boolean | undefined
  readonly readOnly?: boolean | undefined
  readonly showDeleted?: boolean | undefined
  /** A secret. It travels with remote calls and never with notifications. */
  readonly authToken?: string | null | undefined
  /** `req-` and a UUID; by default a new one. */
  readonly requestId?: string | undefined
  /** The request of another service that led to this one. */
  readonly globalRequestId?: string | null | undefined
  readonly resourceUuid?: string | null | undefined
  readonly roles?: readonly string[] | undefined
  /** Further members as they travel, such as a service's own; none of those above. */
  readonly extra?: JsonObject | undefined
}

/** The members of the wire form, in its order. */
const WIRE_KEYS = [
  'user',
  'project_id',
  'system_scope',
  'project',
  'domain',
  'user_domain',
  'project_domain',
  'is_admin',
  'read_only',
  'show_deleted',
  'auth_token',
  'request_id',
  'global_request_id',
  'resource_uuid',
  'roles',
  'user_identity',
  'is_admin_project',
] as const

/**
 * Who asks for something, and under which request: what OpenStack services send along with calls and notifications.
 * Immutable. Printing one, or writing it as JSON, shows no token: only {@link toWire} does.
 *
 * @source oslo.context context.py RequestContext
 */
export class RequestContext {
  readonly userId: string | null
  readonly projectId: string | null
  readonly systemScope: string | null
  readonly domainId: string | null
  readonly userDomainId: string | null
  readonly projectDomainId: string | null
  readonly isAdmin: boolean
  readonly isAdminProject: boolean
  readonly readOnly: boolean
  readonly showDeleted: boolean
  readonly requestId: string
  readonly globalRequestId: string | null
  readonly resourceUuid: string | null
  readonly roles: readonly string[]
  readonly #authToken: string | null
  readonly #extra: JsonObject

  constructor(parts: RequestContextParts = {}) {
    this.userId = parts.userId ?? null
    this.projectId = parts.projectId ?? null
    this.systemScope = parts.systemScope ?? null
    this.domainId = parts.domainId ?? null
    this.userDomainId = parts.userDomainId ?? null
    this.projectDomainId = parts.projectDomainId ?? null
    this.isAdmin = parts.isAdmin ?? false
    this.isAdminProject = parts.isAdminProject ?? true
    this.readOnly = parts.readOnly ?? false
    this.showDeleted = parts.showDeleted ?? false
    this.requestId = parts.requestId ?? generateRequestId()
    this.globalRequestId = parts.globalRequestId ?? null
    this.resourceUuid = parts.resourceUuid ?? null
    this.roles = Object.freeze([...(parts.roles ?? [])])
    this.#authToken = parts.authToken ?? null
    this.#extra = withoutKeys(parts.extra ?? {}, WIRE_KEYS)
    Object.freeze(this)
  }

  /**
   * Reads the form in which contexts travel. A member of an unexpected type reads as absent; members that it has no
   * property for are kept in {@link extra}.
   */
  static fromWire(values: JsonObject): RequestContext {
    return new RequestContext({
      userId: textOf(values, 'user') ?? textOf(values, 'user_id'),
      projectId: textOf(values, 'project_id'),
      systemScope: textOf(values, 'system_scope'),
      domainId: textOf(values, 'domain'),
      userDomainId: textOf(values, 'user_domain'),
      projectDomainId: textOf(values, 'project_domain'),
      isAdmin: flagOf(values, 'is_admin'),
      isAdminProject: flagOf(values, 'is_admin_project'),
      readOnly: flagOf(values, 'read_only'),
      showDeleted: flagOf(values, 'show_deleted'),
      authToken: textOf(values, 'auth_token'),
      requestId: textOf(values, 'request_id'),
      globalRequestId: textOf(values, 'global_request_id'),
      resourceUuid: textOf(values, 'resource_uuid'),
      roles: rolesOf(values),
      extra: values,
    })
  }

  get authToken(): string | null {
    return this.#authToken
  }

  /** Members of the wire form that have no property of their own; may hold secrets. */
  get extra(): JsonObject {
    return this.#extra
  }

  /** What other services are to be told as their `globalRequestId`. */
  get globalId(): string {
    return this.globalRequestId ?? this.requestId
  }

  /**
   * The form in which it travels, the token included.
   * @source oslo.context context.py RequestContext.to_dict
   */
  toWire(): JsonObject {
    const identity = [
      this.userId,
      this.projectId,
      this.domainId,
      this.userDomainId,
      this.projectDomainId,
    ].map((id) => id || '-')
    return {
      user: this.userId,
      project_id: this.projectId,
      system_scope: this.systemScope,
      project: this.projectId,
      domain: this.domainId,
      user_domain: this.userDomainId,
      project_domain: this.projectDomainId,
      is_admin: this.isAdmin,
      read_only: this.readOnly,
      show_deleted: this.showDeleted,
      auth_token: this.#authToken,
      request_id: this.requestId,
      global_request_id: this.globalRequestId,
      resource_uuid: this.resourceUuid,
      roles: [...this.roles],
      user_identity: identity.join(' '),
      is_admin_project: this.isAdminProject,
      ...this.#extra,
    }
  }

  /**
   * A copy for those who may not act in the user's name: without the token, and of `extra` only what notifications may
   * carry. What is no identity (`readOnly`, `showDeleted`, `resourceUuid`, `isAdminProject`) has its default again.
   *
   * @source oslo.context context.py RequestContext.redacted_copy
   */
  redactedCopy(): RequestContext {
    return new RequestContext({
      userId: this.userId,
      projectId: this.projectId,
      systemScope: this.systemScope,
      domainId: this.domainId,
      userDomainId: this.userDomainId,
      projectDomainId: this.projectDomainId,
      isAdmin: this.isAdmin,
      requestId: this.requestId,
      globalRequestId: this.globalRequestId,
      roles: this.roles,
      extra: keepSafeKeys(this.#extra),
    })
  }
}

/** A new request id: `req-` and a UUID. */
export function generateRequestId(): string {
  return `req-${randomUUID()}`
}

function own(values: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined
}

function textOf(values: JsonObject, key: string): string | undefined {
  const value = own(values, key)
  return typeof value === 'string' ? value : undefined
}

function flagOf(values: JsonObject, key: string): boolean | undefined {
  const value = own(values, key)
  return typeof value === 'boolean' ? value : undefined
}

function rolesOf(values: JsonObject): readonly string[] {
  const roles = own(values, 'roles')
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}

/** fromEntries defines members, so that one called `__proto__` stays an ordinary one. */
function withoutKeys(values: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)))
}
