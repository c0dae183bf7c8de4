import { describe, expect, it } from 'vitest'
import { EncodeError, parsePythonJson, stringifyJson } from '../src/index.ts'

function nest(depth: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

describe('stringifyJson', () => {
  it.each<readonly [unknown, string]>([
    [100_000_000_000_000_000_000n, '100000000000000000000'],
    [-1n, '-1'],
    [NaN, '"NaN"'],
    [Infinity, '"Infinity"'],
    [-Infinity, '"-Infinity"'],
    [-0, '0'],
    [2 ** 53, '9.007199254740992e+15'],
    [-(2 ** 64), '-1.8446744073709552e+19'],
    [1e21, '1e+21'],
    [2 ** 53 - 1, '9007199254740991'],
    [[2 ** 53, 2n ** 53n], '[9.007199254740992e+15,9007199254740992]'],
    [[-0, 1n], '[0,1]'],
    [{ a: 1n, b: [NaN, { c: null }], d: undefined, e: () => {} }, '{"a":1,"b":["NaN",{"c":null}]}'],
    [[undefined, 1n, Symbol('s')], '[null,1,null]'],
    [{ at: new Date(0), id: 1n }, '{"at":"1970-01-01T00:00:00.000Z","id":1}'],
    [[new Date(NaN), 1n], '[null,1]'],
    [{ 'a"\n\u2028': '\ud800', id: 1n }, '{"a\\"\\n\u2028":"\\ud800","id":1}'],
    [[1n, Object('s'), Object(true), Object(5)], '[1,"s",true,5]'],
    [{ toJSON: (key: string) => ({ key, id: 1n }) }, '{"key":"","id":1}'],
    [{ a: { toJSON: (key: string) => key } }, '{"a":"a"}'],
    [[{}, [], 1n], '[{},[],1]'],
  ])('%o', (value, text) => {
    expect(stringifyJson(value)).toBe(text)
  })

  it('keeps __proto__ as a member', () => {
    expect(stringifyJson(parsePythonJson('{"__proto__": {"a": 1}}'))).toBe('{"__proto__":{"a":1}}')
    expect(stringifyJson(parsePythonJson('{"__proto__": {"a": NaN}}'))).toBe('{"__proto__":{"a":"NaN"}}')
  })

  it('indents as JSON.stringify does', () => {
    const value = { a: [1, { b: [] }, {}], c: { d: 'e' } }
    expect(stringifyJson(value, { space: 2 })).toBe(JSON.stringify(value, null, 2))
    expect(stringifyJson([value, 7n], { space: 2 })).toBe(JSON.stringify([value, 7], null, 2))
  })

  it.each([undefined, () => {}, Symbol('s')])('refuses %s, which has no JSON form', (value) => {
    expect(() => stringifyJson(value)).toThrow(EncodeError)
  })

  it('refuses a value that contains itself, at any depth, and soon', () => {
    const cycle: Record<string, unknown> = { list: Array.from({ length: 1000 }, () => 0) }
    cycle['self'] = { deeper: [cycle] }
    expect(() => stringifyJson(cycle)).toThrow('a value that contains itself has no JSON form')
    expect(() => stringifyJson({ id: 1n, cycle })).toThrow(EncodeError)
  })

  it('writes one object twice when it does not contain itself', () => {
    const shared = { a: 1n }
    expect(stringifyJson([shared, shared])).toBe('[{"a":1},{"a":1}]')
  })

  it('writes deep values and refuses endless ones', () => {
    expect(stringifyJson(nest(1000))).toBe(`${'['.repeat(1000)}0${']'.repeat(1000)}`)
    expect(() => stringifyJson(nest(100_000))).toThrow('nested deeper than 1000 levels')
  })

  it('wraps what a toJSON or a getter throws', () => {
    const failure = new Error('inside')
    const throwing = {
      toJSON() {
        throw failure
      },
    }
    const getter = {
      get a(): never {
        throw failure
      },
    }
    for (const value of [throwing, [throwing, 1n], getter]) {
      expect(() => stringifyJson(value)).toThrow(
        expect.objectContaining({ code: 'E_ENCODE', cause: failure }),
      )
    }
  })
})
