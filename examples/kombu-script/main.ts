import { Connection, Consumer, Exchange, Queue } from 'hermod'

const nova = new Exchange('nova', 'topic', { durable: false })
const neutron = new Exchange('neutron', 'topic', { durable: false })
const queues = [
  new Queue('notification.nova', { exchange: nova, routingKey: '#', durable: false }),
  new Queue('notifications.neutron', { exchange: neutron, routingKey: '#', durable: false }),
]

const connection = await Connection.connect(process.env['HERMOD_URL'] ?? 'amqp://guest:guest@localhost/')
// JSON is all that a consumer accepts unless it is told otherwise.
const consumer = new Consumer(connection, queues, (body, message) => {
  console.log('Receive message', body)
  message.ack()
})
await consumer.start()
