import { nextProcessNumber } from '@hermod/messaging'
import { randomQueueSuffix } from './queue-names.ts'
import type { RabbitSettings } from './rabbit-settings.ts'

/**
 * What the name of a new reply or fanout queue ends with: 32 random digits, or, with the queue manager,
 * `<hostname>:<process name>:<number>`. Another one each time.
 *
 * @throws as `nextProcessNumber`, with the queue manager.
 * @source oslo.messaging _drivers/amqpdriver.py QManager.get
 */
export async function newQueueSuffix(
  settings: Pick<RabbitSettings, 'useQueueManager' | 'hostname' | 'processName'>,
  signal?: AbortSignal,
): Promise<string> {
  const { useQueueManager, hostname, processName } = settings
  if (!useQueueManager) return randomQueueSuffix()
  return `${hostname}:${processName}:${await nextProcessNumber({ hostname, processName, signal })}`
}
