import { HermodError, parsePythonJson, type JsonObject, type JsonValue } from '@hermod/kernel'

/** Where the members of an object come from: the command line itself, or a file (`-`: stdin) that holds one object. */
export type MembersSource =
  { readonly type: 'given'; readonly members: JsonObject } | { readonly type: 'file'; readonly path: string }

const FORMS = 'write key=value for a text, key:=json for anything else'

/**
 * Reads `key=value` (a text) and `key:=json` (any JSON), or a single `@FILE` or `-` that stands for them all. A key goes
 * up to the first `=` or `:=`. The problems go to `issues`, without the values: they may be secrets.
 */
export function membersOf(words: readonly string[], issues: string[]): MembersSource {
  const [first = ''] = words
  if (words.length === 1 && (first === '-' || first.startsWith('@'))) {
    if (first === '@') issues.push("'@' needs a file behind it, for example @arguments.json")
    return { type: 'file', path: first === '-' ? '-' : first.slice(1) }
  }
  const members: JsonObject = {}
  for (const word of words) {
    const [key, value] = memberOf(word, issues)
    if (key === '') continue
    if (Object.hasOwn(members, key)) issues.push(`'${key}' is given twice`)
    // An assignment would set the prototype where the key is `__proto__`.
    Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return { type: 'given', members }
}

function memberOf(word: string, issues: string[]): readonly [key: string, value: JsonValue] {
  const sign = word.indexOf('=')
  const isJson = word[sign - 1] === ':'
  const key = word.slice(0, Math.max(0, isJson ? sign - 1 : sign))
  if (key === '') {
    if (sign < 0 && (word === '-' || word.startsWith('@')))
      issues.push(`'${shortened(word)}' stands for all arguments; give nothing beside it`)
    else if (sign < 0) issues.push(`'${shortened(word)}' has no '='; ${FORMS}`)
    else issues.push(`an argument has no key before its '='; ${FORMS}`)
    return ['', null]
  }
  const text = word.slice(sign + 1)
  if (!isJson) return [key, text]
  try {
    return [key, parsePythonJson(text)]
  } catch (error) {
    if (!(error instanceof HermodError)) throw error
    issues.push(`'${key}:=' is not followed by JSON (${error.message}); for a text write '${key}=...'`)
    return [key, null]
  }
}

function shortened(word: string): string {
  return word.length > 40 ? `${word.slice(0, 40)}…` : word
}
