import { parseArgs } from 'node:util'
import { isLoadTask, LOAD_TASKS, type LoadTask } from './broker-load/load-task.ts'
import { EMBEDDED, LOADED_BROKERS, type LoadedBrokerName } from './broker-load/loaded-broker-name.ts'
import { BROKERS, type BrokerName } from './brokers/bench-broker.ts'
import { ROSTER } from './contestants/roster.ts'
import { floorOf, FLOORS, TASKS, type Floor, type Task } from './jobs/task.ts'

/** What `npm run bench` was asked to do. */
export interface BenchOptions {
  /** Counted rounds; one more goes before them and is dropped. */
  readonly rounds: number
  readonly contestants: readonly string[]
  readonly floors: readonly Floor[]
  readonly tasks: readonly Task[]
  /** The tasks of the floor `broker`. */
  readonly loads: readonly LoadTask[]
  readonly brokers: readonly BrokerName[]
  /** The brokers that loads are put on. */
  readonly loadedBrokers: readonly LoadedBrokerName[]
  /** Smaller runs, for a look. */
  readonly quick: boolean
  /** Records a CPU profile of this contestant instead of measuring. */
  readonly profile?: string
  /** Whether its floors are measured whole, so that the figures are worth keeping. */
  readonly complete: boolean
}

const ALL_TASKS: readonly (Task | LoadTask)[] = [...TASKS, ...LOAD_TASKS]
const ALL_BROKERS: readonly (BrokerName | LoadedBrokerName)[] = [...new Set([...BROKERS, ...LOADED_BROKERS])]

/** The text of `--help`. */
export const USAGE: string = `usage: npm run bench -- [options]
  --rounds N          counted rounds, after one that is dropped (5)
  --only NAMES        contestants, separated by commas (${ROSTER.map(({ name }) => name).join(',')})
  --floor NAMES       floors, separated by commas (${FLOORS.join(',')})
  --task NAMES        tasks, separated by commas (${ALL_TASKS.join(',')})
  --broker NAMES      brokers, separated by commas (${ALL_BROKERS.join(',')})
  --quick             fewer messages and 2 rounds, for a look
  --profile NAME      record CPU profiles of one contestant, or of the embedded broker, in bench/out/ instead of measuring
Each floor has a page: bench/results/FLOOR.md if it was measured whole, else bench/out/FLOOR.md.`

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      floor: { type: 'string' },
      task: { type: 'string' },
      broker: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const names = ROSTER.map(({ name }) => name)
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: '${values.rounds}' is not a whole number above 0`)
  const narrowed =
    values.quick ||
    rounds < 5 ||
    (values.only ?? values.task ?? values.broker ?? values.profile) !== undefined
  const asked = readList('--floor', values.floor, FLOORS)
  const all = readList('--task', values.task, ALL_TASKS).filter((task) => asked.includes(floorOf(task)))
  const brokers = readList('--broker', values.broker, ALL_BROKERS)
  return {
    rounds,
    contestants: readList('--only', values.only, names),
    floors: FLOORS.filter((floor) => all.some((task) => floorOf(task) === floor)),
    tasks: all.filter((task) => !isLoadTask(task)),
    loads: all.filter(isLoadTask),
    brokers: BROKERS.filter((name) => brokers.includes(name)),
    loadedBrokers: LOADED_BROKERS.filter((name) => brokers.includes(name)),
    quick: values.quick,
    ...(values.profile !== undefined && {
      profile: readList('--profile', values.profile, [...names, EMBEDDED])[0] ?? '',
    }),
    complete: !narrowed,
  }
}

function readList<T extends string>(
  option: string,
  text: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (text === undefined) return known
  return text.split(',').map((word) => {
    const found = known.find((name) => name === word)
    if (found === undefined) throw new Error(`${option}: '${word}' is not one of ${known.join(', ')}`)
    return found
  })
}
