import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isHermodError } from '@hermod/kernel'
import type { BenchBroker, RunSize } from './brokers/bench-broker.ts'
import { readOptions, USAGE, type BenchOptions, type BrokerName } from './options.ts'
import { OUT_FOLDER, profileContestant } from './profile-contestant.ts'
import { resultsPage } from './report/results-page.ts'
import { measureStartup, type StartupTimes } from './startup.ts'
import { runTournament, type Standing } from './tournament.ts'

const BODY_SIZE = 1024
const STARTUP_TIMES = 10

/** RabbitMQ is slower than every client, so that fewer messages take as long. */
const SIZES: Readonly<Record<BrokerName, RunSize>> = {
  null: { count: 200_000, warmUpCount: 20_000, bodySize: BODY_SIZE },
  rabbitmq: { count: 60_000, warmUpCount: 5_000, bodySize: BODY_SIZE },
}
const TITLES: Readonly<Record<BrokerName, string>> = { null: 'the null broker', rabbitmq: 'RabbitMQ' }
const QUICK_DIVISOR = 4

function sizeFor(broker: BrokerName, { quick }: BenchOptions): RunSize {
  const size = SIZES[broker]
  return quick ? { ...size, count: size.count / QUICK_DIVISOR } : size
}

async function start(broker: BrokerName): Promise<BenchBroker> {
  if (broker === 'null') return (await import('./brokers/null-bench-broker.ts')).NullBenchBroker.start()
  return (await import('./brokers/rabbitmq-bench-broker.ts')).RabbitMqBenchBroker.start()
}

async function measure(options: BenchOptions): Promise<void> {
  const { rounds, contestants } = options
  const standings: Standing[] = []
  const leftOut: string[] = []
  for (const name of options.brokers) {
    let started: BenchBroker
    try {
      started = await start(name)
    } catch (error) {
      leftOut.push(`${TITLES[name]}: ${reasonOf(error)}`)
      if (!isHermodError(error) || error.code !== 'E_UNSUPPORTED') report(error)
      continue
    }
    await using broker = started
    for (const task of options.tasks) {
      const size = sizeFor(name, options)
      standings.push(await runTournament({ broker, task, size, contestants, rounds, onProgress: say }))
    }
  }
  let startup: StartupTimes | undefined
  if (contestants.includes('hermod')) {
    try {
      startup = await measureStartup(STARTUP_TIMES)
    } catch (error) {
      leftOut.push(`the command's start-up time: ${reasonOf(error)}`)
      report(error)
    }
  }
  const page = resultsPage({
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(
      ' ',
    ),
    date: new Date(),
    rounds,
    standings,
    ...(startup !== undefined && { startup }),
    leftOut,
  })
  mkdirSync(OUT_FOLDER, { recursive: true })
  const file =
    options.complete && leftOut.length === 0
      ? fileURLToPath(new URL('../RESULTS.md', import.meta.url))
      : `${OUT_FOLDER}RESULTS.md`
  writeFileSync(file, page)
  process.stdout.write(page)
  say(`written to ${file}`)
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
  else (await profileContestant(options.profile, options.tasks, sizeFor('null', options))).forEach(say)
}

await main()
