import { Connection, type Channel } from '@hermod/amqp'
import { DeliveryCount } from '../contestants/delivery-count.ts'
import { publishInWindow } from '../contestants/publish-in-window.ts'
import { latencyOf } from '../jobs/latency.ts'
import { runInFlight } from '../contestants/run-in-flight.ts'
import type { LoadJob } from './load-sample.ts'
import { timed } from './timed.ts'

const QUEUE = 'bench.hermod'
const REPLY_TO = 'amq.rabbitmq.reply-to'
const TRANSIENT = { properties: { deliveryMode: 1 } } as const

// Puts one load on a broker with Hermod's client, publisher and consumer on a connection each, as its argument says
// (JSON). Prints the sample as JSON.
const job = JSON.parse(process.argv[2] ?? '') as LoadJob
const body = Buffer.alloc(job.bodySize, 'x')
const publisherConnection = await Connection.connect(job.url, { name: 'bench publisher' })
const consumerConnection = await Connection.connect(job.url, { name: 'bench consumer' })
const publisher = await publisherConnection.openChannel({ confirms: job.mode !== 'calls' })
const consumer = await consumerConnection.openChannel({ confirms: job.mode !== 'calls' })
await consumer.declareQueue(QUEUE, { durable: true })
await consumer.purgeQueue(QUEUE)

const run = { confirm, flow, calls: await preparedCalls() }[job.mode]
if (run === undefined) throw new Error(`no load is named '${job.mode}'`)
await run(job.warmUpCount)
await consumer.purgeQueue(QUEUE)
process.stdout.write(JSON.stringify(await timed(job, () => run(job.count))))
const { messageCount } = await consumer.declareQueue(QUEUE, { durable: true })
const expected = job.mode === 'confirm' ? job.count : 0
if (messageCount !== expected)
  throw new Error(`the queue holds ${messageCount} messages instead of ${expected}`)
await consumer.purgeQueue(QUEUE)
await publisherConnection.close()
await consumerConnection.close()

async function confirm(count: number): Promise<undefined> {
  await publishInWindow(count, job.window, (confirmed, failed) => {
    publisher.publish('', QUEUE, body, TRANSIENT).then(confirmed, failed)
  })
}

async function flow(count: number): Promise<undefined> {
  const deliveries = new DeliveryCount(count, job.bodySize)
  const receiving = await consumer.consume(QUEUE, { prefetchCount: job.window }, (message) => {
    message.ack()
    deliveries.add(message.body.length)
  })
  await Promise.all([confirm(count), deliveries.reached])
  await receiving.cancel()
}

/** The echo and the consumer of replies, which stay. */
async function preparedCalls(): Promise<(count: number) => Promise<ReturnType<typeof latencyOf>>> {
  const waiting = new Map<string, () => void>()
  let asked = 0
  if (job.mode === 'calls') await answer(consumer)
  if (job.mode === 'calls')
    await publisher.consume(
      REPLY_TO,
      { noAck: true },
      ({ properties: { correlationId = '' }, body: reply }) => {
        const replied = waiting.get(correlationId)
        if (replied === undefined || reply.length !== job.bodySize)
          throw new Error('a reply is not as it should be')
        waiting.delete(correlationId)
        replied()
      },
    )
  return async (count) =>
    latencyOf(
      await runInFlight(count, job.window, () => {
        const correlationId = String(++asked)
        const properties = { deliveryMode: 1, replyTo: REPLY_TO, correlationId } as const
        return new Promise<void>((replied, failed) => {
          waiting.set(correlationId, replied)
          publisher.publish('', QUEUE, body, { properties }).catch(failed)
        })
      }),
    )
}

async function answer(channel: Channel): Promise<void> {
  await channel.consume(
    QUEUE,
    { noAck: true },
    ({ body: request, properties: { replyTo = '', correlationId } }) => {
      channel
        .publish('', replyTo, request, { properties: { deliveryMode: 1, correlationId } })
        .catch((error: unknown) => {
          throw error
        })
    },
  )
}
