/** One element of a pattern: a run of any characters, one character, or one of a set. */
type Part = '*' | '?' | { readonly literal: string } | CharacterSet

interface CharacterSet {
  readonly negated: boolean
  /** First and last character of each range. */
  readonly ranges: readonly (readonly [string, string])[]
}

/**
 * A test of texts against a pattern of Python's `fnmatch`: `*` for any run of characters, `?` for one, `[ab-d]` for one
 * of a set, `[!ab-d]` for one outside of it; all else stands for itself, letter case included. A bracket that is never
 * closed is itself.
 *
 * Testing takes time in proportion to the length of the text times that of the pattern.
 *
 * @source Python fnmatch.translate
 */
export function compileFnmatch(pattern: string): (text: string) => boolean {
  const parts = partsOf(Array.from(pattern))
  return (text) => matches(parts, Array.from(text))
}

function partsOf(pattern: readonly string[]): readonly Part[] {
  const parts: Part[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!
    if (character === '*' || character === '?') {
      parts.push(character)
      continue
    }
    const end = character === '[' ? closingBracket(pattern, at) : -1
    if (end < 0) {
      parts.push({ literal: character })
    } else {
      parts.push(setOf(pattern.slice(at + 1, end)))
      at = end
    }
  }
  return parts
}

/** A bracket right after `[` or `[!` is a member of the set. */
function closingBracket(pattern: readonly string[], open: number): number {
  let from = open + 1
  if (pattern[from] === '!') from++
  if (pattern[from] === ']') from++
  return pattern.indexOf(']', from)
}

function setOf(inside: readonly string[]): CharacterSet {
  const negated = inside[0] === '!'
  const members = negated ? inside.slice(1) : inside
  const ranges: (readonly [string, string])[] = []
  for (let at = 0; at < members.length; at++) {
    const first = members[at]!
    const isRange = members[at + 1] === '-' && at + 2 < members.length
    ranges.push([first, isRange ? members[at + 2]! : first])
    if (isRange) at += 2
  }
  return { negated, ranges }
}

/** On a mismatch only the latest `*` takes one character more: whatever an earlier one would take, it could take as well. */
function matches(parts: readonly Part[], text: readonly string[]): boolean {
  let p = 0
  let t = 0
  let afterStar = -1
  let retryAt = 0
  while (t < text.length) {
    const part = parts[p]
    if (part === '*') {
      afterStar = ++p
      retryAt = t
    } else if (part !== undefined && takes(part, text[t]!)) {
      p++
      t++
    } else if (afterStar >= 0) {
      p = afterStar
      t = ++retryAt
    } else {
      return false
    }
  }
  while (parts[p] === '*') p++
  return p === parts.length
}

function takes(part: Part, character: string): boolean {
  if (part === '?') return true
  if (part === '*') return false
  if ('literal' in part) return part.literal === character
  const code = character.codePointAt(0)!
  const inside = part.ranges.some(
    ([first, last]) => code >= first.codePointAt(0)! && code <= last.codePointAt(0)!,
  )
  return inside !== part.negated
}
