import type { OsloContestant } from '../contestants/oslo-contestant.ts'
import { runInFlight } from '../contestants/run-in-flight.ts'
import type { JobRun } from './job-run.ts'
import type { Job } from './job.ts'
import { latencyOf } from './latency.ts'

/** Connects a client for the kinds of remote calls and notifications. */
export async function osloRun(contestant: OsloContestant, job: Job): Promise<JobRun> {
  const text = 'x'.repeat(job.bodySize)
  if (job.kind === 'notify' || job.kind === 'listen') return notificationRun(contestant, job, text)
  const session = await contestant.connect(job.url, job.queue)
  let noted = 0
  return {
    async run(_, count) {
      if (job.kind === 'oslo-cast') {
        await runInFlight(count, job.window, () => session.note(text))
        await session.noted((noted += count))
        return undefined
      }
      const tookMs = await runInFlight(count, job.window, async () => {
        if ((await session.echo(text)).length !== text.length)
          throw new Error('a reply is not as long as its call')
      })
      return latencyOf(tookMs)
    },
    close: () => session.close(),
  }
}

function notificationRun(contestant: OsloContestant, { url, kind, window }: Job, text: string): JobRun {
  const session = contestant.connectNotifications?.(url)
  if (session === undefined) throw new TypeError('the contestant has no notifications')
  return {
    async run(topic, count) {
      if (kind === 'notify') {
        const notify = session.notifier(topic)
        await runInFlight(count, window, () => notify({ text }))
        return undefined
      }
      await session.listen(topic, count, (payload) => {
        if ((payload as { text: string }).text.length !== text.length)
          throw new Error('a notification is not as long as it was')
      })
      return undefined
    },
    close: () => session.close(),
  }
}
