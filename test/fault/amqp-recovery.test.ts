import { Connection, type ConnectionEvents, type Message } from '@hermod/amqp'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_ROUNDS, FAULT_SUITE } from './fault-settings.ts'
import { expectInvariants } from './load-invariants.ts'
import { IN_ORDER, startLoad } from './load.ts'

const gate = needs(findBroker('administer', 'inspect', 'alarm'))
const lasting = needs(findBroker('durable'))
const PERSISTENT = { deliveryMode: 2 }
const OPTIONS = { reconnect: { initialMs: 50, maxMs: 500 } }

/** Resolves with the next event of a kind. */
const next = <Name extends keyof ConnectionEvents>(
  connection: Connection,
  name: Name,
): Promise<ConnectionEvents[Name]> =>
  new Promise((resolve) => {
    const listener = (event: ConnectionEvents[Name]): void => {
      connection.off(name, listener)
      resolve(event)
    }
    connection.on(name, listener)
  })

describe.skipIf(gate.skip)(`the AMQP client when RabbitMQ fails${gate.note}`, FAULT_SUITE, () => {
  let broker: BrokerFixture
  const killed = Array.from({ length: FAULT_ROUNDS }, (_, round) => `killed ${round}`)
  const uncertain = Array.from({ length: FAULT_ROUNDS }, (_, round) => `uncertain ${round}`)
  beforeAll(async () => {
    broker = await startBroker()
    await using connection = await Connection.connect(broker.url)
    const channel = await connection.openChannel()
    for (const queue of killed) await channel.declareQueue(queue, IN_ORDER)
    for (const queue of uncertain) await channel.declareQueue(queue)
    await connection.close()
    // RabbitMQ 3.10 forgets a durable queue, and all that it holds, when it is killed within moments of the
    // declaration, confirmed messages or not. What is to survive a kill is declared before an orderly restart.
    await broker.restart()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it.skipIf(lasting.skip)(
    'loses no confirmed message, leaves no gap and no open promise when it is killed under load',
    async () => {
      await using load = await startLoad({
        queue: killed.pop() as string,
        publishTo: broker.url,
        connection: OPTIONS,
      })
      for (const [at, share] of [0.25, 0.6].entries()) {
        await load.reaches(share)
        await broker.kill()
        await eventually(() => [load.publisher, load.reader].every(({ state }) => state === 'reconnecting'))
        await eventually(() => expect(load.openPublishes).toBeGreaterThan(0))
        await broker.start()
        await load.goesOn()
        expect([load.publisher, load.reader].map((one) => one.stats().reconnects)).toEqual([at + 1, at + 1])
      }
      await expectInvariants(load, { broker, forgetsMarks: true })
    },
  )

  it.skipIf(lasting.skip)(
    'says of each publish without resend what became of it, and is never wrong about a confirmed one',
    async () => {
      const queue = uncertain.pop() as string
      const connection = await Connection.connect(broker.url, OPTIONS)
      const channel = await connection.openChannel()
      const sent = Array.from({ length: 3000 }, (_, at) =>
        channel.publish('', queue, Buffer.from(`${at}`), { properties: PERSISTENT }),
      )
      await sent[500]
      await broker.kill()
      await broker.start()
      const fates = await Promise.allSettled(sent)
      const codes = new Set(
        fates.flatMap((fate) => (fate.status === 'rejected' ? [(fate.reason as { code: string }).code] : [])),
      )
      expect([...codes]).toEqual(['E_UNCERTAIN'])
      const stored = new Set<number>()
      for (;;) {
        const message = await channel.get(queue, { noAck: true })
        if (message === undefined) break
        expect(stored.has(Number(message.body))).toBe(false)
        stored.add(Number(message.body))
      }
      const missing = fates.flatMap(({ status }, at) =>
        status === 'fulfilled' && !stored.has(at) ? [at] : [],
      )
      expect(missing).toEqual([])
      await channel.deleteQueue(queue)
      await connection.close()
    },
  )

  it('comes back with its exclusive and server-named queues, bindings and consumers', async () => {
    const connection = await Connection.connect(broker.url, OPTIONS)
    const channel = await connection.openChannel()
    await channel.declareExchange('passing', 'topic', { durable: false })
    const { queue } = await channel.declareQueue('', { durable: false, exclusive: true })
    await channel.bindQueue(queue, 'passing', 'a.#')
    const seen: string[] = []
    const subscription = await channel.consume(queue, {}, (message) => {
      seen.push(String(message.body))
      message.ack()
    })
    const restored = next(connection, 'restored')
    // Of one that was closed RabbitMQ may know for a moment longer.
    await eventually(async () => expect(await broker.connections()).toHaveLength(1))
    expect(await broker.closeConnections('tidying up')).toBe(1)
    expect((await restored).awayMs).toBeGreaterThan(0)
    await broker.restart()
    await eventually(() => connection.stats().reconnects >= 2, { timeoutMs: 30_000 })
    await channel.publish('passing', 'a.b', Buffer.from('after'), { mandatory: true })
    await eventually(() => seen.length === 1)
    expect(seen).toEqual(['after'])
    expect(subscription.queue).not.toBe(queue)
    expect((await broker.queues()).filter(({ exclusive }) => exclusive).map(({ name }) => name)).toEqual([
      subscription.queue,
    ])
    await connection.close()
  })

  it('heals one channel while the others work, and touches nothing with acks of before', async () => {
    const connection = await Connection.connect(broker.url, OPTIONS)
    const [faulty, steady] = [await connection.openChannel(), await connection.openChannel()]
    await faulty.declareQueue('shared', { exclusive: true })
    const held: Message[] = []
    await faulty.consume('shared', { prefetchCount: 10 }, (message) => held.push(message))
    const bodies = Array.from({ length: 10 }, (_, at) => `${at}`)
    for (const body of bodies) await steady.publish('', 'shared', Buffer.from(body))
    await eventually(() => held.length === 10)
    const work = Promise.all(
      Array.from({ length: 2000 }, () => steady.publish('', 'nowhere', Buffer.from('x'))),
    )
    await expect(faulty.bindQueue('shared', 'no.exchange', '')).rejects.toMatchObject({ replyCode: 404 })
    await work
    await eventually(() => held.length === 20)
    for (const message of held.slice(0, 10)) expect(message.ack()).toBe(false)
    for (const message of held.slice(10)) expect(message.redelivered && message.ack()).toBe(true)
    await eventually(async () => (await connection.queueStatus('shared'))?.messageCount === 0)
    expect(held.slice(10).map(({ body }) => String(body))).toEqual(bodies)
    expect(connection.stats()).toMatchObject({ reconnects: 0, staleSettles: 10, publishesFailed: 0 })
    await connection.close()
  })

  it('consumes again from a queue that was deleted, anew or when it is back', async () => {
    const connection = await Connection.connect(broker.url, OPTIONS)
    const owner = await Connection.connect(broker.url, OPTIONS)
    const channel = await connection.openChannel()
    const theirs = await owner.openChannel({ recover: false })
    await channel.declareQueue('mine')
    await theirs.declareQueue('theirs')
    const seen: string[] = []
    const take = (message: Message): void => {
      seen.push(String(message.body))
      message.ack()
    }
    await channel.consume('mine', {}, take)
    await channel.consume('theirs', {}, take)
    for (const queue of ['mine', 'theirs']) {
      const cancelled = next(connection, 'consumer-cancelled')
      await broker.deleteQueue(queue)
      expect(await cancelled).toEqual({ queue })
    }
    await eventually(async () => (await connection.queueStatus('mine'))?.consumerCount === 1)
    expect(await connection.queueStatus('theirs')).toBeUndefined()
    await theirs.declareQueue('theirs')
    await eventually(async () => (await connection.queueStatus('theirs'))?.consumerCount === 1)
    for (const queue of ['mine', 'theirs'])
      await channel.publish('', queue, Buffer.from(queue), { mandatory: true })
    await eventually(() => seen.length === 2)
    expect(seen.toSorted()).toEqual(['mine', 'theirs'])
    for (const queue of ['mine', 'theirs']) await channel.deleteQueue(queue)
    await Promise.all([connection.close(), owner.close()])
  })

  it('settles nothing in a new queue with the messages of a deleted one of the same name', async () => {
    await using connection = await Connection.connect(broker.url, OPTIONS)
    const [channel, output] = [await connection.openChannel(), await connection.openChannel()]
    await channel.declareQueue('again')
    const seen: Message[] = []
    const publish = async (...bodies: string[]): Promise<void> => {
      for (const body of bodies) await output.publish('', 'again', Buffer.from(body))
    }
    await publish('a', 'b', 'c', 'd')
    await channel.consume('again', {}, (message) => seen.push(message))
    await eventually(() => seen.length === 4)
    expect(seen[1]?.ack()).toBe(true)
    await broker.deleteQueue('again')
    await eventually(async () => (await connection.queueStatus('again'))?.consumerCount === 1)
    await publish('e', 'f', 'g')
    await eventually(() => seen.length === 7)
    for (const old of [0, 2, 3]) expect(seen[old]?.ack()).toBe(false)
    expect(seen[5]?.ack()).toBe(true)
    await eventually(async () => {
      const unsettled = (await broker.queues()).find(({ name }) => name === 'again')?.messagesUnacknowledged
      expect(unsettled).toBe(2)
    })
    expect(channel.unsettled).toBe(2)
    connection.abort()
    await using other = await Connection.connect(broker.url)
    const left = await other.openChannel()
    await eventually(async () => (await other.queueStatus('again'))?.messageCount === 2)
    const bodies = [await left.get('again', { noAck: true }), await left.get('again', { noAck: true })]
    expect(bodies.map((message) => String(message?.body))).toEqual(['e', 'g'])
    await left.deleteQueue('again')
  })

  it('waits while a memory alarm is on, says so, and goes on; close does not wait for it', async () => {
    const connection = await Connection.connect(broker.url, OPTIONS)
    const doomed = await Connection.connect(broker.url, OPTIONS)
    const [channel, given] = [await connection.openChannel(), await doomed.openChannel()]
    await channel.declareQueue('held')
    await broker.setAlarm('memory', true)
    const blocked = Promise.all([next(connection, 'blocked'), next(doomed, 'blocked')])
    // RabbitMQ says so only to those who publish.
    const sent = [channel.publish('', 'held', Buffer.from('1'))]
    const lost = given.publish('', 'held', Buffer.from('of the other'))
    lost.catch(() => {})
    expect((await blocked)[0].reason).toMatch(/memory/)
    expect(connection.state).toBe('blocked')
    sent.push(channel.publish('', 'held', Buffer.from('2')), channel.publish('', 'held', Buffer.from('3')))
    await expect(channel.publish('', 'held', Buffer.from('never'), { timeoutMs: 200 })).rejects.toMatchObject(
      { code: 'E_TIMEOUT' },
    )
    const startMs = performance.now()
    await doomed.close()
    // Five seconds it waits for the answer of a broker that reads nothing.
    expect(performance.now() - startMs).toBeLessThan(20_000)
    await broker.setAlarm('memory', false)
    await Promise.all(sent)
    expect(connection.state).toBe('open')
    const bodies: string[] = []
    for (;;) {
      const message = await channel.get('held', { noAck: true })
      if (message === undefined) break
      bodies.push(String(message.body))
    }
    expect(bodies.filter((body) => body !== 'of the other')).toEqual(['1', '2', '3'])
    await channel.deleteQueue('held')
    await connection.close()
  })
})
