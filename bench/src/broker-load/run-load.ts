import { fileURLToPath } from 'node:url'
import { runProgram } from '../jobs/run-program.ts'
import type { LoadJob, LoadSample } from './load-sample.ts'
import { EMBEDDED_FACTOR, LOAD_BODY_SIZE, LOAD_PLANS, type LoadTask } from './load-task.ts'
import type { LoadedBroker } from './loaded-broker.ts'

const BUILD = fileURLToPath(new URL('../../broker-load/build.mjs', import.meta.url))
const WORKERS = {
  hermod: fileURLToPath(new URL('hermod-load.worker.js', import.meta.url)),
  messaging: fileURLToPath(new URL('notification-load.worker.js', import.meta.url)),
} as const

/** A load that takes longer hangs. */
const TIMEOUT_MS = 300_000
const QUICK_DIVISOR = 4

/** One load to be run. */
export interface LoadRun {
  readonly task: LoadTask
  readonly broker: Pick<LoadedBroker, 'name' | 'url' | 'pid'>
  readonly quick: boolean
  /** Messages a second of a load that is paced. */
  readonly rate?: number
}

/** Builds the C program and tells where it is. Rejects where there is no compiler or no librabbitmq. */
export async function buildLoad(): Promise<string> {
  return (await runProgram(process.execPath, [BUILD])).trim()
}

/** Runs one load in a process of its own, which fails unless every message came back as it was. */
export async function runLoad(program: string, { task, broker, quick, rate }: LoadRun): Promise<LoadSample> {
  const plan = LOAD_PLANS[task]
  const scaled = plan.isScaled && broker.name === 'embedded' ? EMBEDDED_FACTOR : 1
  const count = (plan.count * scaled) / (quick ? QUICK_DIVISOR : 1)
  const warmUpCount = plan.isFresh ? 0 : Math.round(plan.count / 4)
  const { mode, window } = plan
  if (plan.program !== 'librabbitmq') {
    // There the broker is in the thread that makes the load.
    const isInside = plan.program === 'messaging' && broker.name === 'embedded'
    const job: LoadJob = {
      mode,
      url: isInside ? 'memory://' : broker.url,
      ...(!isInside && { brokerPid: broker.pid }),
      count,
      warmUpCount,
      bodySize: LOAD_BODY_SIZE,
      window,
    }
    return run(process.execPath, [WORKERS[plan.program], JSON.stringify(job)])
  }
  const args = {
    port: new URL(broker.url).port,
    'broker-pid': broker.pid,
    count,
    'warm-up': warmUpCount,
    size: LOAD_BODY_SIZE,
    window,
    queues: plan.queues ?? 1,
    bindings: plan.bindings ?? 0,
    rate: rate ?? 0,
  }
  return run(program, [
    mode,
    ...Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ])
}

async function run(file: string, args: readonly string[]): Promise<LoadSample> {
  return JSON.parse(await runProgram(file, args, { timeoutMs: TIMEOUT_MS })) as LoadSample
}
