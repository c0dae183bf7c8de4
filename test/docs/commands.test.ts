import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { EXIT } from '@hermod/cli'
import { sampledEventTypes } from '@hermod/openstack'
import { describe, expect, it } from 'vitest'
import { read, repository, table } from './markdown.ts'

const guide = read('docs/rpc-commands.md')

/** The exit statuses that a command's help names. */
function statusesInHelp(...command: readonly string[]): readonly number[] {
  const help = execFileSync(
    process.execPath,
    [join(repository, 'packages/hermod/bin/hermod.js'), ...command, '--help'],
    { encoding: 'utf8' },
  )
  const list = /^Exit status: ([^]*)/m.exec(help)?.[1] ?? ''
  return Array.from(list.matchAll(/(?:^|, |,\n)(\d+) /g), ([, status]) => Number(status))
}

describe('docs/rpc-commands.md', () => {
  it('names every exit status', () => {
    expect(table(guide, 'Status').map(([cell]) => Number(cell))).toEqual(
      Object.values(EXIT).toSorted((a, b) => a - b),
    )
  })

  it('says how many types there are samples of', () => {
    expect(guide).toContain(`There are samples of ${sampledEventTypes().length} types`)
  })

  it.each([[['rpc', 'call']], [['rpc', 'cast']], [['rpc', 'ping']], [['notify']], [['serve']]])(
    'agrees with the help of %j',
    (command) => {
      const known: readonly number[] = Object.values(EXIT)
      const named = statusesInHelp(...command)
      expect(named.length).toBeGreaterThan(3)
      expect(named.filter((status) => !known.includes(status))).toEqual([])
    },
  )
})
