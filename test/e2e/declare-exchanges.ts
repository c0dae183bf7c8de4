import { startPeer } from './start-peer.ts'

/** Exchanges of services as they declare them: topic, not durable. */
export const DECLARED_EXCHANGES = ['ironic', 'keystone', 'neutron', 'nova', 'openstack'] as const

/** Declares exchanges as services do when they start. What it publishes goes to no queue. */
export async function declareExchanges(
  url: string,
  names: readonly string[] = DECLARED_EXCHANGES,
): Promise<void> {
  await using kombu = startPeer('kombu_emit')
  for (const name of names) {
    await kombu.ask({ url, exchange: { name }, routing_key: 'nobody', body: {} })
  }
}
