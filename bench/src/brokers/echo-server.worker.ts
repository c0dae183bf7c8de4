import { Connection } from '@hermod/amqp'

// Answers what comes to a queue with the same body, until stdin ends. The same program whoever asks, so that only
// the client differs.
const [url = '', queue = ''] = process.argv.slice(2)
const connection = await Connection.connect(url, { name: 'bench echo' })
const channel = await connection.openChannel()
await channel.consume(queue, { noAck: true }, ({ body, properties: { replyTo = '', correlationId } }) => {
  channel
    .publish('', replyTo, body, { properties: { deliveryMode: 1, correlationId } })
    .catch((error: unknown) => {
      throw error
    })
})
process.stdin.resume().once('end', () => void connection.close())
process.stdout.write('ready\n')
