import type { JsonObject } from '@hermod/kernel'
import { PING_METHOD, type RpcCall } from '@hermod/messaging'

/** What answers to every method. */
export type AnyMethod = (args: JsonObject, call: RpcCall) => unknown

/**
 * The methods of an endpoint that has every method. A server asks an endpoint for one method by its name and for
 * nothing else; so this object says of every name that it has it, but
 * for the ping, which the server answers itself.
 */
export function anyMethod(method: AnyMethod): object {
  return new Proxy(Object.create(null) as object, {
    getOwnPropertyDescriptor: (_, name) =>
      typeof name === 'string' && name !== PING_METHOD
        ? { value: method, configurable: true, enumerable: true, writable: true }
        : undefined,
  })
}
