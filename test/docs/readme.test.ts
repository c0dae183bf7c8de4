import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT } from '@hermod/cli'
import { knownExchanges, knownTopics } from '@hermod/openstack'
import { describe, expect, it } from 'vitest'
import { blocks, quoted, read, repository, table } from './markdown.ts'

const readme = read('README.md')
const command = join(repository, 'packages/hermod/bin/hermod.js')

describe('README.md', () => {
  it('shows the examples that are run by tests, all of them and word for word', () => {
    const mains = readdirSync(join(repository, 'examples')).map((name) => `examples/${name}/main.ts`)
    const examples = mains.filter((path) => existsSync(join(repository, path))).map((path) => read(path))
    expect(blocks(readme, 'ts').toSorted()).toEqual(examples.toSorted())
  })

  it('names every flag of hermod listen', () => {
    const help = execFileSync(process.execPath, [command, 'help', 'listen'], { encoding: 'utf8' })
    const flags = Array.from(help.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+(?: <\w+>)?)/gm), ([, short, long]) =>
      short === undefined ? [long] : [short, long],
    ).filter((names) => !names.includes('--help'))
    expect(table(readme, 'Flag').map(([cell]) => quoted(cell as string))).toEqual(flags)
  })

  it('names every exit status that hermod listen can have', () => {
    const { negative, undeliverable, ...possible } = EXIT
    const named = table(readme, 'Exit status').flatMap(([cell]) => (cell as string).split(', ').map(Number))
    expect(named).toEqual(Object.values(possible))
    expect([negative, undeliverable]).toEqual([1, 7]) // of other commands
  })

  it('names every package', () => {
    const named = table(readme, 'Package').map(
      ([cell]) => /\]\(packages\/([\w-]+)\)/.exec(cell as string)?.[1] ?? '',
    )
    expect(named.toSorted()).toEqual(readdirSync(join(repository, 'packages')))
  })

  it('asks for the Node version that the packages need', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } }
    expect(`>=${/Node (\d+\.\d+) or later/.exec(readme)?.[1]}.0`).toBe(engines.node)
  })
})

describe('docs/listen.md', () => {
  const guide = read('docs/listen.md')

  it('names the exchanges and topics that are tapped', () => {
    const sentence = (start: string): readonly string[] =>
      quoted(
        guide
          .split('\n')
          .flatMap((line) => line.split('. '))
          .find((text) => text.includes(start)) ?? '',
      )
    expect(sentence('By default these exchanges are').slice(0, knownExchanges().length)).toEqual(
      knownExchanges(),
    )
    expect(sentence('The topics are').slice(0, knownTopics().length)).toEqual(knownTopics())
  })
})
