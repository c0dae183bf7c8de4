// node --test examples/test-without-rabbitmq/cloudamqp.test.mjs
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AMQPClient } from '@cloudamqp/amqp-client'
import { useTestBroker } from '@hermod/testkit/test-broker'

const server = useTestBroker(
  { before, after },
  // How RabbitMQ 3.13 answers, and users as in production.
  { profile: 'rabbitmq-3.13', users: [{ name: 'shop', password: 'secret' }], virtualHosts: ['shop'] },
)

/** The code under test: an event that nobody takes is an error of its sender. */
async function announce(url, routingKey, event) {
  const client = new AMQPClient(url)
  await client.connect()
  try {
    const channel = await client.channel()
    await channel.exchangeDeclare('events', 'topic', { durable: true })
    await channel.confirmSelect()
    let returned = false
    channel.onReturn = () => {
      returned = true
    }
    await channel.basicPublish('events', routingKey, JSON.stringify(event), {}, true)
    if (returned) throw new Error(`nobody listens to ${routingKey}`)
  } finally {
    await client.close()
  }
}

test('an event reaches whoever listens to its kind, and without listeners it fails', async () => {
  const client = new AMQPClient(server.url)
  await client.connect()
  const channel = await client.channel()
  await channel.exchangeDeclare('events', 'topic', { durable: true })
  const { name } = await channel.queueDeclare('', { exclusive: true })
  await channel.queueBind(name, 'events', 'order.*')

  await announce(server.url, 'order.created', { id: 7 })
  const message = await channel.basicGet(name, { noAck: true })
  assert.deepEqual(JSON.parse(message.bodyString()), { id: 7 })
  await assert.rejects(announce(server.url, 'invoice.sent', { id: 7 }), /nobody listens to invoice\.sent/)
  await client.close()
})

test('a wrong password is refused as RabbitMQ refuses it', async () => {
  const url = server.url.replace('secret', 'guessed')
  await assert.rejects(new AMQPClient(url).connect(), /ACCESS_REFUSED|Login was refused/)
})
