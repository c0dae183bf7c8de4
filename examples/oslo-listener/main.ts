import {
  createNotificationListener,
  createTransport,
  NotificationResult,
  type ReceivedNotification,
} from 'hermod'

class WarnEndpoint {
  warn({ publisherId, eventType, payload }: ReceivedNotification): NotificationResult {
    console.log('warn', publisherId, eventType, payload)
    return NotificationResult.HANDLED
  }
}

class ErrorEndpoint {
  error({ publisherId, eventType, payload }: ReceivedNotification): NotificationResult {
    console.log('error', publisherId, eventType, payload)
    return NotificationResult.HANDLED
  }
}

const transport = createTransport(process.env['HERMOD_URL'] ?? 'rabbit://127.0.0.1:5672/')
const listener = createNotificationListener(transport, {
  topics: ['notification_1', 'notification_2'],
  endpoints: [new WarnEndpoint(), new ErrorEndpoint()],
})
process.once('SIGINT', () => void listener.stop())
await listener.start()
console.log('listening')
await listener.wait()
await transport.close()
