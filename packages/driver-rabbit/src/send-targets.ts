import type { Exchange, Queue } from '@hermod/amqp'
import type { Destination, NotificationDestination } from '@hermod/messaging'
import { notificationQueueName, requestQueueName } from './queue-names.ts'
import type { RabbitTopology } from './rabbit-topology.ts'
import type { SendTarget } from './sender.ts'

/** Where requests and notifications are published. What is declared before is one object for each, by which it is known. */
export class SendTargets {
  readonly #topology: RabbitTopology
  readonly #topicExchanges = new Map<string, Exchange>()
  readonly #fanoutExchanges = new Map<string, Exchange>()
  /** By exchange, then by name. */
  readonly #notificationQueues = new Map<string, Map<string, Queue>>()

  constructor(topology: RabbitTopology) {
    this.#topology = topology
  }

  /** Nothing but the exchange is declared for a request: what nobody serves is dropped. */
  ofRequest({ exchange, topic, server, fanout }: Destination): SendTarget {
    if (fanout) {
      const entity = made(this.#fanoutExchanges, topic, () => this.#topology.fanoutExchange(topic))
      return { purpose: 'fanouts', exchange: entity.name, routingKey: '', entity }
    }
    const entity = made(this.#topicExchanges, exchange, () => this.#topology.topicExchange(exchange))
    return { purpose: 'requests', exchange, routingKey: requestQueueName(topic, server), entity }
  }

  /** The queue of a notification is declared too, so that it is kept for a listener to come. */
  ofNotification(destination: NotificationDestination): SendTarget {
    const { exchange, topic, priority } = destination
    const name = notificationQueueName(topic, priority)
    const queues = made(this.#notificationQueues, exchange, () => new Map<string, Queue>())
    const entity = made(queues, name, () => this.#topology.notificationQueue(destination))
    return { purpose: 'notifications', exchange, routingKey: name, entity }
  }
}

function made<T>(known: Map<string, T>, key: string, make: () => T): T {
  let value = known.get(key)
  if (value === undefined) known.set(key, (value = make()))
  return value
}
