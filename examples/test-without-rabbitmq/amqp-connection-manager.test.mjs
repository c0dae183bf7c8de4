// npx vitest run --root examples/test-without-rabbitmq
import { useTestBroker } from '@hermod/testkit/test-broker'
import { connect } from 'amqp-connection-manager'
import { afterAll, beforeAll, expect, test } from 'vitest'

const server = useTestBroker({ before: beforeAll, after: afterAll })

/** The code under test: what is sent while the broker is away is sent when it is back. */
function openOutbox(url) {
  const connection = connect([url], { reconnectTimeInSeconds: 0.05 })
  const channel = connection.createChannel({
    json: true,
    setup: (one) => one.assertQueue('outbox', { durable: true }),
  })
  return { connection, channel }
}

test('what is sent while the broker is away arrives when it is back', async () => {
  const { connection, channel } = openOutbox(server.url)
  await channel.waitForConnect()
  server.broker.refuse(true)
  const away = new Promise((resolve) => connection.once('disconnect', resolve))
  for (const one of server.broker.connections()) one.drop()
  await away
  const sent = channel.sendToQueue('outbox', { id: 1 })
  server.broker.refuse(false)
  await sent
  expect(server.broker.queues().find(({ name }) => name === 'outbox')).toMatchObject({ ready: 1 })
  await connection.close()
})
