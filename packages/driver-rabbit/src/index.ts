/**
 * The driver of `rabbit://` and `kombu://` transports: oslo.messaging over RabbitMQ.
 *
 * @packageDocumentation
 */
export {
  fanoutExchangeName,
  fanoutQueueName,
  notificationQueueName,
  randomQueueSuffix,
  replyQueueName,
  requestQueueName,
} from './queue-names.ts'
