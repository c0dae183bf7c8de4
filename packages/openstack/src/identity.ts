import type { JsonObject, JsonValue } from '@hermod/kernel'
import { firstText, memberOf, textOf, valueAt } from './value-at.ts'

/** Who set an event off, as the request's context or CADF tells it. */
export interface Initiator {
  readonly id: string | null
  readonly name: string | null
  readonly ip: string | null
  /** The client program. */
  readonly agent: string | null
}

/** The ids by which an event is found again. */
export interface Identity {
  /** The project that owns what the event is about, else the one it was done in. */
  readonly projectId: string | null
  /** The user who owns what the event is about, else the one who did it. */
  readonly userId: string | null
  readonly requestId: string | null
  readonly globalRequestId: string | null
  readonly initiator: Initiator | null
}

const split = (texts: readonly string[]): readonly (readonly string[])[] =>
  texts.map((text) => text.split('.'))

const PROJECT = split(['project_id', 'tenant_id', 'owner', 'owner_id', 'project'])
const USER = split(['user_id', 'user'])
/** Heat keeps the user's name in `user_id`, for compatibility with its own past; the id has a key of its own. */
const HEAT_USER = split(['user_identity'])
const CADF_PROJECT = split(['project', 'initiator.project_id', 'target.project_id'])
const CADF_USER = split(['user', 'initiator.user_id', 'initiator.id'])
const CONTEXT_PROJECT = split(['project_id', 'tenant_id', 'project', 'tenant'])
const CONTEXT_USER = split(['user_id', 'user'])
const REQUEST = split(['request_id', 'initiator.request_id'])
const GLOBAL_REQUEST = split(['global_request_id', 'initiator.global_request_id'])
const INITIATOR_NAME = split(['username', 'name', 'user_name'])

/**
 * Who and on whose behalf, from the payload and the request's context.
 *
 * @param eventType neutron and others keep the owner one level down, under the first segment of the type.
 * @param payload unwrapped.
 */
export function identityOf(
  service: string,
  eventType: string,
  payload: JsonValue,
  context: JsonObject,
): Identity {
  const isCadf = isCadfEvent(payload)
  const own = memberOf(payload, eventType.slice(0, Math.max(0, eventType.indexOf('.'))))
  const inPayload = (paths: readonly (readonly string[])[]): string | null =>
    firstText(own, paths) ?? firstText(payload, paths)
  const userPaths = service === 'heat' ? HEAT_USER : USER
  return {
    projectId:
      (isCadf ? firstText(payload, CADF_PROJECT) : inPayload(PROJECT)) ?? firstText(context, CONTEXT_PROJECT),
    userId:
      (isCadf ? firstText(payload, CADF_USER) : inPayload(userPaths)) ?? firstText(context, CONTEXT_USER),
    requestId: firstText(context, REQUEST) ?? firstText(payload, REQUEST),
    globalRequestId: firstText(context, GLOBAL_REQUEST) ?? firstText(payload, GLOBAL_REQUEST),
    initiator: cadfInitiator(payload) ?? contextInitiator(context),
  }
}

/**
 * Whether a payload is an audit event.
 * @source CADF (DMTF DSP0262): `typeURI` and `initiator`, `target`, `observer`
 */
export function isCadfEvent(payload: JsonValue): boolean {
  const typeUri = memberOf(payload, 'typeURI')
  return typeof typeUri === 'string' && typeUri.includes('/cloud/audit/')
}

function cadfInitiator(payload: JsonValue): Initiator | null {
  if (!isCadfEvent(payload)) return null
  const initiator = memberOf(payload, 'initiator')
  if (initiator === undefined) return null
  return {
    id: textOf(memberOf(initiator, 'user_id')) ?? textOf(memberOf(initiator, 'id')),
    name: firstText(initiator, INITIATOR_NAME),
    ip: textOf(valueAt(initiator, ['host', 'address'])),
    agent: textOf(valueAt(initiator, ['host', 'agent'])),
  }
}

function contextInitiator(context: JsonObject): Initiator | null {
  const id = firstText(context, CONTEXT_USER)
  const name = textOf(memberOf(context, 'user_name'))
  const ip = textOf(memberOf(context, 'remote_address'))
  return id === null && name === null && ip === null ? null : { id, name, ip, agent: null }
}
