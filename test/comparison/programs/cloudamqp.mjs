// A client of the library, every promise of which has a handler: `cloudamqp.mjs URL TASK`. It ends well when the
// connection is lost.
import { AMQPClient } from '@cloudamqp/amqp-client'

process.on('uncaughtExceptionMonitor', (_, origin) => console.log(origin))

const [url, task] = process.argv.slice(2)
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const client = new AMQPClient(url, undefined, quiet)
Object.assign(client, { onerror() {} })
// An unhandled rejection is reported at the end of the turn, so that it comes before this.
client.ondisconnect = () => setTimeout(() => process.exit(0), 200)

/** Nothing is read or written for a while, as in a program that is busy with something else. */
function beBusy(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const connected = client.connect()
if (task === 'be busy at the handshake') client.socket.once('connect', () => setImmediate(beBusy, 500))
await connected.then(
  () => console.log('connected'),
  () => console.log('refused'),
)
if (task === 'publish') {
  const channel = await client.channel()
  await channel.confirmSelect()
  const body = Buffer.alloc(256 * 1024)
  for (let i = 0; i < 64; i++) channel.basicPublish('', 'queue', body).catch(() => {})
  console.log('published')
}
