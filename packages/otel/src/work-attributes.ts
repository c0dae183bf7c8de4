import { isHermodError } from '@hermod/kernel'
import type { Attributes } from '@opentelemetry/api'
import type { ObservedDispatch, ObservedSend } from './observed-work.ts'
import { ATTRIBUTE, OTHER } from './semantic-conventions.ts'

/** A piece of work: something is sent or dispatched. */
export type ObservedWork = ObservedSend | ObservedDispatch

/** What is done to a message, in Hermod's word and in the conventions'. */
export interface Operation {
  readonly name: string
  readonly type: 'send' | 'process'
}

/** `rpc.system.name` of Hermod and of the Python services that it talks to. */
const RPC_SYSTEM = 'oslo_messaging'

/** Systems whose driver has another name. */
const SYSTEMS: ReadonlyMap<string, string> = new Map([
  ['rabbit', 'rabbitmq'],
  ['kombu', 'rabbitmq'],
])

const PRIORITIES: ReadonlySet<string> = new Set([
  'audit',
  'debug',
  'info',
  'warn',
  'error',
  'critical',
  'sample',
])

/** Codes of failures that a server names to its caller, with the exception. */
const REMOTE_CODES: ReadonlySet<string> = new Set(['E_REMOTE', 'E_NO_METHOD', 'E_RPC_VERSION'])

/** `messaging.system` of a driver. */
export function systemOf(driver: string): string {
  return SYSTEMS.get(driver) ?? driver
}

/** What spans and metrics of a piece of work have in common; all of it is of low variety. */
export function attributesOf(work: ObservedWork, { name, type }: Operation): Attributes {
  const topical =
    work.kind === 'notify'
      ? { [ATTRIBUTE.eventType]: work.eventType }
      : { [ATTRIBUTE.rpcMethod]: rpcMethodOf(work) }
  return {
    [ATTRIBUTE.system]: systemOf(work.driver),
    [ATTRIBUTE.operationName]: name,
    [ATTRIBUTE.operationType]: type,
    [ATTRIBUTE.destinationName]: destinationOf(work),
    ...topical,
  }
}

/** What only the span of a piece of work says: too much variety for metrics. */
export function detailsOf(work: ObservedWork): Attributes {
  const rpc = work.kind === 'notify' ? {} : { [ATTRIBUTE.rpcSystem]: RPC_SYSTEM }
  if (!('exchange' in work)) return rpc
  return {
    ...rpc,
    [ATTRIBUTE.exchange]: work.exchange,
    ...(work.server !== undefined && { [ATTRIBUTE.server]: work.server }),
    ...(work.fanout && { [ATTRIBUTE.fanout]: true }),
  }
}

/** The name of the span: the method of a request, or what is done to a notification and where. */
export function spanNameOf(work: ObservedWork, { name }: Operation): string {
  return work.kind === 'notify' ? `${name} ${destinationOf(work)}` : rpcMethodOf(work)
}

/** What the metrics of remote calls say, out of what all metrics say. */
export function callAttributes(attributes: Attributes): Attributes {
  const { [ATTRIBUTE.rpcMethod]: method, [ATTRIBUTE.errorType]: errorType } = attributes
  return {
    [ATTRIBUTE.rpcSystem]: RPC_SYSTEM,
    [ATTRIBUTE.rpcMethod]: method,
    ...(errorType !== undefined && { [ATTRIBUTE.errorType]: errorType }),
  }
}

/**
 * What a failure adds to spans and metrics: the code of Hermod's own errors, the class of others. Texts are never used;
 * they may hold whatever a peer or a method put there.
 */
export function failureOf(error: unknown): Attributes {
  return { [ATTRIBUTE.errorType]: errorTypeOf(error) }
}

/** What a failure adds to the span alone: the exception that the server names to its caller. */
export function failureDetails(error: unknown): Attributes {
  const name = isHermodError(error) && REMOTE_CODES.has(error.code) ? error.details['class'] : undefined
  return typeof name === 'string' ? { [ATTRIBUTE.remoteClass]: name } : {}
}

/**
 * Whether a server was asked for a method that it does not have: peers could ask for any number of them. What another
 * server answered to a call of the method's own has the same code, and carries the failure.
 */
export function isUnknownMethod(error: unknown): boolean {
  if (!isHermodError(error) || 'failure' in error) return false
  return error.code === 'E_NO_METHOD' || error.code === 'E_RPC_VERSION'
}

function errorTypeOf(error: unknown): string {
  if (isHermodError(error)) return error.code
  return error instanceof Error ? error.name : OTHER
}

/** Topic and method: together what a service and its method are to other systems of remote calls. */
function rpcMethodOf({ topic, method }: ObservedWork): string {
  return method === undefined ? OTHER : `${topic}/${method}`
}

/** The topic, with the priority of a notification, which has a queue of its own. */
function destinationOf({ kind, topic, priority }: ObservedWork): string {
  const level = priority?.toLowerCase()
  return kind === 'notify' && level !== undefined && PRIORITIES.has(level) ? `${topic}.${level}` : topic
}
