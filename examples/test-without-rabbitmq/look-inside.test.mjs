// node --test examples/test-without-rabbitmq/look-inside.test.mjs
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { useTestBroker } from '@hermod/testkit/test-broker'
import { connect } from 'amqplib'

const server = useTestBroker({ before, after })

/** The code under test: bills each order, and tells about it. */
async function startBilling(url, bill) {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  await channel.assertExchange('billing', 'topic')
  await channel.assertQueue('orders')
  const handle = async (message) => {
    const { id } = JSON.parse(message.content.toString())
    await bill(id)
    const headers = { source: 'billing' }
    channel.publish('billing', `order.${id}.billed`, Buffer.from('{}'), { headers })
    channel.ack(message)
  }
  await channel.consume('orders', (message) => void handle(message))
  return { connection, channel }
}

test('what is published is seen, without a queue of the test, when all is done', async (t) => {
  const { broker, url } = server
  const billed = []
  const { connection, channel } = await startBilling(url, async (id) => {
    await sleep(5)
    billed.push(id)
  })
  const published = []
  const tap = broker.onPublish((message) => published.push(message))
  t.after(() => tap.stop())

  for (const id of [1, 2, 3]) channel.sendToQueue('orders', Buffer.from(JSON.stringify({ id })))
  await broker.waitForIdle()

  assert.deepEqual(billed, [1, 2, 3])
  const told = published.filter(({ exchange }) => exchange === 'billing')
  assert.deepEqual(
    told.map(({ routingKey, outcome }) => [routingKey, outcome]),
    [
      ['order.1.billed', 'unrouted'],
      ['order.2.billed', 'unrouted'],
      ['order.3.billed', 'unrouted'],
    ],
  )
  assert.deepEqual(told[0].properties.headers, { source: 'billing' })
  await connection.close()
})

test('a handler that forgets to ack is found, by name', async () => {
  const { broker, url } = server
  const { connection, channel } = await startBilling(url, () => new Promise(() => {}))
  channel.sendToQueue('orders', Buffer.from('{"id":4}'))
  await assert.rejects(
    broker.waitForIdle({ timeoutMs: 200 }),
    /queue 'orders' in vhost '\/': 0 ready, 1 unsettled by consumer 'amq\.ctag-/,
  )
  await connection.close()
})

test('an order is billed by another worker when the first one breaks down', async () => {
  const { broker, url } = server
  broker.deleteQueue('orders')
  const broken = await startBilling(url, async () => broker.connections()[0].drop())
  broken.connection.on('error', () => {})
  broken.channel.sendToQueue('orders', Buffer.from('{"id":5}'))
  await broker.waitForIdle()
  assert.deepEqual([broker.stats().connections, broker.stats().ready], [0, 1])

  const billed = []
  const { connection } = await startBilling(url, async (id) => void billed.push(id))
  await broker.waitForIdle()
  assert.deepEqual(billed, [5])
  await connection.close()
})
