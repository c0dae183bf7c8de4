import { HermodError, type Failure, type JsonObject, type JsonValue } from '@hermod/kernel'

/** What a {@link RemoteException} is made of, beside its class and text. */
export interface RemoteExceptionParts {
  /** The Python module of the class; `builtins` by default. Callers rebuild others only where they allow them. */
  readonly module?: string | undefined
  /** What the class is made with; the message by default. */
  readonly args?: readonly JsonValue[] | undefined
  readonly kwargs?: JsonObject | undefined
  readonly cause?: unknown
}

/**
 * Thrown in a method of an endpoint, it reaches the caller as the Python exception that it names. Its texts travel
 * unchanged.
 *
 * @example
 * throw new RemoteException('ValueError', 'the size is below 0')
 */
export class RemoteException extends HermodError {
  readonly remoteClass: string
  readonly remoteModule: string
  readonly args: Failure['args']
  readonly kwargs: JsonObject

  /**
   * @param remoteClass the name of the class, without its module.
   * @param message what Python's `str()` makes of the exception.
   * @param code what the caller's error has; others than `E_REMOTE` are for requests that no method runs for.
   */
  constructor(
    remoteClass: string,
    message: string,
    parts: RemoteExceptionParts = {},
    code: 'E_REMOTE' | 'E_NO_METHOD' | 'E_RPC_VERSION' = 'E_REMOTE',
  ) {
    const { module = 'builtins', args = [message], kwargs = {}, ...options } = parts
    super(code, message, { ...options, details: { class: remoteClass, module } })
    this.remoteClass = remoteClass
    this.remoteModule = module
    this.args = args
    this.kwargs = kwargs
  }
}
