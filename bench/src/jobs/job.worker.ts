import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import type { ContestantSession } from '../contestants/contestant.ts'
import { findEntry } from '../contestants/roster.ts'
import type { Job, Sample } from './job.ts'
import { processCpuSeconds } from './process-cpu.ts'

// Runs the one job that its argument holds and writes the sample to stdout, each as JSON.
const job = JSON.parse(process.argv[2] ?? '') as Job
const entry = findEntry(job.contestant)
if (entry.runtime !== 'node') throw new Error(`'${job.contestant}' does not run in Node`)
const { contestant } = await entry.load()
const session = await contestant.connect(job.url, { confirms: job.kind === 'publish' })
if (job.warmUpCount > 0) await run(session, job.warmUpQueue, job.warmUpCount)

const profiler = job.profileFile === undefined ? undefined : await startProfiler()
const brokerBefore = brokerCpuSeconds()
const cpuBefore = process.cpuUsage()
const start = performance.now()
await run(session, job.queue, job.count)
const seconds = (performance.now() - start) / 1000
const cpu = process.cpuUsage(cpuBefore)
const brokerAfter = brokerCpuSeconds()
if (profiler !== undefined && job.profileFile !== undefined)
  writeFileSync(job.profileFile, JSON.stringify((await profiler.post('Profiler.stop')).profile))

await session.close()
const sample: Sample = {
  messages: job.count,
  seconds,
  clientCpuSeconds: (cpu.user + cpu.system) / 1e6,
  ...(brokerBefore !== undefined &&
    brokerAfter !== undefined && { brokerCpuSeconds: brokerAfter - brokerBefore }),
}
process.stdout.write(JSON.stringify(sample))

function run(on: ContestantSession, queue: string, count: number): Promise<void> {
  const { kind, window, bodySize } = job
  if (kind === 'consume') return on.consumeAck({ queue, count, bodySize, prefetch: window })
  const body = Buffer.alloc(bodySize, 'x')
  if (kind === 'publish') return on.confirmedPublish({ queue, count, body, window })
  return on.call({ queue, count, body, inFlight: window })
}

async function startProfiler(): Promise<Session> {
  const inspector = new Session()
  inspector.connect()
  await inspector.post('Profiler.enable')
  await inspector.post('Profiler.start')
  return inspector
}

function brokerCpuSeconds(): number | undefined {
  return job.brokerPid === undefined ? undefined : processCpuSeconds(job.brokerPid)
}
