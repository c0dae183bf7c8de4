import { Binding, Exchange, Queue } from '@hermod/amqp'
import { ChannelError } from '@hermod/kernel'

const PRECONDITION_FAILED = 406

/**
 * Whether the broker refused a declaration because the entity exists with the other durability: another service made
 * it, with other options.
 * @source oslo.messaging _drivers/impl_rabbit.py Consumer.declare
 */
export function isDurabilityConflict(error: unknown): error is ChannelError {
  return (
    error instanceof ChannelError &&
    error.replyCode === PRECONDITION_FAILED &&
    error.replyText.includes("inequivalent arg 'durable'")
  )
}

/** The same exchange with the other durability: what to declare after a conflict. */
export function otherExchange(exchange: Exchange): Exchange {
  const { name, type, durable, autoDelete, arguments: args } = exchange
  return new Exchange(name, type, { durable: !durable, autoDelete, arguments: args })
}

/**
 * The same queue and its exchanges with the other durability: what to declare after a conflict. Both change, as in
 * oslo.messaging, which only knows the way from durable to not durable and fails the other way round. Quorum queues and
 * streams stay as they are, for they are always durable; oslo.messaging tries all the same and fails.
 */
export function otherQueue(queue: Queue): Queue {
  const { name, durable, autoDelete, arguments: args, consumerArguments, bindings } = queue
  return new Queue(name, {
    durable: args['x-queue-type'] === undefined ? !durable : durable,
    autoDelete,
    arguments: args,
    consumerArguments,
    bindings: bindings.map(
      ({ exchange, routingKey, arguments: bound }) => new Binding(otherExchange(exchange), routingKey, bound),
    ),
  })
}
