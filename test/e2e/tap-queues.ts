import type { BrokerFixture } from '@hermod/testkit'

/** The queues of taps that are on the broker, by name. */
export async function tapQueues(broker: BrokerFixture): Promise<readonly string[]> {
  return (await broker.queues()).map(({ name }) => name).filter((name) => name.startsWith('hermod'))
}
