import { once } from 'node:events'
import { Connection } from '@hermod/amqp'
import { createDeferred, sleep, withDeadline } from '@hermod/kernel'
import {
  contentBytes,
  eventually,
  findRabbitMq,
  needs,
  ScriptedBroker,
  SILENT,
  startRabbitMq,
  type BrokerLink,
  type ReceivedPublish,
} from '@hermod/testkit'
import { Connection as RabbitConnection } from 'rabbitmq-client'
import { describe, expect, it } from 'vitest'
import { documented } from './library.ts'

const LIBRARY = 'rabbitmq-client'
const gate = needs(findRabbitMq())

/** A connection of the library, whose errors are gathered instead of thrown. */
function connectTheirs(options: ConstructorParameters<typeof RabbitConnection>[0]): {
  readonly theirs: RabbitConnection
  readonly errors: Error[]
} {
  const errors: Error[] = []
  const theirs = new RabbitConnection(options)
  theirs.on('error', (error: Error) => void errors.push(error))
  return { theirs, errors }
}

/** A broker that answers requests at once, and confirms them only later if at all, as one does that writes to disk. */
function answeringBroker(later: (() => Promise<unknown>) | undefined): ScriptedBroker {
  const broker = new ScriptedBroker()
  let consumerTag = ''
  broker.on('basic.consume', ({ channel, args }, link) => {
    consumerTag = args.consumerTag || 'replies'
    link.send(channel, 'basic.consume-ok', { consumerTag })
    return SILENT
  })
  const answer = ({ channel, tag, properties }: ReceivedPublish, link: BrokerLink): typeof SILENT => {
    const { correlationId } = properties
    const args = { consumerTag, deliveryTag: tag, redelivered: false, exchange: '', routingKey: 'reply' }
    link.raw(contentBytes(channel, 'basic.deliver', args, { correlationId }, 'pong'))
    void later?.().then(() => link.confirm(channel, tag))
    return SILENT
  }
  broker.onPublish = answer
  return broker
}

describe('beside rabbitmq-client', () => {
  it('rabbitmq-client loses the reply to a request that is confirmed after it; ours has both', async () => {
    {
      await using server = await answeringBroker(() => sleep(50)).listen()
      const { theirs } = connectTheirs(server.url)
      const client = theirs.createRPCClient({ confirm: true, timeout: 500 })
      const reply = client.send('requests', 'ping').then(
        () => 'the reply',
        (error: { readonly code?: string }) => error.code,
      )
      const outcome = await reply
      documented(LIBRARY, () => expect(outcome).toBe('RPC_TIMEOUT'))
      await client.close()
      await theirs.close()
    }
    {
      // The same without confirms, so that it is the order of the two that matters.
      await using server = await answeringBroker(undefined).listen()
      const { theirs } = connectTheirs(server.url)
      const client = theirs.createRPCClient({ timeout: 5_000 })
      expect(String((await client.send('requests', 'ping')).body)).toBe('pong')
      await client.close()
      await theirs.close()
    }
    const reply = createDeferred<string>()
    await using server = await answeringBroker(() => reply.promise).listen()
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel()
    await channel.consume('amq.rabbitmq.reply-to', { noAck: true }, ({ body }) =>
      reply.resolve(body.toString()),
    )
    const properties = { replyTo: 'amq.rabbitmq.reply-to', correlationId: '1' }
    let confirmed = false
    const published = channel.publish('', 'requests', Buffer.from('ping'), { properties })
    void published.then(() => (confirmed = true))
    expect({ reply: await reply.promise, confirmed }).toEqual({ reply: 'pong', confirmed: false })
    await published
  })

  it.skipIf(gate.skip)(
    `rabbitmq-client loses such replies from RabbitMQ as well; ours none${gate.note}`,
    async () => {
      // One in five was lost when this was written: 21 of 97, one after another.
      const MOST_TRIES = 1000
      await using broker = await startRabbitMq()
      const { theirs: server } = connectTheirs(broker.url)
      const responder = server.createConsumer(
        { queue: 'requests', queueOptions: { durable: true } },
        (_, reply) => reply('pong'),
      )
      await once(responder, 'ready')
      {
        const { theirs } = connectTheirs(broker.url)
        const client = theirs.createRPCClient({ confirm: true, timeout: 2_000 })
        let asked = 0
        let lost = false
        while (!lost && asked++ < MOST_TRIES) {
          lost = await client.send({ routingKey: 'requests', durable: true }, 'ping').then(
            () => false,
            (error: { readonly code?: string }) => error.code === 'RPC_TIMEOUT',
          )
        }
        documented(LIBRARY, () => expect(lost).toBe(true))
        await client.close()
        await theirs.close()
      }
      await using ours = await Connection.connect(broker.url)
      const channel = await ours.openChannel()
      let reply = createDeferred<string>()
      await channel.consume('amq.rabbitmq.reply-to', { noAck: true }, ({ properties }) => {
        reply.resolve(properties.correlationId as string)
      })
      for (let id = 1; id <= 200; id++) {
        reply = createDeferred()
        const properties = { replyTo: 'amq.rabbitmq.reply-to', correlationId: `${id}`, deliveryMode: 2 }
        const published = channel.publish('', 'requests', Buffer.from('ping'), { properties })
        expect(await withDeadline(reply.promise, { timeoutMs: 30_000 }, `reply ${id}`)).toBe(`${id}`)
        await published
      }
      await responder.close()
      await server.close()
    },
  )

  it('rabbitmq-client sends and reads frames of the size it asked for; ours of the size agreed upon', async () => {
    const tune = { frameMax: 4096 }
    const body = Buffer.alloc(6000, 'x')
    const mostPayload = 4096 - 8
    {
      const broker = new ScriptedBroker({ tune })
      await using server = await broker.listen()
      const { theirs, errors } = connectTheirs({
        url: server.url,
        frameMax: 8192,
        retryLow: 60_000,
        retryHigh: 60_000,
      })
      const channel = await theirs.acquire()
      await channel.confirmSelect()
      await channel.basicPublish('queue', body)
      expect(broker.link.all('connection.tune-ok')[0]?.args.frameMax).toBe(4096)
      documented(LIBRARY, () => expect(broker.link.publishes[0]?.frames).toEqual([6000]))
      const { consumerTag } = await channel.basicConsume({ queue: 'queue' }, () => {})
      broker.link.deliver(channel.id, consumerTag, 1, body)
      await eventually(() => broker.link.gone)
      await eventually(() => errors.length > 0)
      documented(LIBRARY, () => expect(errors[0]?.message).toMatch(/unexpected AMQP body frame/))
      await theirs.close()
    }
    const broker = new ScriptedBroker({ tune })
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url, { frameMax: 8192 })
    const channel = await ours.openChannel()
    await channel.publish('', 'queue', body)
    expect(broker.link.publishes[0]?.frames).toEqual([mostPayload, 6000 - mostPayload])
    const received = createDeferred<Buffer>()
    const { consumerTag } = await channel.consume('queue', {}, (message) => received.resolve(message.body))
    broker.link.deliver(channel.number, consumerTag, 1, body)
    expect(await received.promise).toEqual(body)
  })

  it('rabbitmq-client fills a body frame 8 bytes above the agreed size; ours does not', async () => {
    const body = Buffer.alloc(20_000, 'x')
    const tune = { frameMax: 8192 }
    {
      const broker = new ScriptedBroker({ tune })
      await using server = await broker.listen()
      const { theirs } = connectTheirs({ url: server.url, frameMax: 8192 })
      const channel = await theirs.acquire()
      await channel.confirmSelect()
      await channel.basicPublish('queue', body)
      documented(LIBRARY, () => expect(broker.link.publishes[0]?.frames[0]).toBe(8192))
      await channel.close()
      await theirs.close()
    }
    const broker = new ScriptedBroker({ tune })
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel()
    await channel.publish('', 'queue', body)
    expect(broker.link.publishes[0]?.frames[0]).toBe(8192 - 8)
  })

  it('rabbitmq-client breaks off when a broker does not fill its body frames; ours reads them', async () => {
    // The scripted broker writes bodies in frames of 4 KiB, whatever was agreed upon.
    const body = Buffer.alloc(6000, 'x')
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      const { theirs, errors } = connectTheirs({ url: server.url, retryLow: 60_000, retryHigh: 60_000 })
      const channel = await theirs.acquire()
      const { consumerTag } = await channel.basicConsume({ queue: 'queue' }, () => {})
      broker.link.deliver(channel.id, consumerTag, 1, body)
      await eventually(() => broker.link.gone && errors.length > 0)
      documented(LIBRARY, () => expect(errors[0]?.message).toMatch(/unexpected AMQP body frame/))
      await theirs.close()
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel()
    const received = createDeferred<Buffer>()
    const { consumerTag } = await channel.consume('queue', {}, (message) => received.resolve(message.body))
    broker.link.deliver(channel.number, consumerTag, 1, body)
    expect(await received.promise).toEqual(body)
  })

  it('rabbitmq-client logs in with an empty name where the URL has none; ours as guest', async () => {
    const response = async (connect: (url: string) => Promise<() => Promise<void>>): Promise<string> => {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      const close = await connect(`amqp://127.0.0.1:${server.port}`)
      await broker.linked(0)
      const { args } = await broker.link.method('connection.start-ok')
      await close()
      return args.response.toString()
    }
    const theirResponse = await response((url) => {
      const { theirs } = connectTheirs(url)
      return Promise.resolve(() => theirs.close())
    })
    documented(LIBRARY, () => expect(theirResponse).toBe('\0\0'))
    const ourResponse = await response(async (url) => {
      const ours = await Connection.connect(url)
      return () => ours.close()
    })
    expect(ourResponse).toBe('\0guest\0guest')
  })

  it('rabbitmq-client does not consume again while one handler hangs; ours does', async () => {
    const hang = new Promise<void>(() => {})
    const consumes = (link: BrokerLink, queue: string): boolean =>
      link.all('basic.consume').some(({ args }) => args.queue === queue)
    const deliverTo = (link: BrokerLink, queue: string, consumerTag: string): void => {
      const consume = link.all('basic.consume').find(({ args }) => args.queue === queue)
      link.deliver(consume?.channel as number, consumerTag, 1)
    }
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      const { theirs } = connectTheirs({ url: server.url, retryLow: 10, retryHigh: 50 })
      let started = 0
      const hanging = theirs.createConsumer({ queue: 'hanging' }, () => {
        started++
        return hang
      })
      const idle = theirs.createConsumer({ queue: 'idle' }, () => {})
      hanging.on('error', () => {})
      idle.on('error', () => {})
      const first = await broker.linked(0)
      await once(hanging, 'ready')
      deliverTo(first, 'hanging', hanging.consumerTag)
      await eventually(() => started === 1)
      server.reset()
      const second = await broker.linked(1)
      await eventually(() => consumes(second, 'idle'))
      // Twenty times as long as the longest delay between two of its attempts.
      await sleep(1000)
      documented(LIBRARY, () => expect(consumes(second, 'hanging')).toBe(false))
      // close() would wait for the handler too.
      server.reset()
      void theirs.close()
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url, { reconnect: { initialMs: 10, maxMs: 50 } })
    const channel = await ours.openChannel()
    let started = 0
    const subscription = await channel.consume('hanging', {}, () => {
      started++
      void hang
    })
    deliverTo(broker.link, 'hanging', subscription.consumerTag)
    await eventually(() => started === 1)
    server.reset()
    const second = await broker.linked(1)
    await eventually(() => consumes(second, 'hanging'))
    await eventually(() => ours.state === 'open')
    deliverTo(second, 'hanging', subscription.consumerTag)
    await eventually(() => started === 2)
  })
})
