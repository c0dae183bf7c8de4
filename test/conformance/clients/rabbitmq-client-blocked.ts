import { once } from 'node:events'
import { Connection } from 'rabbitmq-client'
import { FILLING, type BlockedPlay } from './blocked-scenario.ts'

/** Plays it with rabbitmq-client, whose connections emit `connection.blocked` and `connection.unblocked`. */
export const blockRabbitmqClient: BlockedPlay = async (url, pressure) => {
  const [publishing, reading] = [new Connection(url), new Connection(url)]
  const seen: string[] = []
  for (const connection of [publishing, reading]) connection.on('error', () => {})
  reading.on('connection.blocked', () => seen.push('the reader is blocked'))
  publishing.on('connection.blocked', (reason: string) => seen.push(`blocked: ${reason}`))
  publishing.on('connection.unblocked', () => seen.push('unblocked'))
  const channel = await publishing.acquire()
  await channel.confirmSelect()
  const { queue } = await channel.queueDeclare('blocked-rabbitmq-client')
  await channel.basicPublish(queue, 'first')
  const reader = await reading.acquire()
  await pressure.begin()
  const sent: Promise<void>[] = []
  while (seen.length === 0) {
    sent.push(channel.basicPublish(queue, FILLING))
    await reader.queueDeclare({ queue, passive: true })
  }
  const first = await reader.basicGet({ queue, noAck: true })
  seen.push(`got ${String(first?.body)}`)
  const unblocked = once(publishing, 'connection.unblocked')
  const taken = await pressure.end(queue)
  await unblocked
  await Promise.all(sent)
  seen.push('confirmed')
  const { messageCount } = await channel.queueDelete(queue)
  const published = 1 + sent.length
  seen.push(
    1 + taken + messageCount === published ? 'nothing lost' : `${published}: ${taken}, ${messageCount}`,
  )
  await Promise.all([channel.close(), reader.close()])
  await Promise.all([publishing.close(), reading.close()])
  return seen
}
