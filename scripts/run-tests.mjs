// Runs every suite that has tests, with the services that are here: `npm test`. `--require-services` makes a
// missing one a failure instead of a skip; every other argument goes to vitest. A run of everything is then held to
// the parity pages. The last line is the plain one that CI reads.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Each project of vitest.config.ts, with the folder that its tests lie in. */
const FOLDERS = {
  unit: 'packages',
  types: 'test/types',
  docs: 'test/docs',
  fuzz: 'test/fuzz',
  interop: 'test/interop',
  embedded: 'test/interop',
  fault: 'test/fault',
  e2e: 'test/e2e',
  comparison: 'test/comparison',
  conformance: 'test/conformance',
  pack: 'test/pack',
}

function holdsTests(folder) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return false
    return entry.isDirectory() ? holdsTests(join(folder, entry.name)) : entry.name.endsWith('.test.ts')
  })
}

/** As scripts/setup-services makes it. */
const NEWEST_OSLO = '.services/oslo-newest/bin/python'

/** As scripts/setup-services makes it. */
const FOREIGN_SUITES = '.services/foreign-suites/bin/python'

/** As scripts/setup-services makes it. */
const JEST = 'examples/test-without-rabbitmq/jest/node_modules/complete'

/** Read by check-parity.mjs. */
const REPORT = '.test-report.json'

function runNode(args, environment = {}) {
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  return status ?? 1
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const args = process.argv.slice(2)
const required = args.includes('--require-services')
const forVitest = args.filter((arg) => arg !== '--require-services')

// The command and the packages are tested as they are built; where nothing changed this does nothing.
if (runNode(['node_modules/typescript/bin/tsc', '-b']) !== 0) {
  console.log('0 passed, 1 failed, 0 skipped')
  process.exit(1)
}

const { findBroker, findPython, findRabbitMq } = await import('@hermod/testkit')
const peers = {
  'tests that need a broker': findBroker(),
  'tests that kill a broker or look into it': findRabbitMq(),
  'tests with Python peers': findPython(['oslo_messaging', 'kombu', 'pika']),
  'tests with the newest oslo.messaging': findPython(['oslo_messaging'], NEWEST_OSLO),
  'suites of others against the broker': findPython(['oslotest', 'pytest'], FOREIGN_SUITES),
  'examples under Jest': existsSync(JEST)
    ? { available: true }
    : { available: false, reason: 'Jest is missing (scripts/setup-services installs it)', excused: false },
}
for (const [tests, peer] of Object.entries(peers)) {
  if (peer.available) continue
  const verdict = required && !peer.excused ? 'will fail' : 'will be skipped'
  console.log(`${tests} ${verdict}: ${peer.reason}`)
}

const chosen = forVitest.some((arg) => arg === '--project' || arg.startsWith('--project='))
const projects = chosen
  ? []
  : Object.keys(FOLDERS).filter((name) => existsSync(FOLDERS[name]) && holdsTests(FOLDERS[name]))
// Whatever stands there is of another run, also when this one ends before it writes its own.
rmSync(REPORT, { force: true })
let status = runNode(
  ['node_modules/vitest/vitest.mjs', 'run', ...projects.flatMap((name) => ['--project', name]), ...forVitest],
  { HERMOD_TEST_REPORT: REPORT, ...(required ? { HERMOD_TEST_REQUIRE_SERVICES: '1' } : {}) },
)
// Without a report vitest broke off, or was told to report in another way.
let closing = status === 0 ? undefined : '0 passed, 1 failed, 0 skipped'
if (existsSync(REPORT)) closing = JSON.parse(readFileSync(REPORT, 'utf8')).closing
if (forVitest.length === 0) {
  // A peer that is excused leaves tests out of a run that requires everything, too.
  const everything = required && Object.values(peers).every((peer) => peer.available || !peer.excused)
  if (runNode(['scripts/check-parity.mjs', ...(everything ? [] : ['--existing'])]) !== 0) {
    status = 1
    const more = closing?.replace(/\d+(?= failed, \d+ skipped$)/, (failed) => String(Number(failed) + 1))
    closing = more && `failed: scripts/check-parity.mjs\n${more}`
  }
}
if (closing !== undefined) console.log(closing)
process.exitCode = status
