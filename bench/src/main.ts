import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isHermodError } from '@hermod/kernel'
import { findPython } from '@hermod/testkit'
import { loadPage } from './broker-load/load-page.ts'
import { EMBEDDED } from './broker-load/loaded-broker-name.ts'
import { profileLoads } from './broker-load/profile-loads.ts'
import { runLoadTournament, type LoadOutcome } from './broker-load/load-tournament.ts'
import type { BenchBroker, BrokerName } from './brokers/bench-broker.ts'
import { OURS, ROSTER, tasksOf, type RosterEntry } from './contestants/roster.ts'
import { CLIENT_FLOORS, clientFloorOf, TASK_PLANS, type ClientFloor } from './jobs/task.ts'
import { readOptions, USAGE, type BenchOptions } from './options.ts'
import { OUT_FOLDER, profileContestant } from './profile-contestant.ts'
import { resultsPage } from './report/results-page.ts'
import { measureStartup, type StartupTimes } from './startup.ts'
import { runTournament, type Standing } from './tournament.ts'

const STARTUP_TIMES = 10

/** What is kept. */
const RESULTS_FOLDER: string = fileURLToPath(new URL('../results/', import.meta.url))

const TITLES: Readonly<Record<BrokerName, string>> = { null: 'the null broker', rabbitmq: 'RabbitMQ' }

async function start(broker: BrokerName): Promise<BenchBroker> {
  if (broker === 'null') return (await import('./brokers/null-bench-broker.ts')).NullBenchBroker.start()
  return (await import('./brokers/rabbitmq-bench-broker.ts')).RabbitMqBenchBroker.start()
}

/** Starts the brokers that were asked for, one after the other; one that cannot be started is added to `leftOut`. */
async function onEachBroker(
  { brokers }: BenchOptions,
  leftOut: string[],
  run: (broker: BenchBroker) => Promise<void>,
): Promise<void> {
  for (const name of brokers) {
    let started: BenchBroker
    try {
      started = await start(name)
    } catch (error) {
      leftOut.push(`${TITLES[name]}: ${reasonOf(error)}`)
      if (!isHermodError(error) || error.code !== 'E_UNSUPPORTED') report(error)
      continue
    }
    await using broker = started
    await run(broker)
  }
}

/** Those who were asked for; one that is not installed is added to `leftOut`. */
function presentContestants(options: BenchOptions, leftOut: string[]): readonly RosterEntry[] {
  return ROSTER.filter((entry) => {
    if (!options.contestants.includes(entry.name)) return false
    const found = entry.runtime === 'node' ? undefined : findPython(entry.modules)
    if (found?.available !== false) return true
    leftOut.push(`${entry.name}: ${found.reason}`)
    return false
  })
}

async function measure(options: BenchOptions): Promise<void> {
  for (const [floor, page] of [...(await clientPages(options)), ...(await brokerPages(options))]) {
    const folder = page.complete ? RESULTS_FOLDER : OUT_FOLDER
    mkdirSync(folder, { recursive: true })
    const file = `${folder}${floor}.md`
    writeFileSync(file, page.text)
    process.stdout.write(page.text)
    say(`written to ${file}`)
  }
}

/** A page, and whether nothing is missing from it. */
interface Page {
  readonly text: string
  readonly complete: boolean
}

/** The pages on which clients are compared. */
async function clientPages(options: BenchOptions): Promise<readonly (readonly [ClientFloor, Page])[]> {
  const { rounds, quick } = options
  const floors = CLIENT_FLOORS.filter((floor) => options.floors.includes(floor))
  if (floors.length === 0) return []
  const standings: Standing[] = []
  const leftOut: string[] = []
  const present = presentContestants(options, leftOut)
  await onEachBroker(options, leftOut, async (broker) => {
    for (const task of options.tasks.filter((each) => broker.kinds.includes(TASK_PLANS[each].kind))) {
      const contestants = present.filter((entry) => tasksOf(entry).includes(task)).map(({ name }) => name)
      if (contestants.length > 0)
        standings.push(await runTournament({ broker, task, quick, contestants, rounds, onProgress: say }))
    }
  })
  let startup: StartupTimes | undefined
  if (options.contestants.includes(OURS)) {
    try {
      startup = await measureStartup(STARTUP_TIMES)
    } catch (error) {
      leftOut.push(`the command's start-up time: ${reasonOf(error)}`)
      report(error)
    }
  }
  const complete = options.complete && leftOut.length === 0
  return floors.map((floor) => {
    const text = resultsPage({
      floor,
      command: commandLine(),
      date: new Date(),
      rounds,
      contestants: present,
      standings: standings.filter(({ task }) => clientFloorOf(task) === floor),
      ...(startup !== undefined && { startup }),
      leftOut,
    })
    return [floor, { text, complete }] as const
  })
}

/** The page on which brokers are. */
async function brokerPages(options: BenchOptions): Promise<readonly (readonly ['broker', Page])[]> {
  const { rounds, quick, loads: tasks, loadedBrokers: brokers } = options
  if (tasks.length === 0 || brokers.length === 0) return []
  const leftOut: string[] = []
  let outcome: LoadOutcome = { standings: [], brokerTitles: [] }
  try {
    outcome = await runLoadTournament({ tasks, brokers, rounds, quick, onProgress: say })
  } catch (error) {
    leftOut.push(`everything: ${reasonOf(error)}`)
    if (!isHermodError(error) || error.code !== 'E_UNSUPPORTED') report(error)
  }
  const text = loadPage({ command: commandLine(), date: new Date(), rounds, ...outcome, leftOut })
  return [['broker', { text, complete: options.complete && leftOut.length === 0 }]]
}

function commandLine(): string {
  return ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
}

async function profile(name: string, options: BenchOptions): Promise<void> {
  if (name === EMBEDDED) {
    mkdirSync(OUT_FOLDER, { recursive: true })
    return (await profileLoads(OUT_FOLDER, options.loads, options.quick)).forEach(say)
  }
  const leftOut: string[] = []
  await onEachBroker(options, leftOut, async (broker) => {
    ;(await profileContestant(name, broker, options.tasks, options.quick)).forEach(say)
  })
  leftOut.forEach(say)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Shows a failure in full and makes this process end with 1, after all that can still be measured. */
function report(error: unknown): void {
  console.error(error)
  process.exitCode = 1
}

/** The first line, which is all that a list item holds. */
function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1).join()
}

async function main(): Promise<void> {
  let options: BenchOptions | 'help'
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    say(reasonOf(error))
    process.exitCode = 2
    return
  }
  if (options === 'help') process.stdout.write(`${USAGE}\n`)
  else if (options.profile === undefined) await measure(options)
  else await profile(options.profile, options)
}

await main()
