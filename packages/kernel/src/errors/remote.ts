import type { JsonObject, JsonValue } from '../json-value.ts'
import { HermodError, type HermodErrorOptions } from './base.ts'

/**
 * An error as it travels from a server to its caller.
 * @source oslo.messaging _drivers/common.py serialize_remote_exception
 */
export interface Failure {
  /** The name of the exception's class in Python's terms. */
  readonly class: string
  /** The Python module of the class; `builtins` for those of Python itself. */
  readonly module: string
  readonly message: string
  /** Lines of the traceback, each with its line feed. */
  readonly tb: readonly string[]
  readonly args: readonly JsonValue[]
  readonly kwargs: JsonObject
}

/** The method of a remote call failed; what the server said of it stands in `failure`, unchanged. */
export class RemoteError extends HermodError {
  readonly failure: Failure

  constructor(
    failure: Failure,
    code: 'E_REMOTE' | 'E_NO_METHOD' | 'E_RPC_VERSION' = 'E_REMOTE',
    options: HermodErrorOptions = {},
  ) {
    const { class: name, module, message } = failure
    super(code, `the remote method failed with ${message === '' ? name : `${name}: ${message}`}`, {
      ...options,
      details: { class: name, module },
    })
    this.failure = failure
  }

  /** The name of the remote exception's class, such as `ValueError`. */
  get remoteClass(): string {
    return this.failure.class
  }

  /** The Python module of that class. */
  get remoteModule(): string {
    return this.failure.module
  }

  /** Where it happened, as the server tells. */
  get remoteTraceback(): string {
    return this.failure.tb.join('')
  }
}

/** No endpoint of the server has the method, or none shows it. */
export class NoSuchMethodError extends RemoteError {
  constructor(failure: Failure) {
    super(failure, 'E_NO_METHOD')
  }
}

/** No endpoint of the server has the namespace and version of the request. */
export class UnsupportedVersionError extends RemoteError {
  constructor(failure: Failure) {
    super(failure, 'E_RPC_VERSION')
  }
}
