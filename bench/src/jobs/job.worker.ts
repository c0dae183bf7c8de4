import type { ContestantSession } from '../contestants/contestant.ts'
import { ROSTER } from '../contestants/roster.ts'
import type { Job, Sample } from './job.ts'
import { processCpuSeconds } from './process-cpu.ts'

// Runs the one job that its argument holds and writes the sample to stdout, each as JSON.
const job = JSON.parse(process.argv[2] ?? '') as Job
const entry = ROSTER.find(({ name }) => name === job.contestant)
if (entry === undefined) throw new Error(`no contestant is named '${job.contestant}'`)
const { contestant } = await entry.load()
const session = await contestant.connect(job.url)
if (job.warmUpCount > 0) await run(session, job.warmUpQueue, job.warmUpCount)

const brokerBefore = brokerCpuSeconds()
const cpuBefore = process.cpuUsage()
const start = performance.now()
await run(session, job.queue, job.count)
const seconds = (performance.now() - start) / 1000
const cpu = process.cpuUsage(cpuBefore)
const brokerAfter = brokerCpuSeconds()

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
  if (job.task === 'publish')
    return on.confirmedPublish({ queue, count, body: Buffer.alloc(job.bodySize, 'x'), window: job.window })
  return on.consumeAck({ queue, count, bodySize: job.bodySize, prefetch: job.window })
}

function brokerCpuSeconds(): number | undefined {
  return job.brokerPid === undefined ? undefined : processCpuSeconds(job.brokerPid)
}
