import { fromByteString } from '../byte-string.ts'
import type { QueueConsumer } from '../model/queue.ts'
import type { QueuedMessage } from '../model/queued-message.ts'
import { queueName } from '../model/resource-name.ts'
import type { ChannelSession } from './channel-session.ts'
import type { ConnectionSession } from './connection-session.ts'

/**
 * Whether a connection has come to an end with nothing that is under way: it opens or closes, does not take its output,
 * has sent what was not read or is a part only, or has messages to settle or to commit.
 */
export function isUnderWay({ state, outputBytes, blocked, link, channels }: ConnectionSession): boolean {
  if (state !== 'running' || outputBytes > 0 || blocked || link.unreadBytes > 0) return true
  return channels.some(
    ({ unsettledCount, uncommittedCount, isReceiving }) =>
      unsettledCount > 0 || uncommittedCount > 0 || isReceiving,
  )
}

/** The same for people: a phrase for each thing that is under way. */
export function underWay(session: ConnectionSession): readonly string[] {
  const { state, outputBytes, blocked, link, peer, channels } = session
  const phrases: string[] = []
  if (state === 'greeting' || state === 'handshake') phrases.push(`${peer.name} is not open yet`)
  else if (state !== 'running') phrases.push(`${peer.name} is closing`)
  if (outputBytes > 0) phrases.push(`${peer.name} has not taken ${outputBytes} bytes`)
  if (blocked) phrases.push(`${peer.name} is blocked by an alarm, and not read from`)
  else if (link.unreadBytes > 0) phrases.push(`${link.unreadBytes} bytes of ${peer.name} were not read`)
  return [...phrases, ...channels.flatMap((channel) => underWayOn(channel, peer.name))]
}

function underWayOn(channel: ChannelSession, connection: string): readonly string[] {
  const place = `${connection} (${channel.number})`
  const phrases = unsettledOn(channel, place)
  if (channel.uncommittedCount > 0)
    phrases.push(`${place} has not committed ${channel.uncommittedCount} publishes and settlements`)
  if (channel.isReceiving) phrases.push(`${place} has published a message of which a part has come`)
  return phrases
}

/** By queue and consumer. */
function unsettledOn(channel: ChannelSession, place: string): string[] {
  const byHolder = new Map<QueuedMessage['queue'], Map<QueueConsumer | null, number>>()
  for (const { queue, consumer } of channel.unsettled()) {
    let holders = byHolder.get(queue)
    if (holders === undefined) byHolder.set(queue, (holders = new Map()))
    holders.set(consumer, (holders.get(consumer) ?? 0) + 1)
  }
  const { name: virtualHost } = channel.host.virtualHost
  return [...byHolder].flatMap(([queue, holders]) =>
    [...holders].map(([consumer, count]) => {
      const holder = consumer === null ? `basic.get of ${place}` : `consumer '${consumer.tag}' of ${place}`
      const text = `${queueName(queue.name, virtualHost)}: ${queue.messageCount} ready, ${count} unsettled by ${holder}`
      return fromByteString(text)
    }),
  )
}
