import { AMQPClient, type AMQPError, type AMQPMessage } from '@cloudamqp/amqp-client'
import { createDeferred } from '@hermod/kernel'
import type { Seen } from './scenario.ts'

/** Plays the scenario with @cloudamqp/amqp-client. */
export async function playCloudamqp(url: string): Promise<Seen> {
  const connection = await new AMQPClient(url).connect()
  try {
    const channel = await connection.channel()
    const {
      name: queue,
      messageCount,
      consumerCount,
    } = await channel.queueDeclare('', { exclusive: true, autoDelete: false })
    const counted = async (): Promise<number> =>
      (await channel.queueDeclare(queue, { passive: true })).messageCount
    const returned = createDeferred<readonly [number, string]>()
    channel.onReturn = (message: AMQPMessage) =>
      returned.resolve([message.replyCode ?? 0, message.replyText ?? ''])
    await channel.confirmSelect()
    await channel.basicPublish('', 'nowhere', 'lost', {}, true)
    const confirmed = (await channel.basicPublish('', queue, 'one')) > 0
    const facts = (message: AMQPMessage | null): readonly [string, boolean] | null =>
      message === null ? null : [message.bodyString() ?? '', message.redelivered]
    const first = await channel.basicGet(queue, { noAck: false })
    await first?.nack(true)
    const second = await channel.basicGet(queue, { noAck: false })
    await second?.ack()
    const got = [facts(first), facts(second), facts(await channel.basicGet(queue, { noAck: false }))]

    for (const body of ['a', 'b', 'c']) await channel.basicPublish('', queue, body)
    const consumed: [string, boolean][] = []
    const done = createDeferred<void>()
    const consumer = await channel.basicConsume(queue, { noAck: false }, async (message) => {
      consumed.push([message.bodyString() ?? '', message.redelivered])
      if (consumed.length === 2) await message.reject(false)
      else if (consumed.length === 3) await message.nack(true)
      else await message.ack()
      if (consumed.length === 4) done.resolve()
    })
    await done.promise
    await consumer.cancel()
    const left = await counted()

    const transacted = await connection.channel()
    await transacted.txSelect()
    await transacted.basicPublish('', queue, 't')
    await transacted.txRollback()
    const rolledBack = await counted()
    await transacted.basicPublish('', queue, 't')
    await transacted.txCommit()
    const committed = await counted()
    await channel.queuePurge(queue)

    const answer = createDeferred<string>()
    await channel.basicConsume('amq.rabbitmq.reply-to', { noAck: true }, (message) =>
      answer.resolve(message.bodyString() ?? ''),
    )
    const server = await connection.channel()
    await server.basicConsume(queue, { noAck: true }, async (message) => {
      await server.basicPublish('', message.properties.replyTo ?? '', 'pong')
    })
    await channel.basicPublish('', queue, 'ping', { replyTo: 'amq.rabbitmq.reply-to' })
    const answered = await answer.promise

    const watching = await connection.channel()
    await watching.queueDeclare('scenario-cloudamqp', { autoDelete: true })
    const watched = await watching.basicConsume('scenario-cloudamqp', {}, () => {})
    const ended = watched.wait().then(
      () => false,
      () => true,
    )
    await channel.queueDelete('scenario-cloudamqp')
    const cancelled = await ended

    const failing = await connection.channel()
    const refused = await failing.queueDeclare('nowhere', { passive: true }).then(
      () => 0,
      (error: AMQPError) => (error.message.includes('404') ? 404 : 0),
    )
    return {
      declared: [messageCount, consumerCount],
      confirmed,
      returned: await returned.promise,
      got,
      consumed,
      left,
      transactions: [rolledBack, committed],
      answered,
      refused,
      cancelled,
    }
  } finally {
    await connection.close()
  }
}
