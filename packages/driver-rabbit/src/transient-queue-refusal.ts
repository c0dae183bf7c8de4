import { ConfigurationError, isHermodError } from '@hermod/kernel'
import type { TopologySettings } from './rabbit-topology.ts'

const INTERNAL_ERROR = 541

/**
 * What RabbitMQ's refusal of a queue that is neither durable nor exclusive means: an error that names the options to
 * set. Such queues are what oslo.messaging declares by default; RabbitMQ 4.3 closes the connection over one (541), and
 * would again after every reconnect.
 *
 * @returns undefined for every other error, and where the options allow no such queue.
 * @source RabbitMQ 4.3.0 release notes, deprecated feature `transient_nonexcl_queues`
 */
export function transientQueueRefusal(
  error: unknown,
  settings: Pick<TopologySettings, 'durableQueues' | 'quorumQueues' | 'transientQuorumQueues'>,
): ConfigurationError | undefined {
  if (!isHermodError(error) || error.details['replyCode'] !== INTERNAL_ERROR) return undefined
  const missing: string[] = []
  if (!settings.durableQueues && !settings.quorumQueues)
    missing.push('amqp_durable_queues or rabbit_quorum_queue')
  if (!settings.transientQuorumQueues) missing.push('rabbit_transient_quorum_queue')
  if (missing.length === 0) return undefined
  return new ConfigurationError(
    [
      `the broker refuses queues that are neither durable nor exclusive (RabbitMQ from 4.3 on); set ${missing.join(', and ')}`,
    ],
    { cause: error },
  )
}
