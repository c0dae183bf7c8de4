import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { quoted, read, table } from '../docs/markdown.ts'
import { LIBRARIES, versionOf } from './library.ts'

const TITLE = /\bit(?:\.skipIf\([^\n]*\))?\(\s*(?:'([^'\n]+)'|"([^"\n]+)"|`([^`\n]+)`)/g

/** The titles of the tests of a library, without the note on why one may be skipped. */
function titles(library: string): readonly string[] {
  return readdirSync(new URL('.', import.meta.url))
    .filter((name) => name.endsWith('.test.ts') && name !== 'documented.test.ts')
    .flatMap((name) => {
      const source = readFileSync(new URL(name, import.meta.url), 'utf8')
      return Array.from(source.matchAll(TITLE), ([, single, double, back]) => single ?? double ?? back)
    })
    .map((title) => (title as string).replace('${gate.note}', ''))
    .filter((title) => title.startsWith(`${library} `))
}

describe('docs/comparison.md', () => {
  const page = read('docs/comparison.md')

  it.each(LIBRARIES)('has every test beside %s, and no other, for the installed version', (library) => {
    const start = page.indexOf(`## ${library} ${versionOf(library)}\n`)
    expect(start).toBeGreaterThan(0)
    const named = table(page.slice(start), 'Found by reading').map(([, , shown = '']) => quoted(shown)[0])
    expect(named).toEqual(titles(library))
  })
})
