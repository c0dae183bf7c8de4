import { controlExchangeFromConf, type Transport } from '@hermod/messaging'
import { rpcExchangeOf } from '@hermod/openstack'

/**
 * The exchange of a topic: the one asked for, else that of the conf file, else that of the service which has the topic;
 * undefined: the one that every service uses which sets none.
 */
export function rpcExchange(
  topic: string,
  asked: string | undefined,
  { conf }: Pick<Transport, 'conf'>,
): string | undefined {
  return asked ?? (conf && controlExchangeFromConf(conf)) ?? rpcExchangeOf(topic)
}
