import { createRpcClient, createTransport } from 'hermod'

const transport = createTransport(process.env['HERMOD_URL'] ?? 'rabbit://127.0.0.1:5672/')
const target = { topic: 'test', namespace: 'namespace2', server: 'server1', version: '1.0', fanout: true }
const client = createRpcClient(transport, target)

// To every server of the topic: fanout counts before the name of one.
await client.cast('test', { arg: 'to all' })
console.log(await client.prepare({ fanout: false }).call('test', { arg: 'to one' }))
await transport.close()
