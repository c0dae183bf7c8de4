import { createDeferred } from '@hermod/kernel'
import { AMQPClient } from '@cloudamqp/amqp-client'
import { FILLING, type BlockedPlay } from './blocked-scenario.ts'

/** Plays it with @cloudamqp/amqp-client, whose clients call `onblocked` and `onunblocked`, and publish nothing between. */
export const blockCloudamqp: BlockedPlay = async (url, pressure) => {
  const [publishing, reading] = [new AMQPClient(url), new AMQPClient(url)]
  await Promise.all([publishing.connect(), reading.connect()])
  const seen: string[] = []
  const unblocked = createDeferred<void>()
  reading.onblocked = () => seen.push('the reader is blocked')
  publishing.onblocked = (reason) => seen.push(`blocked: ${reason}`)
  publishing.onunblocked = () => {
    seen.push('unblocked')
    unblocked.resolve()
  }
  const channel = await publishing.channel()
  await channel.confirmSelect()
  const { name: queue } = await channel.queueDeclare('blocked-cloudamqp')
  await channel.basicPublish('', queue, 'first')
  const reader = await reading.channel()
  await pressure.begin()
  const sent: Promise<number>[] = []
  while (seen.length === 0) {
    sent.push(channel.basicPublish('', queue, FILLING))
    await reader.queueDeclare(queue, { passive: true })
  }
  const first = await reader.basicGet(queue, { noAck: true })
  seen.push(`got ${first?.bodyString()}`)
  const taken = await pressure.end(queue)
  await unblocked.promise
  await Promise.all(sent)
  seen.push('confirmed')
  const { messageCount } = await channel.queueDelete(queue)
  const published = 1 + sent.length
  seen.push(
    1 + taken + messageCount === published ? 'nothing lost' : `${published}: ${taken}, ${messageCount}`,
  )
  await Promise.all([publishing.close(), reading.close()])
  return seen
}
