import {
  maskUrlCredentials,
  MessageDeliveryError,
  MessagingTimeoutError,
  redactSecrets,
  RemoteError,
  stringifyJson,
  ValidationError,
  type Failure,
  type JsonValue,
} from '@hermod/kernel'
import { pythonTraceback } from './python-traceback.ts'
import { RemoteException } from './remote-exception.ts'

/** JavaScript's own errors and what they are called in Python. */
const PYTHON_BUILTINS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [TypeError, 'TypeError'],
  [RangeError, 'ValueError'],
  [SyntaxError, 'ValueError'],
  [URIError, 'ValueError'],
  [ReferenceError, 'NameError'],
])

/**
 * What a caller is told of an error that a method threw. Never throws, whatever the error is.
 *
 * - A `RemoteException` arrives as the class that it names; a `RemoteError` of another call passes on unchanged.
 * - JavaScript's own classes become Python's built-in ones: `TypeError` stays, `RangeError`, `SyntaxError` and
 *   `URIError` become `ValueError`, `ReferenceError` becomes `NameError`.
 * - Arguments that do not fit their schema are a `ValueError`, which is what Python's own validators raise and what
 *   every caller rebuilds.
 * - A call of the method's own that timed out is a `MessagingTimeout`, a message that could not be handed over a
 *   `MessageDeliveryFailure`, both of `oslo_messaging.exceptions`.
 * - Everything else keeps the name of its constructor and gets `errorModule`: a `RemoteError` for a Python caller. What
 *   is no error counts as an `Error` with its text.
 *
 * The passwords of URLs are masked, for errors of drivers and clients like to quote what they could not reach; not so
 * in a `RemoteException` or `RemoteError`, whose texts somebody chose.
 *
 * @source oslo.messaging _drivers/common.py serialize_remote_exception
 */
export function failureOfError(error: unknown, errorModule: string): Failure {
  if (error instanceof RemoteError) return error.failure
  try {
    if (error instanceof RemoteException) {
      const { remoteClass, remoteModule, message, args, kwargs } = error
      return {
        ...named(error, remoteClass, remoteModule, message),
        args: args.map(writable),
        kwargs: Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, writable(value)])),
      }
    }
    const message = maskUrlCredentials(textOf(error))
    const [name, module] = nameOf(error, errorModule)
    return { ...named(error, name, module, message), args: [message], kwargs: {} }
  } catch {
    // Its members are accessors that throw.
    const message = 'an error that cannot be read'
    return {
      class: 'Error',
      module: errorModule,
      message,
      tb: [`Error: ${message}\n`],
      args: [message],
      kwargs: {},
    }
  }
}

function named(
  error: unknown,
  name: string,
  module: string,
  message: string,
): Pick<Failure, 'class' | 'module' | 'message' | 'tb'> {
  const last = message === '' ? name : `${name}: ${message}`
  return { class: name, module, message, tb: pythonTraceback(error, last) }
}

function nameOf(error: unknown, errorModule: string): readonly [name: string, module: string] {
  if (!(error instanceof Error)) return ['Error', errorModule]
  if (error instanceof ValidationError) return ['ValueError', 'builtins']
  if (error instanceof MessagingTimeoutError) return ['MessagingTimeout', 'oslo_messaging.exceptions']
  if (error instanceof MessageDeliveryError) return ['MessageDeliveryFailure', 'oslo_messaging.exceptions']
  const builtin = PYTHON_BUILTINS.get(error.constructor)
  if (builtin !== undefined) return [builtin, 'builtins']
  return [error.constructor.name || 'Error', errorModule]
}

function textOf(error: unknown): string {
  const value: unknown = error instanceof Error ? error.message : error
  if (typeof value === 'string') return value
  try {
    return stringifyJson(redactSecrets(value))
  } catch {
    return `<${typeof value}>`
  }
}

/** The value where it has a JSON form, else what it is called. */
function writable(value: JsonValue): JsonValue {
  if (value === undefined) return null
  try {
    stringifyJson(value)
    return value
  } catch {
    return `<${typeof value} without a JSON form>`
  }
}
