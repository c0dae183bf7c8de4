// node --test examples/test-without-rabbitmq/rabbitmq-client.test.mjs
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { afterEach, beforeEach, test } from 'node:test'
import { useTestBroker } from '@hermod/testkit/test-broker'
import { Connection } from 'rabbitmq-client'

// A new broker for every test: nothing of one is left for the next.
const server = useTestBroker({ before: beforeEach, after: afterEach })

/** The code under test: it answers requests, for as long as there is a broker. */
function serveSums(url) {
  const connection = new Connection({ url, retryLow: 10, retryHigh: 50 })
  connection.on('error', () => {})
  const consumer = connection.createConsumer({ queue: 'sums' }, async ({ body }, reply) => {
    await reply(body.reduce((sum, value) => sum + value, 0))
  })
  consumer.on('error', () => {})
  return { connection, consumer }
}

test('sums are answered', async () => {
  const { connection, consumer } = serveSums(server.url)
  await once(consumer, 'ready')
  const client = connection.createRPCClient({ confirm: true })
  const { body } = await client.send('sums', [1, 2, 3])
  assert.equal(body, 6)
  await client.close()
  await consumer.close()
  await connection.close()
})

test('sums are answered again after the connection broke', async () => {
  const { connection, consumer } = serveSums(server.url)
  await once(consumer, 'ready')
  // As a machine that crashes between the two does: no farewell.
  for (const one of server.broker.connections()) one.drop()
  await once(consumer, 'ready')
  const client = connection.createRPCClient({ confirm: true })
  const { body } = await client.send('sums', [4, 5])
  assert.equal(body, 9)
  await client.close()
  await consumer.close()
  await connection.close()
})
