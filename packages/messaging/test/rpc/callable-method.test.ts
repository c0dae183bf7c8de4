import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callableMethod } from '../../src/rpc/callable-method.ts'

class Base {
  inherited(): string {
    return 'inherited'
  }
  hidden(): string {
    return 'base'
  }
}

class Derived extends Base {
  field = (): string => 'field'
  text = 'no function'
  static outside(): void {}
  get accessor(): () => string {
    throw new TypeError('the accessor was read')
  }
  // @ts-expect-error it hides a method with something that is none
  override get hidden(): undefined {
    throw new TypeError('the accessor was read')
  }
  own(): string {
    return 'own'
  }
  #secret(): string {
    return 'secret'
  }
  revealing(): string {
    return this.#secret()
  }
}

describe('callableMethod', () => {
  const derived = new Derived()

  it.each(['own', 'inherited', 'field', 'revealing'])('finds %s', (name) => {
    expect(callableMethod(derived, name)).toBe((derived as unknown as Record<string, unknown>)[name])
  })

  it.each([
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'isPrototypeOf',
    '__defineGetter__',
    '__lookupGetter__',
    'text',
    'accessor',
    'hidden',
    'outside',
    '#secret',
    'secret',
    '',
    'Symbol(Symbol.toPrimitive)',
  ])('does not find %s', (name) => {
    expect(callableMethod(derived, name)).toBeUndefined()
  })

  it('finds the methods of objects without a prototype, and of other realms nothing more', () => {
    const bare = Object.assign(Object.create(null) as object, { a: () => 1 })
    expect(callableMethod(bare, 'a')).toBeTypeOf('function')
    // As an object of another realm, whose Object.prototype is not ours.
    const foreignRoot = Object.assign(Object.create(null) as object, { toString: () => 'x', evil: () => 1 })
    const foreign = Object.assign(Object.create(foreignRoot) as object, { a: () => 1 })
    expect(callableMethod(foreign, 'a')).toBeTypeOf('function')
    expect(callableMethod(foreign, 'evil')).toBeUndefined()
  })

  it('finds an own function called like a member of Object.prototype, but never the constructor', () => {
    const own = JSON.parse('{"toString": 1, "__proto__": 2}') as object
    const toString = (): string => 'mine'
    expect(callableMethod({ toString }, 'toString')).toBe(toString)
    expect(callableMethod({ constructor: toString }, 'constructor')).toBeUndefined()
    expect(callableMethod(own, '__proto__')).toBeUndefined()
  })

  it('finds nothing of Object.prototype or Function.prototype under any name', () => {
    const names = [Object.prototype, Function.prototype, Promise.prototype].flatMap((prototype) =>
      Object.getOwnPropertyNames(prototype),
    )
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...names), fc.string()), (name) => {
        expect(callableMethod({}, name)).toBeUndefined()
        expect(callableMethod(new Base(), name)).toBe(
          name === 'inherited' || name === 'hidden' ? Base.prototype[name] : undefined,
        )
      }),
    )
  })
})
