import { ConfigurationError, InvalidTargetError } from '@hermod/kernel'
import type { NotificationSource } from '../driver/driver.ts'
import type { Priority } from '../notification.ts'
import { Target, type TargetParts } from '../target.ts'

/** Which notifications are listened to; one topic or target at least. */
export interface ListenedTopics {
  /** Topics of the transport's `controlExchange`. */
  readonly topics?: readonly string[] | undefined
  /** Topics of exchanges; of a target only these two mean anything. */
  readonly targets?: readonly (Target | TargetParts)[] | undefined
}

/**
 * Every priority of every topic, each once.
 *
 * @throws {ConfigurationError} E_CONFIG when there is no topic.
 * @throws {InvalidTargetError} E_TARGET for a target without one.
 */
export function notificationSources(
  { topics = [], targets = [] }: ListenedTopics,
  controlExchange: string,
  priorities: readonly Priority[],
): readonly NotificationSource[] {
  if (topics.length + targets.length === 0)
    throw new ConfigurationError(["there is nothing to listen to; pass 'topics' or 'targets'"])
  const places = new Map<string, { readonly exchange: string; readonly topic: string }>()
  for (const parts of [...topics.map((topic) => ({ topic })), ...targets]) {
    const target = parts instanceof Target ? parts : new Target(parts)
    const { topic = '' } = target
    if (topic === '') throw new InvalidTargetError("a listener needs a 'topic'", target.toString())
    const place = { exchange: target.exchange || controlExchange, topic }
    places.set(JSON.stringify([place.exchange, topic]), place)
  }
  return [...places.values()].flatMap((place) => priorities.map((priority) => ({ ...place, priority })))
}
