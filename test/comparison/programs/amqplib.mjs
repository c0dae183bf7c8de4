// A client of the library that is to recover, and listens for 'error' only when told to: `amqplib.mjs URL [listening]`.
import amqplib from 'amqplib'

process.on('uncaughtExceptionMonitor', (_, origin) => console.log(origin))

const [url, listening] = process.argv.slice(2)
const connection = await amqplib.connect(url, { recovery: { initialDelay: 50, maxDelay: 100 } })
if (listening !== undefined) connection.on('error', () => {})
console.log('ready')
