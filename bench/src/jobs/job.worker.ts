import { findEntry } from '../contestants/roster.ts'
import { amqpRun } from './amqp-run.ts'
import type { Job, Sample } from './job.ts'
import { osloRun } from './oslo-run.ts'
import { processCpuSeconds } from './process-cpu.ts'
import { startProfiler, writeProfile } from './profiler.ts'
import { OSLO_KINDS } from './task.ts'

// Runs the one job that its argument holds and writes the sample to stdout, each as JSON.
const job = JSON.parse(process.argv[2] ?? '') as Job
const entry = findEntry(job.contestant)
if (entry.runtime !== 'node') throw new Error(`'${job.contestant}' does not run in Node`)
const session = await (OSLO_KINDS.includes(job.kind)
  ? osloRun((await wanted(entry.loadOslo?.())).contestant, job)
  : amqpRun((await wanted(entry.load?.())).contestant, job))
if (job.warmUpCount > 0) await session.run(job.warmUpQueue, job.warmUpCount)

const profiler = job.profileFile === undefined ? undefined : await startProfiler()
const brokerBefore = cpuSecondsOf(job.brokerPid)
const serverBefore = cpuSecondsOf(job.serverPid)
const cpuBefore = process.cpuUsage()
const start = performance.now()
const latencyMs = await session.run(job.queue, job.count)
const seconds = (performance.now() - start) / 1000
const cpu = process.cpuUsage(cpuBefore)
const brokerAfter = cpuSecondsOf(job.brokerPid)
const serverAfter = cpuSecondsOf(job.serverPid)
if (profiler !== undefined && job.profileFile !== undefined) await writeProfile(profiler, job.profileFile)

await session.close()
const sample: Sample = {
  messages: job.count,
  seconds,
  clientCpuSeconds: (cpu.user + cpu.system) / 1e6,
  ...(brokerBefore !== undefined &&
    brokerAfter !== undefined && { brokerCpuSeconds: brokerAfter - brokerBefore }),
  ...(serverBefore !== undefined &&
    serverAfter !== undefined && { serverCpuSeconds: serverAfter - serverBefore }),
  ...(latencyMs !== undefined && { latencyMs }),
}
process.stdout.write(JSON.stringify(sample))

function wanted<T>(loading: T | undefined): T {
  if (loading === undefined) throw new Error(`'${job.contestant}' takes no part in ${job.task}`)
  return loading
}

function cpuSecondsOf(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : processCpuSeconds(pid)
}
