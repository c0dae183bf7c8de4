import { inspect, isDeepStrictEqual } from 'node:util'
import { DecodeError, parsePythonJson, stringifyJson } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const runs = { numRuns: 2000 }

const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', 'NaN', '0', '12345678901234567', '\u2028'),
)

/** Any JSON value whose numbers come from `number`. */
function jsonOf(number: fc.Arbitrary<number | bigint>): fc.Arbitrary<unknown> {
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      number,
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  })).value
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const ordinary = jsonOf(fc.oneof(finite, fc.maxSafeInteger(), fc.integer()))
const modest = jsonOf(
  fc.oneof(
    fc.double({ noNaN: true, min: -(2 ** 53 - 1), max: 2 ** 53 - 1 }),
    fc.maxSafeInteger(),
    fc.integer(),
  ),
)
const extended = jsonOf(
  fc.oneof(
    // Minus zero is written as zero, as JSON.stringify does.
    fc.oneof(finite, fc.maxSafeInteger()).map((number) => (number === 0 ? 0 : number)),
    fc.bigInt({ min: 2n ** 53n }),
    fc.bigInt({ max: -(2n ** 53n) }),
  ),
)
const blank = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 })

describe('the two readers', () => {
  it('give what JSON.parse gives for every ordinary text', () => {
    fc.assert(
      fc.property(ordinary, blank, (value, space) => {
        const text = JSON.stringify(value, null, space)
        const expected = JSON.parse(text) as unknown
        // Big doubles are written as runs of digits: as numbers they compare with JSON.parse.
        expectSame(parsePythonJson(text, { integers: 'number' }), expected)
        // A bare NaN in front sends the same text through our own reader.
        expectSame(parsePythonJson(`[NaN,${text}]`, { integers: 'number' }), [NaN, expected])
      }),
      runs,
    )
  })

  it('accept and refuse the same texts', () => {
    const damaged = fc
      .tuple(
        ordinary,
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\0-.eEn \n')), maxLength: 2 }),
      )
      .map(([value, at, remove, insert]) => {
        const text = JSON.stringify(value)
        const index = at % (text.length + 1)
        return text.slice(0, index) + insert + text.slice(index + remove)
      })
    fc.assert(
      fc.property(damaged, (text) => {
        const limits = { integers: 'number', maxDepth: 1000 } as const
        expectSame(
          outcome(() => parsePythonJson(text, limits)),
          outcome(() => JSON.parse(text)),
        )
        const [zero, nan] = [`[0,${text}\n]`, `[NaN,${text}\n]`]
        expectSame(
          outcome(() => parsePythonJson(nan, limits)),
          outcome(() => (JSON.parse(zero) as unknown[]).with(0, NaN)),
        )
      }),
      runs,
    )
  })

  it('fail with an offset inside the text, and nothing of the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\0123456789-.eENaIn')), maxLength: 40 }),
        (text) => {
          let error: unknown
          try {
            parsePythonJson(`"hunter2" ${text}`)
            return
          } catch (thrown) {
            error = thrown
          }
          expect(error).toBeInstanceOf(DecodeError)
          const { details, message } = error as DecodeError
          expect(details['offset']).toBeGreaterThanOrEqual(0)
          expect(details['offset']).toBeLessThanOrEqual(text.length + 10)
          expect(message).not.toContain('hunter2')
        },
      ),
      runs,
    )
  })
})

describe('the writer', () => {
  it('writes ordinary values as JSON.stringify, with and without its own walk', () => {
    fc.assert(
      fc.property(modest, fc.integer({ min: 0, max: 4 }), (value, space) => {
        expect(stringifyJson(value, { space })).toBe(JSON.stringify(value, null, space))
        expect(stringifyJson([value, NaN], { space })).toBe(JSON.stringify([value, 'NaN'], null, space))
      }),
      runs,
    )
  })

  it('is undone by the reader, big integers included', () => {
    fc.assert(
      fc.property(extended, (value) => {
        expectSame(parsePythonJson(stringifyJson(value)), value)
      }),
      runs,
    )
  })

  it('writes strict JSON whatever JavaScript holds', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
        (value) => {
          const text = stringifyJson([value])
          expect(isJson(text)).toBe(true)
        },
      ),
      runs,
    )
  })
})

/** What was read, or that the text was refused; any other failure is thrown. */
function outcome(read: () => unknown): { readonly value: unknown } | 'refused' {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) return 'refused'
    throw error
  }
}

/** Vitest's own comparison stumbles over members called `constructor`. */
function expectSame(actual: unknown, expected: unknown): void {
  const report = isDeepStrictEqual(actual, expected) ? 'same' : inspect({ actual, expected }, { depth: null })
  expect(report).toBe('same')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
