import { MessageUndeliverableError } from '@hermod/kernel'
import type { Destination, NotificationSource, ServedTarget } from '../driver.ts'
import { FakeQueue } from './fake-queue.ts'

const worlds = new Map<string, FakeWorld>()

/** The queues that the transports of one URL share. */
export class FakeWorld {
  readonly #queues = new Map<string, FakeQueue>()
  /** By topic: one queue a server. */
  readonly #fanouts = new Map<string, Set<FakeQueue>>()
  /** By source: the queues of pools that take it. */
  readonly #pools = new Map<string, Set<FakeQueue>>()

  /** The one of this name; it lives as long as the process. */
  static named(name: string): FakeWorld {
    let world = worlds.get(name)
    if (world === undefined) worlds.set(name, (world = new FakeWorld()))
    return world
  }

  /**
   * The queues that a request goes into.
   * @throws {MessageUndeliverableError} E_UNROUTABLE when it is mandatory and no server takes from any of them.
   */
  queuesTo({ exchange, topic, server, fanout }: Destination, mandatory: boolean): readonly FakeQueue[] {
    const queues = fanout
      ? Array.from(this.#fanouts.get(topic) ?? [])
      : [this.#queue(requestKey(exchange, topic, server))]
    if (mandatory && !queues.some(({ isConsumed }) => isConsumed)) {
      const key = fanout || server === undefined ? topic : `${topic}.${server}`
      throw new MessageUndeliverableError(exchange, key, 'no server takes from there')
    }
    return queues
  }

  /** The queues that a server takes from: the topic's, its own, and a new one for what goes to all. */
  queuesFor({ exchange, topic, server }: ServedTarget): {
    readonly shared: readonly FakeQueue[]
    readonly fanout: FakeQueue
  } {
    const fanout = new FakeQueue(`${topic}_fanout`)
    added(this.#fanouts, topic, fanout)
    const keys = [requestKey(exchange, topic, undefined), requestKey(exchange, topic, server)]
    return { shared: keys.map((key) => this.#queue(key)), fanout }
  }

  /** What goes to all servers does not go there any more. */
  endFanout(topic: string, queue: FakeQueue): void {
    const queues = this.#fanouts.get(topic)
    queues?.delete(queue)
    if (queues?.size === 0) this.#fanouts.delete(topic)
  }

  /** The queues that a notification goes into: the one of no pool, and those of the pools. */
  queuesOf(source: NotificationSource): readonly FakeQueue[] {
    const key = notificationKey(source)
    return [this.#queue(key), ...(this.#pools.get(key) ?? [])]
  }

  /** The queues that a listener takes from. A pool begins with what is sent from now on. */
  queuesOfListener(sources: readonly NotificationSource[], pool: string | undefined): readonly FakeQueue[] {
    const keys = Array.from(new Set(sources.map(notificationKey)))
    if (pool === undefined) return keys.map((key) => this.#queue(key))
    const queue = this.#queue(`pool ${pool}`)
    for (const key of keys) added(this.#pools, key, queue)
    return [queue]
  }

  #queue(name: string): FakeQueue {
    let queue = this.#queues.get(name)
    if (queue === undefined) this.#queues.set(name, (queue = new FakeQueue(name)))
    return queue
  }
}

function added(sets: Map<string, Set<FakeQueue>>, key: string, queue: FakeQueue): void {
  const queues = sets.get(key)
  if (queues === undefined) sets.set(key, new Set([queue]))
  else queues.add(queue)
}

/** JSON keeps apart what a separator of our own might not. */
function requestKey(exchange: string, topic: string, server: string | undefined): string {
  return `requests ${JSON.stringify(server === undefined ? [exchange, topic] : [exchange, topic, server])}`
}

function notificationKey({ exchange, topic, priority }: NotificationSource): string {
  return `notifications ${JSON.stringify([exchange, topic, priority])}`
}
