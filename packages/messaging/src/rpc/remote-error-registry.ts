import { NoSuchMethodError, RemoteError, UnsupportedVersionError, type Failure } from '@hermod/kernel'

/** Makes an error of what the server said; a subclass of `RemoteError` without a constructor of its own is one. */
export type RemoteErrorConstructor = new (failure: Failure) => Error

/** What Python adds to the names of an exception that came from another server. */
const SUFFIX = '_Remote'

const DISPATCHER = 'oslo_messaging.rpc.dispatcher'

/**
 * Which classes stand for which remote exceptions: an allow-list of (module, class). It is a value: {@link allow} makes
 * another one. Names are matched exactly and looked up here alone; nothing is loaded by them.
 *
 * @source oslo.messaging _drivers/common.py deserialize_remote_exception, option `allowed_remote_exmods`
 */
export class RemoteErrorRegistry {
  /** Knows what every server says of requests that it cannot serve. */
  static readonly standard: RemoteErrorRegistry = new RemoteErrorRegistry().allow(DISPATCHER, {
    NoSuchMethod: NoSuchMethodError,
    UnsupportedVersion: UnsupportedVersionError,
  })

  readonly #constructors: ReadonlyMap<string, RemoteErrorConstructor>

  private constructor(constructors: ReadonlyMap<string, RemoteErrorConstructor> = new Map()) {
    this.#constructors = constructors
  }

  /**
   * The same with more classes: those of a Python module, by their names there. `builtins` is the module of Python's
   * own exceptions, such as `ValueError`.
   */
  allow(module: string, classes: Readonly<Record<string, RemoteErrorConstructor>>): RemoteErrorRegistry {
    const constructors = new Map(this.#constructors)
    for (const [name, constructor] of Object.entries(classes)) {
      constructors.set(keyOf(module, name), constructor)
    }
    return new RemoteErrorRegistry(constructors)
  }

  /**
   * The error for a failure: one of the allowed classes, else a {@link RemoteError}. One whose constructor throws gives
   * a `RemoteError` too, with the reason as its cause.
   */
  errorOf(failure: Failure): Error {
    const constructor = this.#constructors.get(keyOf(failure.module, failure.class))
    if (constructor === undefined) return new RemoteError(failure)
    try {
      return new constructor(failure)
    } catch (cause) {
      return new RemoteError(failure, 'E_REMOTE', { cause })
    }
  }
}

/** `exceptions` is what Python 2 calls `builtins`. */
function keyOf(module: string, name: string): string {
  const isRemote = module.endsWith(SUFFIX) && name.endsWith(SUFFIX)
  const [ownModule, ownName] = isRemote
    ? [module.slice(0, -SUFFIX.length), name.slice(0, -SUFFIX.length)]
    : [module, name]
  return JSON.stringify([ownModule === 'exceptions' ? 'builtins' : ownModule, ownName])
}
