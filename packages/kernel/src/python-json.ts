import type { JsonValue } from './json-value.ts'
import { needsPythonReader } from './python-json-scan.ts'
import { PythonJsonParser } from './python-json-parser.ts'

/** How {@link parsePythonJson} reads. */
export interface ParsePythonJsonOptions {
  /** What integers beyond ±(2^53 − 1) become: exact `bigint` (the default), or `number`, rounded. */
  readonly integers?: 'bigint' | 'number' | undefined
  /** How deep objects and arrays may lie in each other; 64, and never more than 1000. */
  readonly maxDepth?: number | undefined
  /**
   * How many members one object may have; 10 000. It counts per object and not per text: a list of a thousand
   * ports with twenty members each is an ordinary body, and the text's own size bounds the sum.
   */
  readonly maxKeys?: number | undefined
  /**
   * How many values the whole text may hold; 1 000 000. Lists of nothing (`[[],[],…]`) take many times the size of
   * their text in memory. Each digit of an integer beyond its sixteenth counts as a value too.
   */
  readonly maxValues?: number | undefined
}

/** The defaults of {@link ParsePythonJsonOptions}. */
export const PYTHON_JSON_DEFAULTS: {
  readonly integers: 'bigint' | 'number'
  readonly maxDepth: number
  readonly maxKeys: number
  readonly maxValues: number
} = Object.freeze({ integers: 'bigint', maxDepth: 64, maxKeys: 10_000, maxValues: 1_000_000 })

/** To this depth the parser, which recurses, is safe whatever the caller asks for. */
const DEEPEST = 1000

/**
 * Reads JSON as Python's `json` module writes it.
 *
 * Beside strict JSON it takes bare `NaN`, `Infinity` and `-Infinity`, and keeps integers of up to 4300 digits exact. Of a
 * repeated name the last value wins. `1.0` is read as `1`: the difference between Python's int and float is lost.
 *
 * One scan bounds depth, members and values and finds out whether there is anything that `JSON.parse` cannot read as
 * Python meant it; without such a thing `JSON.parse` does the work.
 *
 * @throws {DecodeError} E_DECODE with `details.offset` (UTF-16 units) when the text is no JSON, or exceeds a limit;
 *   never with a part of the text.
 * @source Python json.encoder: `allow_nan`, unbounded int
 */
export function parsePythonJson(text: string, options: ParsePythonJsonOptions = {}): JsonValue {
  const exactIntegers = (options.integers ?? PYTHON_JSON_DEFAULTS.integers) === 'bigint'
  const limits = {
    maxDepth: Math.min(options.maxDepth ?? PYTHON_JSON_DEFAULTS.maxDepth, DEEPEST),
    maxKeys: options.maxKeys ?? PYTHON_JSON_DEFAULTS.maxKeys,
    maxValues: options.maxValues ?? PYTHON_JSON_DEFAULTS.maxValues,
  }
  if (!needsPythonReader(text, limits, exactIntegers)) {
    try {
      return JSON.parse(text) as JsonValue
    } catch {
      // The engine's message quotes the text; our own reader fails at the same place and says only where.
    }
  }
  return new PythonJsonParser(text, exactIntegers).parse()
}
