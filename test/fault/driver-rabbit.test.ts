import { Connection } from '@hermod/amqp'
import { rabbit, type RabbitOptions } from '@hermod/driver-rabbit'
import { sleep, type JsonValue } from '@hermod/kernel'
import {
  createTransport,
  type CallSendOptions,
  type Destination,
  type IncomingNotification,
  type NotifyOptions,
  type OutgoingRequest,
  type Reply,
  type Transport,
} from '@hermod/messaging'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_SUITE } from './fault-settings.ts'

const gate = needs(findBroker('administer', 'inspect', 'alarm'))
const CALL: CallSendOptions = {
  signal: undefined,
  retries: undefined,
  mandatory: false,
  timeoutMs: 40_000,
  monitorTimeoutMs: undefined,
}
const NOTIFY: NotifyOptions = { signal: undefined, timeoutMs: 40_000, retries: undefined, envelope: '2.0' }

let broker: BrokerFixture
const open: Transport[] = []
let topics = 0

/** A transport that is closed when the test ends. */
function transportOf(options: RabbitOptions = {}, url = broker.url): Transport {
  const factory = rabbit({ options: { retryIntervalMs: 1000, ...options } })
  const transport = createTransport(url.replace('amqp:', 'rabbit:'), { drivers: [factory] })
  open.push(transport)
  return transport
}

const to = (topic: string, more: Partial<Destination> = {}): Destination => ({
  exchange: 'faults',
  topic,
  server: undefined,
  fanout: false,
  ...more,
})

const requestOf = (n: JsonValue): OutgoingRequest => ({
  message: { method: 'test', args: { n } },
  context: {},
  headers: {},
})

/** A server that answers each call with what `answer` makes of its argument, and keeps the arguments. */
async function serveAt(
  transport: Transport,
  topic: string,
  answer: (n: JsonValue) => Promise<JsonValue> | JsonValue,
): Promise<JsonValue[]> {
  const taken: JsonValue[] = []
  await transport.driver.serve(
    { exchange: 'faults', topic, server: 'one' },
    {
      backlog: 100,
      onRequest: (request) => {
        if (request.accept() !== 'accepted') return
        const { n } = request.message['args'] as { readonly n: JsonValue }
        taken.push(n)
        void (async () => request.reply({ result: await answer(n) }))()
      },
    },
  )
  return taken
}

const call = ({ driver }: Transport, topic: string, n: JsonValue): Promise<Reply> =>
  driver.call(to(topic), requestOf(n), CALL)

describe.skipIf(gate.skip)(`the rabbit driver when RabbitMQ fails${gate.note}`, FAULT_SUITE, () => {
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((transport) => transport.close()))
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('ends calls that were under way when every connection is closed, each with its reply', async () => {
    const topic = `calls-${topics++}`
    const [client, server] = [transportOf(), transportOf()]
    await serveAt(server, topic, async (n) => {
      await sleep(500)
      return n
    })
    await call(client, topic, 'warm')
    const calls = Array.from({ length: 50 }, (_, n) => call(client, topic, n))
    await eventually(() => server.stats().received >= 51)
    await broker.closeConnections('a test')
    const replies = await Promise.all(calls)
    expect(replies).toEqual(Array.from({ length: 50 }, (_, result) => ({ result })))
    // Replies come over one connection, and of the other one's end nothing else tells.
    await eventually(() => expect(client.stats().disconnects).toBe(2))
    expect(await call(client, topic, 'after')).toEqual({ result: 'after' })
  })

  it('serves again what a restart of the broker made it forget, fanouts too', async () => {
    const topic = `restart-${topics++}`
    const [client, server] = [transportOf(), transportOf()]
    const taken = await serveAt(server, topic, (n) => n)
    expect(await call(client, topic, 1)).toEqual({ result: 1 })
    await broker.restart()
    // A request that came before the server was back is gone with the queue that nobody had declared.
    client.driver.call(to(topic), requestOf(2), CALL).catch(() => {})
    await eventually(() => server.stats().disconnects >= 2 || client.stats().disconnects >= 2)
    // As long as the broker was away, so long may the next attempt to reach it be ahead.
    await eventually(
      async () => (await broker.queues()).filter(({ consumers }) => consumers === 1).length >= 4,
      { timeoutMs: 60_000 },
    )
    expect(await call(client, topic, 3)).toEqual({ result: 3 })
    await client.driver.cast(to(topic, { fanout: true }), requestOf(4), CALL)
    await client.driver.cast(to(topic, { server: 'one' }), requestOf(5), CALL)
    await eventually(() => taken.includes(4) && taken.includes(5))
  })

  it('sends notifications again whose confirm was lost, and the listener knows the copies', async () => {
    const topic = `notes-${topics++}`
    const [sender, listener] = [transportOf({ durableQueues: true }), transportOf({ durableQueues: true })]
    const source = { exchange: 'durable-faults', topic, priority: 'info' } as const
    const seen: unknown[] = []
    await listener.driver.listen([source], {
      pool: undefined,
      backlog: 50,
      onNotification: (incoming: IncomingNotification) => {
        if (!incoming.duplicate) seen.push(incoming.notification.payload)
        incoming.acknowledge()
      },
    })
    const total = 2000
    const sent = Array.from({ length: total }, (_, payload) =>
      sender.driver.notify(
        source,
        { message: { event_type: 'test', payload, priority: 'INFO' }, context: {}, headers: {} },
        NOTIFY,
      ),
    )
    await eventually(() => seen.length > 100)
    await broker.closeConnections('a test')
    await Promise.all(sent)
    await eventually(() => new Set(seen).size === total, { timeoutMs: 30_000 })
    expect(seen.length).toBe(total)
  })

  // RabbitMQ gives deliveries to nobody when a queue is back before its channel has heard of the end, so often enough.
  it('gets its queues back when somebody deletes them', async () => {
    const topic = `deleted-${topics++}`
    const [client, server] = [transportOf(), transportOf()]
    // Reply queues of the tests before are left to their time-out.
    const before = new Set((await broker.queues()).map(({ name }) => name))
    const taken = await serveAt(server, topic, (n) => n)
    expect(await call(client, topic, 'first')).toEqual({ result: 'first' })
    const all = (await broker.queues()).map(({ name }) => name).filter((name) => !before.has(name))
    const ours = all.filter((name) => name.includes(topic))
    expect([ours.length, all.length]).toEqual([3, 4])
    for (let n = 0; n < 10; n++) {
      for (const name of all) await broker.deleteQueue(name)
      await eventually(async () => {
        const bound = (await broker.bindings()).filter(({ destination }) => ours.includes(destination))
        const queues = await broker.queues()
        const consumed = all.every((name) => queues.find((queue) => queue.name === name)?.consumers === 1)
        return bound.length === 3 && consumed
      })
      expect(await call(client, topic, n)).toEqual({ result: n })
      await client.driver.cast(to(topic, { fanout: true }), requestOf(`all ${n}`), CALL)
      await eventually(() => taken.includes(`all ${n}`))
    }
  })

  it('sends to all again after the last server left and took the exchange with it', async () => {
    const topic = `fanout-${topics++}`
    const [client, first, second] = [transportOf(), transportOf(), transportOf()]
    const everyone = to(topic, { fanout: true })
    await serveAt(first, topic, (n) => n)
    await client.driver.cast(everyone, requestOf(1), CALL)
    await first.close()
    expect((await broker.exchanges()).some(({ name }) => name === `${topic}_fanout`)).toBe(false)
    await client.driver.cast(everyone, requestOf(2), CALL)
    const taken = await serveAt(second, topic, (n) => n)
    await client.driver.cast(everyone, requestOf(3), CALL)
    await eventually(() => taken.includes(3))
    await first.close()
    const left = (await broker.queues()).filter(({ name }) => name.startsWith(`${topic}_fanout_`))
    expect(left.length).toBe(1)
  })

  it('takes exchanges and queues as they are that somebody declared with the other durability', async () => {
    const topic = `mixed-${topics++}`
    const [server, client] = [transportOf(), transportOf({ durableQueues: true })]
    await serveAt(server, topic, (n) => n)
    expect(await call(client, topic, 1)).toEqual({ result: 1 })
    await serveAt(client, topic, (n) => n)
    const source = { exchange: 'faults', topic, priority: 'info' } as const
    const note = { message: { event_type: 'test', payload: 1, priority: 'INFO' }, context: {}, headers: {} }
    await server.driver.notify(source, note, NOTIFY)
    await client.driver.notify(source, note, NOTIFY)
    expect((await broker.queues()).find(({ name }) => name === `${topic}.info`)).toMatchObject({
      messages: 2,
      durable: false,
    })
    const firm = { exchange: 'firm-faults', topic: `${topic}-firm`, server: undefined, fanout: false }
    await client.driver.notify({ ...source, exchange: firm.exchange, topic: firm.topic }, note, NOTIFY)
    await server.driver.cast(firm, requestOf(1), CALL)
    await server.driver.notify({ ...source, exchange: firm.exchange, topic: firm.topic }, note, NOTIFY)
    expect((await broker.queues()).find(({ name }) => name === `${firm.topic}.info`)).toMatchObject({
      messages: 2,
      durable: true,
    })
  })

  it('refuses what the broker would never take, naming it', async () => {
    const topic = `refused-${topics++}`
    await using connection = await Connection.connect(broker.url)
    const channel = await connection.openChannel()
    await channel.declareQueue(`${topic}.info`, { durable: false, arguments: { 'x-max-length': 5 } })
    const transport = transportOf()
    const source = { exchange: 'faults', topic, priority: 'info' } as const
    const note = { message: { event_type: 'test', payload: 1, priority: 'INFO' }, context: {}, headers: {} }
    await expect(transport.driver.notify(source, note, NOTIFY)).rejects.toMatchObject({
      code: 'E_DELIVERY',
      retryable: false,
      message: expect.stringContaining('x-max-length'),
    })
    await expect(
      transport.driver.listen([source], { pool: undefined, backlog: 1, onNotification: () => {} }),
    ).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 406 })
    await channel.deleteQueue(`${topic}.info`)
    await transport.driver.notify(source, note, NOTIFY)
  })

  it('gives up as often as it was told to, and at once over a wrong password', async () => {
    const nobody = transportOf({}, 'amqp://guest:guest@127.0.0.1:1/')
    const once = { ...CALL, retries: 0 }
    await expect(nobody.driver.cast(to('none'), requestOf(1), once)).rejects.toMatchObject({
      code: 'E_DELIVERY',
    })
    await expect(nobody.driver.call(to('none'), requestOf(1), { ...CALL, retries: 1 })).rejects.toMatchObject(
      {
        code: 'E_DELIVERY',
      },
    )
    await expect(
      nobody.driver.call(to('none'), requestOf(1), { ...CALL, timeoutMs: 300 }),
    ).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    const stranger = transportOf({}, broker.urlFor({ password: 'wrong-secret' }))
    const refused = stranger.driver.call(to('none'), requestOf(1), CALL)
    await expect(refused).rejects.toMatchObject({ code: 'E_AUTH' })
    await expect(refused).rejects.not.toThrow('wrong-secret')
    await expect(
      stranger.driver.listen([], { pool: undefined, backlog: 1, onNotification: () => {} }),
    ).rejects.toMatchObject({ code: 'E_AUTH' })
  })

  it('holds what it sends while the broker blocks publishers, and still receives', async () => {
    const topic = `blocked-${topics++}`
    const [client, server] = [transportOf(), transportOf()]
    const reasons: string[] = []
    client.on('blocked', ({ reason }) => reasons.push(reason))
    const taken = await serveAt(server, topic, (n) => n)
    expect(await call(client, topic, 1)).toEqual({ result: 1 })
    await broker.setAlarm('memory', true)
    try {
      // What RabbitMQ blocks a connection over has left already.
      const first = client.driver.cast(to(topic), requestOf('first'), CALL)
      await eventually(() => reasons.length > 0)
      await expect(
        client.driver.call(to(topic), requestOf('too late'), { ...CALL, timeoutMs: 1_000 }),
      ).rejects.toMatchObject({ code: 'E_TIMEOUT' })
      const waiting = client.driver.cast(to(topic), requestOf('in time'), CALL)
      await broker.setAlarm('memory', false)
      await Promise.all([first, waiting])
      await eventually(() => taken.includes('in time'))
    } finally {
      await broker.setAlarm('memory', false)
    }
    expect(await call(client, topic, 2)).toEqual({ result: 2 })
    expect(taken).not.toContain('too late')
  })

  it('closes in good time whatever the broker does', async () => {
    const topic = `closing-${topics++}`
    const [client, server] = [transportOf(), transportOf()]
    await serveAt(server, topic, () => new Promise(() => {}))
    const waiting = call(client, topic, 1)
    waiting.catch(() => {})
    await eventually(() => server.stats().received === 1)
    await broker.stop()
    const beganMs = performance.now()
    await Promise.all([client.close(), server.close()])
    expect(performance.now() - beganMs).toBeLessThan(10_000)
    await expect(waiting).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
    await broker.start()
  })
})
