import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { repository } from './markdown.ts'

const folder = mkdtempSync(join(tmpdir(), 'hermod-parity-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FEATURES = { Sending: ['publish()', 'a | b'], Receiving: ['consume', 'clocks', 'forks'] }
const LIST = { features: FEATURES, later: ['clocks'] }

const PAGE = `# Parity with kites

| Word | Meaning |
| ---- | ------- |
| kite | flies   |

## Sending

| Feature   | Standing                     | In Hermod   | Tests                           |
| --------- | ---------------------------- | ----------- | ------------------------------- |
| publish() | same                         | \`publish\` | \`sending.test.ts › out › goes\` |
| a \\| b   | better: both: the one and other | \`choose\`  | \`sending.test.ts › out › goes\`<br>\`receiving.test.ts › comes\` |

## Receiving

| Feature | Standing                 | In Hermod | Tests                        |
| ------- | ------------------------ | --------- | ---------------------------- |
| consume | same                     | \`take\`  | \`receiving.test.ts › comes\` |
| clocks  | later: after the others  |           |                              |
| forks   | left out: there are none |           |                              |
`

const GOES = { file: 'sending.test.ts', titles: ['out', 'goes'], state: 'passed' }
const COMES = { file: 'receiving.test.ts', titles: ['comes'], state: 'passed' }

interface Case {
  readonly page?: string
  readonly tests?: readonly object[]
  readonly list?: object
}

function write(files: Readonly<Record<string, string | undefined>>): void {
  rmSync(folder, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

function check(...args: readonly string[]): { readonly status: number | null; readonly problems: string } {
  const script = join(repository, 'scripts/check-parity.mjs')
  const { status, stderr } = spawnSync(process.execPath, [script, folder, ...args], { encoding: 'utf8' })
  return { status, problems: stderr.trimEnd() }
}

/** A repository in which all is well, but for what the case says. */
function project({ page = PAGE, tests = [GOES, COMES], list = LIST }: Case): void {
  write({
    'docs/kites-parity.md': page,
    'docs/parity/kites.json': JSON.stringify(list),
    '.test-report.json': JSON.stringify({ line: '', tests }),
    'sending.test.ts': '',
    'receiving.test.ts': '',
  })
}

const changed = (from: string | RegExp, to: string): Case => {
  const page = PAGE.replace(from, to)
  if (page === PAGE) throw new TypeError(`nothing to change in the page: ${String(from)}`)
  return { page }
}

describe('scripts/check-parity.mjs', () => {
  it('has nothing to say of a page that holds', () => {
    project({})
    expect(check()).toEqual({ status: 0, problems: '' })
  })

  it.each<readonly [string, Case, string]>([
    ['a row is missing', changed(/\| consume.*\n/, ''), "the row 'Receiving › consume' is missing"],
    ['a row is doubled', changed(/(\| consume.*\n)/, '$1$1'), 'Receiving › consume: stands there twice'],
    ['a row is not on the list', changed('| forks ', '| spoons '), 'Receiving › spoons: is not on the list'],
    ['a row stands elsewhere', changed('## Receiving', '## Other'), 'Other › consume: is not on the list'],
    [
      'a standing is unknown',
      changed('| left out: there are none |', '| never |'),
      "Receiving › forks: 'never' is none of same, better, left out, later",
    ],
    [
      'it does not say why',
      changed('left out: there are none', 'left out'),
      "Receiving › forks: 'left out' without a reason",
    ],
    [
      'it does not say how',
      changed('better: both: the one and other', 'better:'),
      "Sending › a | b: 'better:' is none of",
    ],
    [
      'something is put off that may not be',
      changed('left out: there are none', 'later: perhaps'),
      'Receiving › forks: may not be left for later',
    ],
    ['no place is named', changed('| `take` ', '| '), 'Receiving › consume: does not say where it is'],
    [
      'no test is named',
      changed(/\| `receiving.test.ts › comes`/, '|'),
      'Receiving › consume: names no test',
    ],
    [
      'a named file is not there',
      changed(/`receiving.test.ts › comes`/, '`receiveing.test.ts › comes`'),
      'there is no file receiveing.test.ts',
    ],
    [
      'a named test is not there',
      changed(/`receiving.test.ts › comes`/, '`receiving.test.ts › came`'),
      "the last run has no test 'receiving.test.ts › came'",
    ],
    [
      'a test stands in another suite',
      changed('out › goes', 'in › goes'),
      "the last run has no test 'sending.test.ts › in › goes'",
    ],
    [
      'a left-out row names a test that is not there',
      changed(
        'left out: there are none |           |     ',
        'left out: there are none | | `receiving.test.ts › x`',
      ),
      "Receiving › forks: the last run has no test 'receiving.test.ts › x'",
    ],
    [
      'a named test failed',
      { tests: [GOES, { ...COMES, state: 'failed' }] },
      "'receiving.test.ts › comes' did not pass in the last run: failed",
    ],
    [
      'one of several of that name was skipped',
      { tests: [GOES, { ...GOES, state: 'skipped' }, COMES] },
      "'sending.test.ts › out › goes' did not pass in the last run: passed, skipped",
    ],
    [
      'the suite of a named test was skipped',
      {
        tests: [
          { ...GOES, titles: ['out (skipped: there is no kite (yet))', 'goes'], state: 'skipped' },
          COMES,
        ],
      },
      "'sending.test.ts › out › goes' did not pass in the last run: skipped",
    ],
    ['a named test did not run', { tests: [GOES] }, "the last run has no test 'receiving.test.ts › comes'"],
  ])('fails when %s', (_, change, problem) => {
    project(change)
    const { status, problems } = check()
    expect(problems).toContain(problem)
    expect(status).toBe(1)
  })

  it('says everything at once', () => {
    project(changed(/\| (publish\(\)|consume).*\n/g, ''))
    expect(check().problems.split('\n')).toEqual([
      "docs/kites-parity.md: the row 'Sending › publish()' is missing",
      "docs/kites-parity.md: the row 'Receiving › consume' is missing",
    ])
  })

  it('is content with tests that are there but skipped where that is all that was asked', () => {
    const skipped = { ...GOES, titles: ['out (skipped: there is no kite (yet))', 'goes'], state: 'skipped' }
    project({ tests: [skipped, { ...COMES, state: 'skipped' }] })
    expect(check('--existing')).toEqual({ status: 0, problems: '' })
    project({ tests: [skipped] })
    expect(check('--existing').status).toBe(1)
  })

  it('finds a test whose name has a backquote in it', () => {
    const comes = { ...COMES, titles: ['a `kite`', 'comes'] }
    const page = PAGE.replaceAll('`receiving.test.ts › comes`', '``receiving.test.ts › a `kite` › comes``')
    project({ page, tests: [GOES, comes] })
    expect(check()).toEqual({ status: 0, problems: '' })
  })

  it('fails without a report, a list or a page', () => {
    const report = JSON.stringify({ line: '', tests: [GOES, COMES] })
    const list = JSON.stringify(LIST)
    const files = { 'sending.test.ts': '', 'receiving.test.ts': '' }
    write({ ...files, 'docs/kites-parity.md': PAGE, 'docs/parity/kites.json': list })
    expect(check()).toEqual({ status: 1, problems: ".test-report.json is missing: 'npm test' writes it" })
    write({ ...files, 'docs/kites-parity.md': PAGE, '.test-report.json': report })
    expect(check().problems).toContain('docs/kites-parity.md has no list docs/parity/kites.json')
    write({ ...files, 'docs/parity/kites.json': list, '.test-report.json': report })
    expect(check()).toEqual({
      status: 1,
      problems: 'docs/parity/kites.json has no page docs/kites-parity.md',
    })
  })

  it('reads what vitest reports of a real run', () => {
    const file = 'packages/kernel/test/deferred.test.ts'
    const reported = (name: string): void => {
      const page = PAGE.replaceAll(/`\w+\.test\.ts › [^`]+`/g, `\`${file} › createDeferred › ${name}\``)
      write({ 'docs/kites-parity.md': page, 'docs/parity/kites.json': JSON.stringify(LIST), [file]: '' })
      const run = spawnSync(
        process.execPath,
        ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', file, '-t', 'settled from outside'],
        { cwd: repository, env: { ...process.env, HERMOD_TEST_REPORT: join(folder, '.test-report.json') } },
      )
      expect(run.status).toBe(0)
    }
    reported('is settled from outside, once')
    expect(check()).toEqual({ status: 0, problems: '' })
    reported('can be rejected')
    expect(check().problems).toContain('did not pass in the last run: skipped')
    expect(check('--existing')).toEqual({ status: 0, problems: '' })
  })
})
