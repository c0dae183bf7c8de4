// Holds every docs/NAME-parity.md to docs/parity/NAME.json, the list of features that it must have, and to the last
// run of the tests: what the page claims names tests, and these passed. `--existing` is for a run that may skip
// tests: they need only be there. A folder as argument stands in for the repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What run-tests.mjs has vitest write. */
const REPORT = '.test-report.json'
/** Standings that must say how or why. */
const EXPLAINED = ['better', 'left out', 'later']
const STANDINGS = ['same', ...EXPLAINED]
const UNTESTED = ['left out', 'later']
/** The note in the title of a skipped suite, of `needs` in @hermod/testkit. */
const NOTE = / \(skipped: .*\)$/s

/** A code span of Markdown; two backquotes around a text that has one itself. */
const CODE = /(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/g

const args = process.argv.slice(2)
const existing = args.includes('--existing')
process.chdir(args.find((arg) => arg !== '--existing') ?? fileURLToPath(new URL('..', import.meta.url)))
const problems = []

const cells = (line) =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))

/** The rows of every table of features, with the heading that they stand under. */
function* rows(text) {
  let heading = ''
  let inTable = false
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) heading = line.replace(/^#+ /, '')
    if (!line.startsWith('|')) inTable = false
    else if (inTable) {
      const [feature, standing = '', place = '', tests = ''] = cells(line)
      if (!/^-+$/.test(feature)) yield { feature: `${heading} › ${feature}`, standing, place, tests }
    } else inTable = cells(line)[0] === 'Feature'
  }
}

/** The last run: file › suites › test, with the state of each test of that name. */
function lastRun() {
  if (!existsSync(REPORT)) {
    problems.push(`${REPORT} is missing: 'npm test' writes it`)
    return undefined
  }
  const states = new Map()
  for (const { file, titles, state } of JSON.parse(readFileSync(REPORT, 'utf8')).tests) {
    const name = [file, ...titles.map((title) => title.replace(NOTE, ''))].join(' › ')
    states.set(name, [...(states.get(name) ?? []), state])
  }
  return states
}

function checkTest(where, name, run) {
  const [file] = name.split(' › ')
  const states = run?.get(name)
  if (!existsSync(file)) problems.push(`${where}: there is no file ${file}`)
  else if (run === undefined) return
  else if (states === undefined) problems.push(`${where}: the last run has no test '${name}'`)
  else if (!existing && states.some((state) => state !== 'passed'))
    problems.push(`${where}: '${name}' did not pass in the last run: ${states.join(', ')}`)
}

function checkRow(where, { standing, place, tests }, mayBeLater, run) {
  const [verdict] = standing.split(': ')
  const why = standing.slice(verdict.length + 2).trim()
  if (!STANDINGS.includes(verdict))
    return problems.push(`${where}: '${standing}' is none of ${STANDINGS.join(', ')}`)
  if (EXPLAINED.includes(verdict) && why === '') problems.push(`${where}: '${verdict}' without a reason`)
  if (verdict === 'later' && !mayBeLater) problems.push(`${where}: may not be left for later`)
  const named = Array.from(tests.matchAll(CODE), ([, , name]) => name.trim())
  if (!UNTESTED.includes(verdict)) {
    if (place === '') problems.push(`${where}: does not say where it is`)
    if (named.length === 0) problems.push(`${where}: names no test`)
  }
  for (const name of named) checkTest(where, name, run)
}

function checkPage(page, list, run) {
  const expected = Object.entries(list.features).flatMap(([heading, features]) =>
    features.map((feature) => `${heading} › ${feature}`),
  )
  const found = new Set()
  for (const row of rows(readFileSync(page, 'utf8'))) {
    const where = `${page}: ${row.feature}`
    if (!expected.includes(row.feature)) problems.push(`${where}: is not on the list`)
    if (found.has(row.feature)) problems.push(`${where}: stands there twice`)
    found.add(row.feature)
    checkRow(where, row, list.later.includes(row.feature.split(' › ').at(-1)), run)
  }
  for (const feature of expected)
    if (!found.has(feature)) problems.push(`${page}: the row '${feature}' is missing`)
}

const names = (folder, end) =>
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.endsWith(end))
    .map((name) => basename(name, end))
const lists = names('docs/parity', '.json')
for (const name of names('docs', '-parity.md'))
  if (!lists.includes(name)) problems.push(`docs/${name}-parity.md has no list docs/parity/${name}.json`)
if (lists.length === 0) problems.push('there is no list in docs/parity')

const run = lastRun()
for (const name of lists) {
  const page = `docs/${name}-parity.md`
  if (existsSync(page)) checkPage(page, JSON.parse(readFileSync(`docs/parity/${name}.json`, 'utf8')), run)
  else problems.push(`docs/parity/${name}.json has no page ${page}`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
