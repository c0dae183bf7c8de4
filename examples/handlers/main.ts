import { openTap, parseAmqpUrl } from 'hermod'

const broker = parseAmqpUrl(process.env['HERMOD_URL'] ?? 'amqp://guest:guest@localhost/')
const tap = await openTap({ servers: [broker] })

tap.on('compute.instance.*', (event) => console.log('instance', event.resource.name, event.phase))
tap.on('port.create.end', async (event) => {
  console.log('port', event.resource.id, 'of project', event.projectId)
})

const { error } = await tap.closed
if (error !== undefined) console.error('the tap ended:', error.message)
