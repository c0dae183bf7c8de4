import type { Contestant } from '../contestants/contestant.ts'
import type { JobRun } from './job-run.ts'
import type { Job } from './job.ts'

/** Connects a client for the kinds of AMQP itself. */
export async function amqpRun(contestant: Contestant, job: Job): Promise<JobRun> {
  const { kind, window, bodySize } = job
  const session = await contestant.connect(job.url, { confirms: kind === 'publish' })
  const body = Buffer.alloc(bodySize, 'x')
  return {
    async run(queue, count) {
      if (kind === 'consume') await session.consumeAck({ queue, count, bodySize, prefetch: window })
      else if (kind === 'publish') await session.confirmedPublish({ queue, count, body, window })
      else await session.call({ queue, count, body, inFlight: window })
      return undefined
    },
    close: () => session.close(),
  }
}
