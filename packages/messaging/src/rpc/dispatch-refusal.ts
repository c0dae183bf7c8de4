import { stringifyJson, type JsonValue } from '@hermod/kernel'
import { RemoteException } from './remote-exception.ts'

const DISPATCHER = 'oslo_messaging.rpc.dispatcher'

/** As a caller of Hermod's sees them. */
const CODES = {
  noSuchMethod: 'E_NO_METHOD',
  unsupportedVersion: 'E_RPC_VERSION',
  malformed: 'E_REMOTE',
} as const

/** A request for which no method runs. */
export class DispatchRefusal extends RemoteException {
  readonly reason: 'noSuchMethod' | 'unsupportedVersion' | 'malformed'

  constructor(reason: DispatchRefusal['reason'], remoteClass: string, message: string, module?: string) {
    super(remoteClass, message, { module }, CODES[reason])
    this.reason = reason
  }
}

/**
 * Endpoints have the namespace and version, and none offers the method. Callers of older releases match on the text.
 * @source oslo.messaging rpc/dispatcher.py NoSuchMethod
 */
export function noSuchMethod(method: string): DispatchRefusal {
  const message = `Endpoint does not support RPC method ${method}`
  return new DispatchRefusal('noSuchMethod', 'NoSuchMethod', message, DISPATCHER)
}

/**
 * No endpoint has the namespace and version. Callers of older releases match on the text.
 * @source oslo.messaging rpc/dispatcher.py UnsupportedVersion
 */
export function unsupportedVersion(version: JsonValue, method: JsonValue | undefined): DispatchRefusal {
  const attempted = isTruthy(method) ? `. Attempted method: ${pythonText(method)}` : ''
  const message = `Endpoint does not support RPC version ${pythonText(version)}${attempted}`
  return new DispatchRefusal('unsupportedVersion', 'UnsupportedVersion', message, DISPATCHER)
}

/**
 * What no client of oslo.messaging sends.
 * @param remoteClass the exception that Python's server stumbles into.
 */
export function malformedRequest(remoteClass: string, message: string): DispatchRefusal {
  return new DispatchRefusal('malformed', remoteClass, message)
}

/** What Python's server takes for a name worth mentioning. */
function isTruthy(value: JsonValue | undefined): value is JsonValue {
  return Boolean(value)
}

function pythonText(value: JsonValue): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? value : stringifyJson(value)
}
