import { memory } from '@hermod/driver-memory'
import { rabbit } from '@hermod/driver-rabbit'
import { createNotificationListener, createNotifier, createTransport } from '@hermod/messaging'
import { runInFlight } from '../contestants/run-in-flight.ts'
import type { LoadJob } from './load-sample.ts'
import { timed } from './timed.ts'

const TOPIC = 'bench_notifications'

// Emits notifications and handles them in this one thread, through the transport of its argument (JSON). Prints the
// sample as JSON.
const job = JSON.parse(process.argv[2] ?? '') as LoadJob
const text = 'x'.repeat(job.bodySize)
await using transport = createTransport(job.url.replace('amqp:', 'rabbit:'), {
  drivers: [rabbit(), memory()],
})
const notifier = createNotifier(transport, { publisherId: 'bench', topics: [TOPIC] })
let left = 0
let handled = (): void => {}
const listener = createNotificationListener(transport, {
  topics: [TOPIC],
  endpoints: [
    {
      info: ({ payload }) => {
        if ((payload as { text: string }).text.length !== text.length)
          throw new Error('a notification is not as long as it was')
        if (--left === 0) handled()
      },
    },
  ],
})
await listener.start()
await pass(job.warmUpCount)
process.stdout.write(JSON.stringify(await timed(job, () => pass(job.count))))
await listener.stop()

async function pass(count: number): Promise<undefined> {
  left = count
  const all = new Promise<void>((resolve) => (handled = resolve))
  await runInFlight(count, job.window, () => notifier.info('bench.event', { text }))
  await all
}
