import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { LIMITS, PROFILES, type Profile } from '@hermod/broker'
import { describe, expect, it } from 'vitest'
import { quoted, read, repository, table } from './markdown.ts'

const page = read('docs/broker.md')
const command = join(repository, 'packages/hermod/bin/hermod.js')
const help = (...words: readonly string[]): string =>
  execFileSync(process.execPath, [command, ...words, '--help'], { encoding: 'utf8' })

/** The flags that a help text explains, without the explanation. */
const flagsIn = (text: string): readonly (readonly string[])[] =>
  Array.from(text.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+(?: <[\w[\]:]+>)?)/gm), ([, short, long = '']) =>
    short === undefined ? [long] : [short, long],
  ).filter((names) => !names.includes('--help'))

describe('docs/broker.md', () => {
  it('names every flag of hermod broker start', () => {
    expect(table(page, 'Flag').map(([cell = '']) => quoted(cell))).toEqual(flagsIn(help('broker', 'start')))
  })

  it('names every flag of hermod demo', () => {
    const [, section = ''] = /^## hermod demo$(.*?)^## /ms.exec(page) ?? []
    const prose = section.replaceAll(/^```.*?^```$/gms, '')
    const named = new Set(quoted(prose).flatMap((text) => text.split(' ')))
    const missing = flagsIn(help('demo')).filter(
      (names) => !names.some((name) => named.has(name.split(' ')[0] ?? '')),
    )
    expect(missing).toEqual([])
  })

  it('names the statuses that the help texts name', () => {
    const inHelp = (...words: readonly string[]): readonly number[] => {
      const [, list = ''] = /^Exit status: ([^]*)/m.exec(help(...words)) ?? []
      return Array.from(list.matchAll(/(?:^|,\s)(\d+) /g), ([, status]) => Number(status))
    }
    const documented = table(page, 'Status').flatMap(([cell = '']) => cell.split(', ').map(Number))
    const named = [...inHelp('broker', 'start'), ...inHelp('broker', 'stop'), ...inHelp('broker', 'status')]
    expect(documented.toSorted((a, b) => a - b)).toEqual([...new Set(named)].toSorted((a, b) => a - b))
  })

  it('has the whole difference between the profiles', () => {
    const profiles = Object.values(PROFILES)
    const cell = (value: Profile[keyof Profile]): string =>
      typeof value === 'object'
        ? value.map((one) => `\`${one}\``).join(', ') || 'none'
        : String(value ?? 'none')
    const facts = Object.keys(PROFILES['rabbitmq-4.2']).map((key) => [
      key,
      ...profiles.map((profile) => cell(profile[key as keyof Profile])),
    ])
    const rows = table(page, 'Behaviour').map(([name = '', ...cells]) => [
      quoted(name)[0],
      ...cells.slice(0, -1),
    ])
    expect(rows).toEqual(facts)
    const [heading = ''] = /^\| Behaviour .*$/m.exec(page) ?? []
    expect(quoted(heading)).toEqual(Object.keys(PROFILES))
  })

  it('has the limits', () => {
    const rows = table(page, 'Limit').map(([name = '', value]) => [quoted(name)[0], Number(value)])
    expect(Object.fromEntries(rows)).toEqual(LIMITS)
  })
})
