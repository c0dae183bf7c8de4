import { ConfigurationError } from '@hermod/kernel'

/**
 * A test of event types against glob patterns.
 *
 * `*` stands for any run of characters (dots included), `?` for exactly one; every other character for itself,
 * case included. A leading `!` makes a pattern exclude what it matches. A type passes when at least one including
 * pattern matches it (or there is none) and no excluding one does; the order of the patterns means nothing.
 *
 * Testing takes time in proportion to the length of the type times that of the patterns, whatever they hold.
 *
 * @throws {ConfigurationError} E_CONFIG for a pattern without a single character, such as `''` or `'!'`.
 */
export function compilePatterns(patterns: readonly string[]): (type: string) => boolean {
  const empty = patterns.filter((pattern) => pattern === '' || pattern === '!')
  if (empty.length > 0) {
    throw new ConfigurationError(
      empty.map((pattern) => `pattern '${pattern}' is empty; use '*' for every event type`),
    )
  }
  const including = patterns.filter((pattern) => !pattern.startsWith('!')).map(compileGlob)
  const excluding = patterns.filter((pattern) => pattern.startsWith('!')).map((p) => compileGlob(p.slice(1)))
  return (type) =>
    (including.length === 0 || including.some((matches) => matches(type))) &&
    !excluding.some((matches) => matches(type))
}

function compileGlob(pattern: string): (type: string) => boolean {
  if (!/[*?]/.test(pattern)) return (type) => type === pattern
  return (type) => globMatches(pattern, type)
}

/**
 * Walks pattern and text side by side. On a mismatch only the latest `*` takes one character more: an earlier one
 * never needs to, since whatever it would take the latest could take as well. So there is no tree of retries.
 */
function globMatches(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let afterStar = -1
  let retryAt = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      afterStar = ++p
      retryAt = t
    } else if (p < pattern.length && pattern[p] === '?') {
      p++
      t += characterLength(text, t)
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p++
      t++
    } else if (afterStar >= 0) {
      retryAt += characterLength(text, retryAt)
      p = afterStar
      t = retryAt
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** Two for a character outside the basic plane, so that `?` takes all of it. */
function characterLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1
}
