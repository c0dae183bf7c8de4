import { Connection } from '@hermod/amqp'
import type { Broker } from '@hermod/broker'
import { rabbit } from '@hermod/driver-rabbit'
import type { Clock } from '@hermod/kernel'
import { createNotifier, createTransport, type Notifier, type Transport } from '@hermod/messaging'
import { cloudActivity, type ActivityEvent } from '@hermod/openstack'
import { ActivityPlayer } from './activity-player.ts'

/** The services of the cloud, by their exchanges. */
export const DEMO_EXCHANGES: readonly string[] = ['keystone', 'nova', 'neutron', 'cinder']

/** How long closing a connection may take. */
const CLOSE_LIMIT_MS = 1000

/** How often the queues are looked at, in events, and how much of what nobody reads is kept. */
const SWEEP_EVERY = 500
const MOST_UNREAD = 2000

/** What happens in the cloud, and how fast. */
export interface DemoPace {
  readonly seed: number
  readonly eventsPerSecond: number
  readonly clock: Clock
}

/** A made-up cloud on a broker: each service has a connection of its own, as its process would. */
export class DemoCloud {
  readonly player: ActivityPlayer
  readonly #broker: Broker
  readonly #transports: readonly Transport[]
  readonly #notifiers: ReadonlyMap<string, Notifier>

  private constructor(broker: Broker, transports: readonly Transport[], pace: DemoPace) {
    const { seed, clock } = pace
    this.#broker = broker
    this.#transports = transports
    this.#notifiers = new Map(
      transports.map((transport) => [transport.controlExchange, createNotifier(transport)]),
    )
    const events = cloudActivity({ seed, now: () => new Date(clock.now()) })
    this.player = new ActivityPlayer(events, (event, signal) => this.#publish(event, signal), pace)
  }

  /** Connects its services, and declares their exchanges, as services do when they start. */
  static async start(broker: Broker, url: string, pace: DemoPace, signal: AbortSignal): Promise<DemoCloud> {
    const transports = DEMO_EXCHANGES.map((controlExchange) =>
      createTransport(url.replace(/^amqp:/, 'rabbit:'), {
        drivers: [rabbit()],
        controlExchange,
        clock: pace.clock,
      }),
    )
    const cloud = new DemoCloud(broker, transports, pace)
    try {
      await declareExchanges(url, signal)
      await Promise.all(transports.map((transport) => transport.connect({ signal, retries: 0 })))
    } catch (error) {
      await cloud.close()
      throw error
    }
    return cloud
  }

  async #publish(event: ActivityEvent, signal: AbortSignal): Promise<void> {
    const { exchange, publisherId, priority, eventType, payload, context } = event
    const notifier = this.#notifiers.get(exchange)?.prepare({ publisherId })
    await notifier?.notify(priority, eventType, payload, { context, signal })
    if (this.player.counts.published % SWEEP_EVERY === 0) this.#sweep()
  }

  /** Notifiers keep a queue for whoever may come. Here mostly nobody does, and the demo may run for days. */
  #sweep(): void {
    for (const { name, consumers, ready } of this.#broker.queues())
      if (consumers === 0 && ready > MOST_UNREAD) this.#broker.deleteQueue(name)
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close({ timeoutMs: CLOSE_LIMIT_MS })))
  }
}

/** What is tapped must be there: a tap would take an exchange that appears later for one that was missed. */
async function declareExchanges(url: string, signal: AbortSignal): Promise<void> {
  const connection = await Connection.connect(url, { signal, reconnect: false })
  try {
    const channel = await connection.openChannel({ recover: false })
    // As the rabbit driver declares them.
    for (const name of DEMO_EXCHANGES)
      await channel.declareExchange(name, 'topic', { durable: false, signal })
  } finally {
    await connection.close()
  }
}
