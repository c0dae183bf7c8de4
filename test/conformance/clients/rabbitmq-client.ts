import { createDeferred } from '@hermod/kernel'
import { Connection, type ReturnedMessage, type SyncMessage } from 'rabbitmq-client'
import type { Seen } from './scenario.ts'

/** Plays the scenario with rabbitmq-client. */
export async function playRabbitmqClient(url: string): Promise<Seen> {
  const connection = new Connection(url)
  connection.on('error', () => {})
  try {
    const channel = await connection.acquire()
    await channel.confirmSelect()
    const { queue, messageCount, consumerCount } = await channel.queueDeclare({ exclusive: true })
    const counted = async (): Promise<number> =>
      (await channel.queueDeclare({ queue, passive: true })).messageCount
    const returned = createDeferred<readonly [number, string]>()
    channel.on('basic.return', (message: ReturnedMessage) =>
      returned.resolve([message.replyCode, message.replyText]),
    )
    await channel.basicPublish({ routingKey: 'nowhere', mandatory: true }, 'lost')
    await channel.basicPublish(queue, 'one')
    const facts = (message: SyncMessage | undefined): readonly [string, boolean] | null =>
      message === undefined ? null : [String(message.body), message.redelivered]
    const first = await channel.basicGet(queue)
    channel.basicNack({ deliveryTag: first?.deliveryTag ?? 0, requeue: true })
    const second = await channel.basicGet(queue)
    channel.basicAck({ deliveryTag: second?.deliveryTag ?? 0 })
    const got = [facts(first), facts(second), facts(await channel.basicGet(queue))]

    for (const body of ['a', 'b', 'c']) await channel.basicPublish(queue, body)
    const consumed: [string, boolean][] = []
    const done = createDeferred<void>()
    const { consumerTag } = await channel.basicConsume({ queue }, ({ body, redelivered, deliveryTag }) => {
      consumed.push([String(body), redelivered])
      if (consumed.length === 2) channel.basicNack({ deliveryTag, requeue: false })
      else if (consumed.length === 3) channel.basicNack({ deliveryTag, requeue: true })
      else channel.basicAck({ deliveryTag })
      if (consumed.length === 4) done.resolve()
    })
    await done.promise
    await channel.basicCancel({ consumerTag })
    const left = await counted()

    const transacted = await connection.acquire()
    await transacted.txSelect()
    await transacted.basicPublish(queue, 't')
    await transacted.txRollback()
    const rolledBack = await counted()
    await transacted.basicPublish(queue, 't')
    await transacted.txCommit()
    const committed = await counted()
    await channel.queuePurge(queue)

    const server = await connection.acquire()
    await server.basicConsume({ queue, noAck: true }, ({ replyTo }) => {
      void server.basicPublish(replyTo ?? '', 'pong')
    })
    const answer = createDeferred<string>()
    const asking = await connection.acquire()
    await asking.basicConsume({ queue: 'amq.rabbitmq.reply-to', noAck: true }, ({ body }) =>
      answer.resolve(String(body)),
    )
    await asking.basicPublish({ routingKey: queue, replyTo: 'amq.rabbitmq.reply-to' }, 'ping')
    const answered = await answer.promise

    const name = 'scenario-rabbitmq-client'
    const told = createDeferred<boolean>()
    const watching = await connection.acquire()
    await watching.queueDeclare({ queue: name, autoDelete: true })
    const { consumerTag: watched } = await watching.basicConsume({ queue: name }, () => {})
    watching.on('basic.cancel', (tag: string) => told.resolve(tag === watched))
    await channel.queueDelete(name)
    const cancelled = await told.promise

    const failing = await connection.acquire()
    const refused = await failing.queueDeclare({ queue: 'nowhere', passive: true }).then(
      () => 'none',
      (error: { code: string }) => error.code,
    )
    await Promise.all([channel, transacted, server, asking, watching].map((one) => one.close()))
    return {
      declared: [messageCount, consumerCount],
      confirmed: true,
      returned: await returned.promise,
      got,
      consumed,
      left,
      transactions: [rolledBack, committed],
      answered,
      refused: refused === 'NOT_FOUND' ? 404 : 0,
      cancelled,
    }
  } finally {
    await connection.close()
  }
}
