import { NoSuchMethodError, RemoteError, UnsupportedVersionError, type Failure } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { RemoteErrorRegistry, type RemoteErrorConstructor } from '../../src/index.ts'

class BuiltinException extends RemoteError {}
class NovaStyleException extends RemoteError {}
class KwargsStyleException extends Error {
  constructor({ kwargs }: Failure) {
    super(`I am ${JSON.stringify(kwargs['who'])}`)
  }
}
class Unmakeable extends Error {
  constructor({ args }: Failure) {
    super('unmakeable')
    if (args.length === 0) throw new TypeError('it takes other arguments')
  }
}

const failureOf = (module: string, name: string, more: Partial<Failure> = {}): Failure => ({
  class: name,
  module,
  message: 'test',
  tb: ['traceback\ntraceback\n'],
  args: [],
  kwargs: {},
  ...more,
})

const errors = RemoteErrorRegistry.standard
  .allow('builtins', { Exception: BuiltinException })
  .allow('nova.exception', { NovaStyleException, KwargsStyleException, Unmakeable })

describe('RemoteErrorRegistry', () => {
  // The table of oslo.messaging's own test of deserialize_remote_exception, in our terms.
  it.each<[string, Failure, abstract new (...args: never) => Error]>([
    [
      'an exception of Python itself',
      failureOf('builtins', 'Exception', { args: ['test'] }),
      BuiltinException,
    ],
    ['one of Python 2', failureOf('exceptions', 'Exception', { args: ['test'] }), BuiltinException],
    ['one of an allowed module', failureOf('nova.exception', 'NovaStyleException'), NovaStyleException],
    [
      'one of an allowed module with arguments',
      failureOf('nova.exception', 'NovaStyleException', { args: ['testing'] }),
      NovaStyleException,
    ],
    [
      'one with named arguments',
      failureOf('nova.exception', 'KwargsStyleException', { kwargs: { who: 'Oslo' } }),
      KwargsStyleException,
    ],
    ['one of a module that is not allowed', failureOf('cinder.exception', 'NovaStyleException'), RemoteError],
    ['one of a module that does not exist', failureOf('notexist', 'Exception'), RemoteError],
    ['one that Python does not have', failureOf('builtins', 'FarcicalError'), RemoteError],
    ['one whose constructor does not take it', failureOf('nova.exception', 'Unmakeable'), RemoteError],
    ['one that ends processes', failureOf('builtins', 'SystemExit'), RemoteError],
  ])('rebuilds %s', (_, failure, constructor) => {
    const error = errors.errorOf(failure)
    expect(error.constructor).toBe(constructor)
  })

  it('keeps what the server said', () => {
    const failure = failureOf('cinder.exception', 'NotFound')
    const error = errors.errorOf(failure) as RemoteError
    expect(error.failure).toBe(failure)
    expect(error.message).toBe('the remote method failed with NotFound: test')
    expect([error.remoteClass, error.remoteModule]).toEqual(['NotFound', 'cinder.exception'])
    expect(error.remoteTraceback).toBe('traceback\ntraceback\n')
  })

  it('hands the constructor all that the server said', () => {
    const failure = failureOf('nova.exception', 'KwargsStyleException', { kwargs: { who: 'Oslo' } })
    expect(errors.errorOf(failure).message).toBe('I am "Oslo"')
  })

  it('keeps why a constructor failed', () => {
    const error = errors.errorOf(failureOf('nova.exception', 'Unmakeable'))
    expect(error.cause).toEqual(new TypeError('it takes other arguments'))
  })

  it('knows what servers say of requests that they cannot serve, and nothing else', () => {
    const known = (name: string): Error =>
      RemoteErrorRegistry.standard.errorOf(failureOf('oslo_messaging.rpc.dispatcher', name))
    expect(known('NoSuchMethod')).toBeInstanceOf(NoSuchMethodError)
    expect(known('UnsupportedVersion')).toBeInstanceOf(UnsupportedVersionError)
    expect(known('ExpectedException').constructor).toBe(RemoteError)
  })

  it('cuts the suffix of exceptions that came from yet another server, from both names or from none', () => {
    const of = (module: string, name: string): Error => errors.errorOf(failureOf(module, name))
    expect(of('nova.exception_Remote', 'NovaStyleException_Remote')).toBeInstanceOf(NovaStyleException)
    expect(of('exceptions_Remote', 'Exception_Remote')).toBeInstanceOf(BuiltinException)
    expect(of('nova.exception', 'NovaStyleException_Remote').constructor).toBe(RemoteError)
    expect(of('nova.exception_Remote', 'NovaStyleException').constructor).toBe(RemoteError)
  })

  it('never takes a name for a member of an object', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', '']) {
      expect(errors.errorOf(failureOf('builtins', name)).constructor).toBe(RemoteError)
      expect(errors.errorOf(failureOf(name, 'Exception')).constructor).toBe(RemoteError)
    }
  })

  it('is not changed by allowing more', () => {
    const classes: Record<string, RemoteErrorConstructor> = { KeyError: BuiltinException }
    const more = errors.allow('builtins', classes)
    classes['IndexError'] = BuiltinException
    const of = (registry: RemoteErrorRegistry, name: string): unknown =>
      registry.errorOf(failureOf('builtins', name)).constructor
    expect([of(errors, 'KeyError'), of(more, 'KeyError'), of(more, 'IndexError')]).toEqual([
      RemoteError,
      BuiltinException,
      RemoteError,
    ])
    expect(of(more, 'Exception')).toBe(BuiltinException)
  })
})
