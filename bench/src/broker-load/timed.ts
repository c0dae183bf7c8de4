import type { Latency } from '../jobs/job.ts'
import { processCpuSeconds } from '../jobs/process-cpu.ts'
import type { LoadJob, LoadSample } from './load-sample.ts'

/** What `run` takes, of this process and of the broker's where it has one of its own. */
export async function timed(job: LoadJob, run: () => Promise<Latency | undefined>): Promise<LoadSample> {
  const { brokerPid } = job
  const brokerCpu = (): number | undefined =>
    brokerPid === undefined ? undefined : processCpuSeconds(brokerPid)
  const brokerBefore = brokerCpu()
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const latencyMs = await run()
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const brokerAfter = brokerCpu()
  return {
    messages: job.count,
    seconds,
    clientCpuSeconds: (cpu.user + cpu.system) / 1e6,
    ...(brokerBefore !== undefined &&
      brokerAfter !== undefined && { brokerCpuSeconds: brokerAfter - brokerBefore }),
    ...(latencyMs !== undefined && { latencyMs }),
  }
}
