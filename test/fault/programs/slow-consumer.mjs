// Publishes and consumes in one process, the consumer slower than the publisher: `slow-consumer.mjs URL QUEUE MESSAGES`.
// Writes what memory it has after 100 000 messages (by when the heap has its size), and after all of them:
// `{"consumed":…,"rssBytes":…,"heapBytes":…}`.
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@hermod/amqp'

const [url, queue, count] = process.argv.slice(2)
const messages = Number(count)
/** What the broker is to hold at the most. */
const BACKLOG = 20_000
const OPEN_PROMISES = 1_000
const TICK_MS = 5
const SETTLED_PER_TICK = 100

const publisher = await Connection.connect(url)
const reader = await Connection.connect(url)
const output = await publisher.openChannel({ maxUnconfirmed: 500 })
const input = await reader.openChannel()

let published = 0
let consumed = 0
const kept = []
await input.consume(queue, { prefetchCount: 500 }, (message) => kept.push(message))

const body = Buffer.alloc(1024, '.')
const publishing = Array.from({ length: OPEN_PROMISES }, async () => {
  while (published < messages) {
    if (published - consumed > BACKLOG) await sleep(TICK_MS)
    else {
      const messageId = `${published++}`
      await output.publish('', queue, body, { properties: { messageId }, mandatory: true, resend: true })
    }
  }
})

for (const stage of [Math.min(100_000, messages / 2), messages]) {
  while (consumed < stage) {
    await sleep(TICK_MS)
    for (const message of kept.splice(0, SETTLED_PER_TICK)) {
      if (message.properties.messageId !== `${consumed++}`) throw new TypeError('out of order')
      message.ack()
    }
  }
  // The first one may only end a collection that has begun.
  for (const _ of [1, 2]) globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  console.log(JSON.stringify({ consumed, rssBytes: rss, heapBytes: heapUsed + external }))
}
await Promise.all(publishing)
await Promise.all([publisher.close(), reader.close()])
