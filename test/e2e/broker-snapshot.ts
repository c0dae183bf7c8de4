import { eventually, type BindingFacts, type BrokerFixture } from '@hermod/testkit'

/** What there is in a virtual host, and who is connected to the broker, in a fixed order. */
export interface BrokerSnapshot {
  readonly queues: readonly string[]
  readonly bindings: readonly BindingFacts[]
  readonly exchanges: readonly string[]
  readonly connections: readonly string[]
}

const byText = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

export async function brokerSnapshot(broker: BrokerFixture, vhost: string): Promise<BrokerSnapshot> {
  return {
    queues: (await broker.queues(vhost)).map(({ name }) => name).toSorted(),
    bindings: (await broker.bindings(vhost)).toSorted(byText),
    exchanges: (await broker.exchanges(vhost)).map(({ name }) => name).toSorted(),
    connections: (await broker.connections()).map(({ name }) => name).toSorted(),
  }
}

/** The same once nobody is connected: the broker forgets a connection a moment after its client has. */
export async function deserted(broker: BrokerFixture, vhost: string): Promise<BrokerSnapshot> {
  await eventually(async () => (await broker.connections()).length === 0)
  return brokerSnapshot(broker, vhost)
}

/** A queue and how many messages it holds. */
export interface QueueCount {
  readonly name: string
  readonly messages: number
}

/** How many messages each queue of a virtual host holds, by name. */
export async function queueCounts(broker: BrokerFixture, vhost: string): Promise<readonly QueueCount[]> {
  return (await broker.queues(vhost))
    .map(({ name, messages }) => ({ name, messages }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
