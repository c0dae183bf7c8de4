import { once } from 'node:events'
import { connect } from 'amqplib'
import { FILLING, type BlockedPlay } from './blocked-scenario.ts'

/** Plays it with amqplib, whose connections emit `blocked` and `unblocked`. */
export const blockAmqplib: BlockedPlay = async (url, pressure) => {
  const [publishing, reading] = await Promise.all([connect(url), connect(url)])
  const seen: string[] = []
  reading.on('blocked', () => seen.push('the reader is blocked'))
  publishing.on('blocked', (reason: string) => seen.push(`blocked: ${reason}`))
  publishing.on('unblocked', () => seen.push('unblocked'))
  const channel = await publishing.createConfirmChannel()
  const { queue } = await channel.assertQueue('blocked-amqplib')
  channel.sendToQueue(queue, Buffer.from('first'))
  await channel.waitForConfirms()
  const reader = await reading.createChannel()
  await pressure.begin()
  let published = 1
  while (seen.length === 0) {
    channel.sendToQueue(queue, FILLING)
    published++
    await reader.checkQueue(queue)
  }
  const first = await reader.get(queue, { noAck: true })
  seen.push(`got ${first === false ? 'nothing' : String(first.content)}`)
  const unblocked = once(publishing, 'unblocked')
  const taken = await pressure.end(queue)
  await unblocked
  await channel.waitForConfirms()
  seen.push('confirmed')
  const { messageCount } = await channel.deleteQueue(queue)
  seen.push(
    1 + taken + messageCount === published ? 'nothing lost' : `${published}: ${taken}, ${messageCount}`,
  )
  await Promise.all([publishing.close(), reading.close()])
  return seen
}
