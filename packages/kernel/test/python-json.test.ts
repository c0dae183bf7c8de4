import { describe, expect, it } from 'vitest'
import { DecodeError, parsePythonJson, PYTHON_JSON_DEFAULTS } from '../src/index.ts'

const thrownBy = (text: string, options = {}): DecodeError => {
  try {
    parsePythonJson(text, options)
  } catch (error) {
    return error as DecodeError
  }
  throw new Error('it was read')
}

const nested = (depth: number, inner: string): string => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`
const members = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`

describe('texts that Python writes', () => {
  it.each<readonly [string, unknown]>([
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['{"load": NaN, "max": Infinity, "min": -Infinity}', { load: NaN, max: Infinity, min: -Infinity }],
    ['[NaN, [Infinity], {"a": -Infinity}]', [NaN, [Infinity], { a: -Infinity }]],
    ['9007199254740991', 9_007_199_254_740_991],
    ['-9007199254740991', -9_007_199_254_740_991],
    ['9007199254740992', 9_007_199_254_740_992n],
    ['-9007199254740993', -9_007_199_254_740_993n],
    ['100000000000000000000', 100_000_000_000_000_000_000n],
    ['{"id": 18446744073709551615}', { id: 18_446_744_073_709_551_615n }],
    ['1.0', 1],
    ['1e+22', 1e22],
    ['1e-07', 1e-7],
    ['0.1234567890123456789', Number('0.1234567890123456789')],
    ['12345678901234567890.5', Number('12345678901234567890.5')],
    ['1234567890123456789e3', Number('1234567890123456789e3')],
    ['1e400', Infinity],
    ['-0', -0],
    ['[-0, 1234567890123456]', [-0, 1234567890123456]],
    [String.raw`"caf\u00e9 \ud83d\ude00 \"\\\/\b\f\n\r\t"`, 'café 😀 "\\/\b\f\n\r\t'],
    [String.raw`[NaN, "\ud800"]`, [NaN, '\ud800']],
    ['["NaN", "Infinity", "1234567890123456789"]', ['NaN', 'Infinity', '1234567890123456789']],
    ['{"1": 1, "null": null, "true": true}', { 1: 1, null: null, true: true }],
    ['{}', {}],
    ['[]', []],
    [' [ ] ', []],
    ['\t{ "a" :\r\n[ NaN , { } ] }\n', { a: [NaN, {}] }],
  ])('%s', (text, value) => {
    expect(parsePythonJson(text)).toStrictEqual(value)
  })

  it('rounds big integers where the caller prefers numbers', () => {
    expect(parsePythonJson('[100000000000000000000, NaN]', { integers: 'number' })).toEqual([1e20, NaN])
    expect(parsePythonJson('100000000000000000000', { integers: 'number' })).toBe(1e20)
  })

  it.each(['{"a": 1, "a": 2}', '{"a": NaN, "a": 2}'])('lets the last of equal names win: %s', (text) => {
    expect(parsePythonJson(text)).toEqual({ a: 2 })
  })

  it.each(['', ', "nan": NaN'])('keeps __proto__ an ordinary member%s', (more) => {
    const value = parsePythonJson(
      `{"__proto__": {"polluted": 1}, "__proto__": {"polluted": 2}, "constructor": 3${more}}`,
    )
    expect(Object.keys(value as object).slice(0, 2)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect((value as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')).toEqual({
      value: { polluted: 2 },
      writable: true,
      enumerable: true,
      configurable: true,
    })
  })
})

describe('texts that are no JSON', () => {
  it.each<readonly [string, number]>([
    ['', 0],
    ['   ', 3],
    ['nul', 0],
    ['nan', 0],
    ['+Infinity', 0],
    ['-NaN', 0],
    ['Infinit', 0],
    ['[1, 2', 5],
    ['[1 2]', 3],
    ['[1,]', 3],
    ['{"a" 1}', 5],
    ['{"a": 1,}', 8],
    ['{a: 1}', 1],
    ['{"a": hunter2}', 6],
    ['{"a": "hunter2', 6],
    ['01', 1],
    ['1.', 1],
    ['.5', 0],
    ['-', 0],
    ['1 hunter2', 2],
    ['"a\nhunter2"', 0],
    [String.raw`"\x hunter2"`, 0],
    [String.raw`"\u12g4 hunter2"`, 0],
    ['"\\', 0],
    ['\uFEFF{}', 0],
    ['[NaN, hunter2]', 6],
    ['\u00a01', 0],
  ])('%j fails at %i', (text, offset) => {
    const error = thrownBy(text)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.details).toEqual({ offset })
    expect(error.message).toMatch(new RegExp(`at offset ${offset}$`))
    expect(JSON.stringify(error)).not.toContain('hunter2')
    expect(error.cause).toBeUndefined()
  })
})

describe('limits', () => {
  it.each(['0', 'NaN'])('reads 64 levels around %s and refuses 65', (inner) => {
    expect(() => parsePythonJson(nested(64, inner))).not.toThrow()
    const error = thrownBy(nested(65, inner))
    expect(error.message).toBe('nested deeper than 64 levels in JSON at offset 64')
    expect(error.details).toEqual({ offset: 64 })
  })

  it('counts levels, not brackets', () => {
    expect(() => parsePythonJson(`[${'[],{},'.repeat(500)}0]`)).not.toThrow()
    expect(() => parsePythonJson(JSON.stringify('[{'.repeat(500)))).not.toThrow()
    expect(() => parsePythonJson(JSON.stringify(`"${'\\['.repeat(500)}`))).not.toThrow()
  })

  it('refuses a flood of brackets without overflowing the stack', () => {
    expect(thrownBy('['.repeat(5_000_000)).message).toContain('nested deeper than 64')
    expect(thrownBy(`${'['.repeat(5_000_000)}NaN`, { maxDepth: Infinity }).message).toContain(
      'deeper than 1000',
    )
    expect(thrownBy(']'.repeat(100_000)).message).toContain('offset 0')
  })

  it('reads 1000 levels where the caller asks for them', () => {
    expect(() => parsePythonJson(nested(1000, 'NaN'), { maxDepth: 1000 })).not.toThrow()
  })

  it('bounds the members of one object, not of the text', () => {
    expect(() => parsePythonJson(members(10_000))).not.toThrow()
    expect(thrownBy(members(10_001)).message).toMatch(
      /an object of more than 10000 members in JSON at offset \d+/,
    )
    expect(() =>
      parsePythonJson(`[${Array.from({ length: 5 }, () => members(9000)).join(',')}]`),
    ).not.toThrow()
    expect(thrownBy('[{"a":{"b":1,"c":1,"d":1},"e":1}]', { maxKeys: 2 }).details).toEqual({ offset: 22 })
    expect(() => parsePythonJson('[{"a":{"b":1,"c":1},"e":1}]', { maxKeys: 2 })).not.toThrow()
    expect(() => parsePythonJson('["::::"]', { maxKeys: 2 })).not.toThrow()
  })

  it('bounds the values of the text, whatever they are', () => {
    const atMost = { maxValues: 4 }
    for (const text of ['[1,2,3]', '[[],[]]', '{"a":1,"b":{}}', '[",,,,,,,"]', '[NaN,[]]'])
      expect(() => parsePythonJson(text, atMost)).not.toThrow()
    for (const text of ['[1,2,3,4]', '[[[]],[]]', '{"a":1,"b":{"c":1,"d":1}}', '[NaN,[],[]]']) {
      const { message, details } = thrownBy(text, atMost)
      expect(message).toMatch(/^more than 4 values in JSON at offset \d+$/)
      expect(details['offset']).toBeLessThan(text.length)
    }
    expect(thrownBy(`[${'[],'.repeat(500_000)}0]`).message).toContain('more than 1000000 values')
  })

  it('counts the digits of long integers, which cost as much as values do', () => {
    const long = (count: number): string => `[${`${'9'.repeat(4016)},`.repeat(count)}0]`
    expect(() => parsePythonJson(long(200))).not.toThrow()
    expect(thrownBy(long(300)).message).toContain('more than 1000000 values')
  })

  it('refuses integers that Python refuses', () => {
    expect(parsePythonJson('9'.repeat(4300))).toBe(10n ** 4300n - 1n)
    const error = thrownBy(`[${'9'.repeat(4301)}]`)
    expect(error.message).toBe('an integer of more than 4300 digits in JSON at offset 1')
    expect(parsePythonJson('9'.repeat(4301), { integers: 'number' })).toBe(Infinity)
  })

  it('has the defaults that it documents', () => {
    expect(PYTHON_JSON_DEFAULTS).toEqual({
      integers: 'bigint',
      maxDepth: 64,
      maxKeys: 10_000,
      maxValues: 1_000_000,
    })
  })
})
