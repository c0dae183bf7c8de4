import { openTap, parseAmqpUrl } from 'hermod'

const broker = parseAmqpUrl(process.env['HERMOD_URL'] ?? 'amqp://guest:guest@localhost/')
const tap = await openTap({ servers: [broker] })
tap.onStatus((status) => console.error('status', status.type))

for await (const event of tap) {
  console.log(event.time, event.service, event.type, event.resource.id)
}
