// node --test examples/test-without-rabbitmq/amqplib.test.mjs
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { useTestBroker } from '@hermod/testkit/test-broker'
import { connect } from 'amqplib'

const server = useTestBroker({ before, after })

/** The code under test: what a worker fails on is kept in a queue of its own. */
async function startWorker(url, work) {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  await channel.assertQueue('orders.failed')
  await channel.assertQueue('orders', {
    deadLetterExchange: '',
    deadLetterRoutingKey: 'orders.failed',
  })
  await channel.prefetch(1)
  const handle = async (message) => {
    try {
      await work(JSON.parse(message.content.toString()))
      channel.ack(message)
    } catch {
      channel.nack(message, false, false)
    }
  }
  await channel.consume('orders', (message) => void handle(message))
  return connection
}

test('an order that the worker fails on is kept, with the reason', async () => {
  const seen = []
  const worker = await startWorker(server.url, async ({ id }) => {
    seen.push(id)
    if (id === 2) throw new Error('out of stock')
  })
  const channel = await worker.createConfirmChannel()
  for (const id of [1, 2, 3]) channel.sendToQueue('orders', Buffer.from(JSON.stringify({ id })))
  // The broker knows when all is done: there is no need to sleep, or to ask again and again.
  await server.broker.waitForIdle()

  assert.deepEqual(seen, [1, 2, 3])
  const failed = await channel.get('orders.failed', { noAck: true })
  assert.deepEqual(JSON.parse(failed.content.toString()), { id: 2 })
  const [death] = failed.properties.headers['x-death']
  assert.deepEqual([death.queue, death.reason, death.count], ['orders', 'rejected', 1])
  // What it counts needs no management API.
  const orders = server.broker.queues().find(({ name }) => name === 'orders')
  assert.deepEqual([orders.ready, orders.consumers], [0, 1])
  await worker.close()
})
