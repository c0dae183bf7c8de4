import { createNotifier, createTransport } from 'hermod'

const transport = createTransport(process.env['HERMOD_URL'] ?? 'rabbit://127.0.0.1:5672/')
const notifier = createNotifier(transport, { publisherId: 'publisher1', topics: ['notification_1'] })

await notifier.error('this is type', { reason: 'an error' })
await notifier.warn('this is type', { reason: 'a warning' })
await transport.close()
