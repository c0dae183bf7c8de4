import { createDeferred } from '@hermod/kernel'
import { connect, type ConsumeMessage, type GetMessage } from 'amqplib'
import type { Seen } from './scenario.ts'

/** What its channels have beneath their API and its types leave out: any method of the protocol, by its number. */
interface MethodChannel {
  rpc(method: number, fields: object, answer: number): Promise<unknown>
}

/** The methods of transactions, as it numbers them: class and method. It encodes them, and has no calls for them. */
const TX = { select: 0x5a_000a, commit: 0x5a_0014, rollback: 0x5a_001e } as const

/** Plays the scenario with amqplib. */
export async function playAmqplib(url: string): Promise<Seen> {
  const connection = await connect(url)
  try {
    const channel = await connection.createConfirmChannel()
    const { queue, messageCount, consumerCount } = await channel.assertQueue('', { exclusive: true })
    const returned = createDeferred<readonly [number, string]>()
    channel.on('return', ({ fields }: ConsumeMessage) =>
      returned.resolve([Number(Reflect.get(fields, 'replyCode')), String(Reflect.get(fields, 'replyText'))]),
    )
    channel.publish('', 'nowhere', Buffer.from('lost'), { mandatory: true })
    channel.sendToQueue(queue, Buffer.from('one'))
    await channel.waitForConfirms()
    const facts = (message: GetMessage | false): readonly [string, boolean] | null =>
      message === false ? null : [String(message.content), message.fields.redelivered]
    const first = await channel.get(queue)
    if (first !== false) channel.nack(first)
    const second = await channel.get(queue)
    if (second !== false) channel.ack(second)
    const got = [facts(first), facts(second), facts(await channel.get(queue))]

    for (const body of ['a', 'b', 'c']) channel.sendToQueue(queue, Buffer.from(body))
    const consumed: [string, boolean][] = []
    const done = createDeferred<void>()
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message === null) return
      consumed.push([String(message.content), message.fields.redelivered])
      if (consumed.length === 2) channel.reject(message, false)
      else if (consumed.length === 3) channel.nack(message)
      else channel.ack(message)
      if (consumed.length === 4) done.resolve()
    })
    await done.promise
    await channel.cancel(consumerTag)
    const left = (await channel.checkQueue(queue)).messageCount

    const transacted = await connection.createChannel()
    const tx = async (method: keyof typeof TX): Promise<unknown> =>
      (transacted as unknown as MethodChannel).rpc(TX[method], {}, TX[method] + 1)
    await tx('select')
    transacted.sendToQueue(queue, Buffer.from('t'))
    await tx('rollback')
    const rolledBack = (await channel.checkQueue(queue)).messageCount
    transacted.sendToQueue(queue, Buffer.from('t'))
    await tx('commit')
    const committed = (await channel.checkQueue(queue)).messageCount
    await channel.purgeQueue(queue)

    const answer = createDeferred<string>()
    await channel.consume('amq.rabbitmq.reply-to', (message) => answer.resolve(String(message?.content)), {
      noAck: true,
    })
    const server = await connection.createChannel()
    await server.consume(queue, (message) => {
      if (message !== null) server.sendToQueue(message.properties.replyTo, Buffer.from('pong'))
    })
    channel.sendToQueue(queue, Buffer.from('ping'), { replyTo: 'amq.rabbitmq.reply-to' })
    const answered = await answer.promise

    const told = createDeferred<boolean>()
    const watching = await connection.createChannel()
    await watching.assertQueue('scenario-amqplib', { autoDelete: true })
    await watching.consume('scenario-amqplib', (message) => told.resolve(message === null))
    await channel.deleteQueue('scenario-amqplib')
    const cancelled = await told.promise

    const failed = await connection.createChannel()
    const refusal = createDeferred<number>()
    failed.on('error', (error: { code: number }) => refusal.resolve(error.code))
    await failed.checkQueue('nowhere').catch(() => {})
    return {
      declared: [messageCount, consumerCount],
      confirmed: true,
      returned: await returned.promise,
      got,
      consumed,
      left,
      transactions: [rolledBack, committed],
      answered,
      refused: await refusal.promise,
      cancelled,
    }
  } finally {
    await connection.close()
  }
}
