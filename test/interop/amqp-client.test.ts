import { Connection, TypedField, type Channel, type Message } from '@hermod/amqp'
import { createDeferred } from '@hermod/kernel'
import { eventually, findPython, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('inspect'), findPython(['pika']))

describe.skipIf(gate.skip)(`the AMQP client with RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let connection: Connection
  let channel: Channel
  let queues = 0
  let queue: string

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    connection = await Connection.connect(broker.url, { name: 'interop' })
    channel = await connection.openChannel()
    queue = `q${++queues}`
  })
  afterEach(() => connection.close())

  const publish = (body: string, routingKey = queue): Promise<void> =>
    channel.publish('', routingKey, Buffer.from(body), { mandatory: true })
  const take = async (name = queue): Promise<string[]> => {
    const bodies: string[] = []
    for (;;) {
      const message = await channel.get(name, { noAck: true })
      if (message === undefined) return bodies
      bodies.push(String(message.body))
    }
  }

  it('is known by its name', async () => {
    expect(connection.server).toMatchObject({
      product: expect.stringMatching(/^(?:RabbitMQ|Hermod)$/) as string,
      virtualHost: '/',
    })
    const [facts] = await broker.connections()
    expect(facts).toMatchObject({ state: 'running', user: 'guest' })
    expect(facts?.clientProperties).toMatchObject({ connection_name: 'interop', product: 'Hermod' })
  })

  it('declares, binds, counts, gets, purges, unbinds and deletes', async () => {
    await channel.declareExchange('x', 'topic', { durable: false })
    const declared = await channel.declareQueue(queue, {
      exclusive: true,
      arguments: { 'x-max-length': 10, 'x-message-ttl': TypedField.int64(60_000) },
    })
    expect(declared).toEqual({ queue, messageCount: 0, consumerCount: 0 })
    await channel.bindQueue(queue, 'x', 'a.*')
    for (const key of ['a.b', 'a.c', 'b.a']) await channel.publish('x', key, Buffer.from(key))
    expect(await connection.queueStatus(queue)).toEqual({ queue, messageCount: 2, consumerCount: 0 })
    expect(await connection.queueStatus('nowhere')).toBeUndefined()
    expect(await connection.exchangeExists('x')).toBe(true)
    expect(await connection.exchangeExists('nowhere')).toBe(false)
    const message = (await channel.get(queue)) as Message
    expect(message).toMatchObject({ exchange: 'x', routingKey: 'a.b', redelivered: false, state: 'received' })
    expect(message.ack()).toBe(true)
    expect(await channel.purgeQueue(queue)).toBe(1)
    await channel.unbindQueue(queue, 'x', 'a.*')
    const unroutable = channel.publish('x', 'a.b', Buffer.from('nobody'), { mandatory: true })
    await expect(unroutable).rejects.toMatchObject({
      code: 'E_UNROUTABLE',
      details: { replyText: 'NO_ROUTE' },
    })
    await publish('one')
    expect(await channel.deleteQueue(queue)).toBe(1)
    await channel.deleteExchange('x')
    expect(await connection.exchangeExists('x')).toBe(false)
    // That of the question was closed by the broker, which waits for our agreement.
    await eventually(async () => (await broker.connections())[0]?.channels === 1)
  })

  it.each([
    { type: 'direct', binding: 'k', arguments: {}, hits: ['k'], misses: ['K'] },
    { type: 'fanout', binding: '', arguments: {}, hits: ['k', ''], misses: [] },
    { type: 'topic', binding: 'a.*.#', arguments: {}, hits: ['a.b', 'a.b.c'], misses: ['a'] },
    { type: 'headers', binding: '', arguments: { 'x-match': 'all', kind: 'h' }, hits: ['any'], misses: [] },
  ])(
    'routes by $type, through a second exchange too',
    async ({ type, binding, arguments: args, hits, misses }) => {
      const [first, second] = [`${type}-1`, `${type}-2`]
      await channel.declareExchange(first, 'fanout', { durable: false, autoDelete: true })
      await channel.declareExchange(second, type, { durable: false, autoDelete: true, internal: true })
      await channel.bindExchange(second, first, '')
      await channel.declareQueue(queue, { exclusive: true })
      await channel.bindQueue(queue, second, binding, { arguments: args })
      const properties = { headers: { kind: 'h' } }
      for (const key of [...hits, ...misses])
        await channel.publish(first, key, Buffer.from(key), { properties })
      expect(await take()).toEqual(hits)
      await channel.unbindExchange(second, first, '')
    },
  )

  it('passes the words of RabbitMQ on, and goes on after each', async () => {
    await channel.declareQueue(queue, { durable: false })
    const other = await Connection.connect(broker.url)
    const foreign = await other.openChannel()
    await foreign.declareQueue(`${queue}.locked`, { exclusive: true })
    const cases: [() => Promise<unknown>, number, string, string][] = [
      [
        () => channel.bindQueue(queue, 'no.exchange', ''),
        404,
        'queue.bind',
        "no exchange 'no.exchange' in vhost '/'",
      ],
      [
        () => channel.consume('no.queue', {}, () => {}),
        404,
        'basic.consume',
        "no queue 'no.queue' in vhost '/'",
      ],
      [() => channel.get('no.queue'), 404, 'basic.get', "no queue 'no.queue'"],
      [
        () => channel.publish('no.exchange', '', Buffer.from('x')),
        404,
        'basic.publish',
        "no exchange 'no.exchange'",
      ],
      [() => channel.declareQueue(queue), 406, 'queue.declare', "inequivalent arg 'durable'"],
      [
        () => channel.declareExchange('amq.topic', 'direct'),
        406,
        'exchange.declare',
        "inequivalent arg 'type'",
      ],
      [
        () =>
          channel.deleteQueue(queue, { ifEmpty: true }).then(() => channel.deleteQueue(`${queue}.locked`)),
        405,
        'queue.delete',
        'cannot obtain exclusive access to locked queue',
      ],
      [() => channel.declareQueue('amq.mine'), 403, 'queue.declare', "contains reserved prefix 'amq.*'"],
      [
        () => channel.bindQueue(queue, '', 'k'),
        403,
        'queue.bind',
        'operation not permitted on the default exchange',
      ],
    ]
    for (const [attempt, replyCode, method, words] of cases) {
      const error = await attempt().then(
        () => new TypeError(`${method} succeeded`),
        (reason: unknown) => reason as Error,
      )
      expect(error).toMatchObject({ code: 'E_CHANNEL', replyCode, method, retryable: false })
      expect(error.message).toContain(words)
    }
    await channel.declareQueue(queue, { exclusive: true })
    await publish('still here')
    expect(await take()).toEqual(['still here'])
    expect(connection.stats().reconnects).toBe(0)
    await other.close()
  })

  it('refuses a wrong password and a wrong virtual host in one line without the password', async () => {
    for (const [login, code] of [
      [{ password: 'hunter2' }, 'E_AUTH'],
      [{ vhost: 'no/where' }, 'E_ACCESS'],
    ] as const) {
      const error = await Connection.connect(broker.urlFor(login)).then(
        () => new TypeError('it connected'),
        (reason: unknown) => reason as Error,
      )
      expect(error).toMatchObject({ code, retryable: false })
      expect(error.message).not.toMatch(/hunter2|\n/)
    }
    const plain = await Connection.connect(broker.url, {
      mechanism: 'AMQPLAIN',
      frameMax: 4096,
      channelMax: 2,
    })
    await plain.close()
  })

  it('takes one message at a time when told so, in order', async () => {
    await channel.declareQueue(queue, { exclusive: true })
    await Promise.all(Array.from({ length: 20 }, (_, at) => publish(String(at))))
    const seen: Message[] = []
    let open = 0
    let most = 0
    const subscription = await channel.consume(queue, { prefetchCount: 1 }, (message) => {
      most = Math.max(most, ++open)
      setImmediate(() => {
        open--
        seen.push(message)
        message.ack()
      })
    })
    await eventually(() => seen.length === 20)
    expect(most).toBe(1)
    expect(seen.map(({ body }) => String(body))).toEqual(Array.from({ length: 20 }, (_, at) => String(at)))
    await subscription.cancel()
    expect((await connection.queueStatus(queue))?.consumerCount).toBe(0)
  })

  it('needs no ack where none is wanted, and reserves a queue where that is wanted', async () => {
    await channel.declareQueue(queue)
    await Promise.all(['a', 'b', 'c'].map((body) => publish(body)))
    const seen: string[] = []
    const options = { noAck: true, exclusive: true }
    await channel.consume(queue, options, ({ body }) => seen.push(String(body)))
    await eventually(() => seen.length === 3)
    const second = await connection.openChannel()
    await expect(second.consume(queue, {}, () => {})).rejects.toMatchObject({
      replyCode: 403,
      replyText: expect.stringContaining('in exclusive use') as string,
    })
    await channel.close()
    expect(await second.deleteQueue(queue)).toBe(0)
    channel = second
  })

  it('requeues, rejects and dead-letters', async () => {
    await channel.declareExchange('dlx', 'fanout', { durable: false, autoDelete: true })
    await channel.declareQueue(`${queue}.dead`, { exclusive: true })
    await channel.bindQueue(`${queue}.dead`, 'dlx', '')
    await channel.declareQueue(queue, { exclusive: true, arguments: { 'x-dead-letter-exchange': 'dlx' } })
    await publish('body')
    const first = (await channel.get(queue)) as Message
    expect(first.redelivered).toBe(false)
    first.requeue()
    const second = (await channel.get(queue)) as Message
    expect(second.redelivered).toBe(true)
    second.reject()
    const dead = await eventually(async () => (await channel.get(`${queue}.dead`)) ?? false)
    expect(dead.properties.headers?.['x-death']).toMatchObject([{ queue, reason: 'rejected', count: 1 }])
    expect(String(dead.body)).toBe('body')
  })

  it('carries every header type and property there and back', async () => {
    await channel.declareQueue(queue, { exclusive: true })
    const properties = {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm ☃',
      timestamp: new Date(1_700_000_000_000),
      type: 't',
      userId: 'guest',
      appId: 'a',
      headers: {
        yes: true,
        small: -5,
        large: 2 ** 40,
        huge: 2n ** 62n,
        fraction: 0.1,
        text: 'ünï',
        bytes: Buffer.from([0, 255]),
        moment: new Date(1_600_000_000_000),
        nothing: null,
        list: [1, 'two', [3.5, { deep: false }]],
        table: { a: { b: 'c' } },
        byte: TypedField.int8(-1),
        decimal: TypedField.decimal(2, 1999),
      },
    }
    await channel.publish('', queue, Buffer.from('{}'), { properties })
    const message = (await channel.get(queue)) as Message
    const { headers, ...rest } = message.properties
    const { headers: sent, ...expected } = properties
    expect(rest).toEqual(expected)
    expect(headers).toMatchObject({ ...sent, byte: -1, decimal: { kind: 'decimal', value: 1999, scale: 2 } })
  })

  it.each([4096, 131_072])('carries bodies of any size in frames of %i bytes', async (frameMax) => {
    const narrow = await Connection.connect(broker.url, { frameMax })
    const own = await narrow.openChannel()
    await own.declareQueue(queue, { exclusive: true })
    const sizes = [0, 1, frameMax - 8, frameMax - 7, 2 * (frameMax - 8), 5 * 1024 * 1024]
    const bodies = sizes.map((size) =>
      Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 9)) & 255)),
    )
    await Promise.all(bodies.map((body) => own.publish('', queue, body)))
    for (const body of bodies) expect((await own.get(queue, { noAck: true }))?.body.equals(body)).toBe(true)
    await narrow.close()
  })

  it('confirms 100 000 messages and hands each over exactly once, in order', async () => {
    const COUNT = 100_000
    await channel.declareQueue(queue, { exclusive: true })
    const sent: Promise<void>[] = []
    for (let at = 0; at < COUNT; at++) sent.push(channel.publish('', queue, Buffer.from(`${at}`)))
    await Promise.all(sent)
    let next = 0
    let outOfOrder = 0
    await channel.consume(queue, {}, (message) => {
      if (Number(message.body) !== next || message.redelivered) outOfOrder++
      next++
      message.ack()
    })
    await eventually(() => next >= COUNT, { timeoutMs: 60_000 })
    expect(next).toBe(COUNT)
    expect(outOfOrder).toBe(0)
    await eventually(async () => {
      const [facts] = (await broker.queues()).filter(({ name }) => name === queue)
      return facts?.messages === 0
    })
    expect(connection.stats()).toMatchObject({ reconnects: 0, publishesFailed: 0, staleSettles: 0 })
  })

  it('is understood by pika, and understands it', async () => {
    await using pika = startPeer('pika_get')
    await using sender = startPeer('pika_publish')
    await channel.declareQueue(queue, { autoDelete: true })
    const headers = { n: -7, big: 2n ** 60n, text: 'ünï', list: [true, null], nested: { no: false } } // no fractions, which pika cuts to integers
    const properties = {
      contentType: 'text/plain',
      correlationId: 'c',
      priority: 4,
      deliveryMode: 1,
      headers,
    }
    await channel.publish('', queue, Buffer.from('from Hermod'), { properties })
    const { message } = await pika.ask({ url: broker.url, queue })
    expect(message).toMatchObject({
      routing_key: queue,
      body_base64: Buffer.from('from Hermod').toString('base64'),
      properties: {
        content_type: 'text/plain',
        correlation_id: 'c',
        priority: 4,
        delivery_mode: 1,
        headers: {
          n: -7,
          big: { $int: String(2n ** 60n) },
          text: 'ünï',
          list: [true, null],
          nested: { no: false },
        },
      },
    })
    const arrived = createDeferred<Message>()
    const subscription = await channel.consume(queue, {}, (delivered) => {
      delivered.ack()
      arrived.resolve(delivered)
    })
    await sender.ask({
      url: broker.url,
      exchange: '',
      routing_key: queue,
      body_base64: Buffer.from('from pika').toString('base64'),
      properties: {
        content_type: 'text/x',
        message_id: 'm',
        timestamp: 1_700_000_000,
        headers: { a: 1, b: ['x'] },
      },
    })
    const received = await arrived.promise
    expect(String(received.body)).toBe('from pika')
    expect(received.properties).toEqual({
      contentType: 'text/x',
      messageId: 'm',
      timestamp: new Date(1_700_000_000_000),
      headers: { a: 1, b: ['x'] },
    })
    await subscription.cancel()
  })
})
