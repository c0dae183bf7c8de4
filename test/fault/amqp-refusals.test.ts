import { Connection, type Channel, type ConnectionStatus } from '@hermod/amqp'
import {
  eventually,
  findBroker,
  needs,
  startFaultProxy,
  startBroker,
  type BrokerFixture,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FAULT_SUITE } from './fault-settings.ts'
import type { Lane } from './lane.ts'
import { expectInvariants } from './load-invariants.ts'
import { IN_ORDER, startLoad, type Load } from './load.ts'

const gate = needs(findBroker('administer', 'inspect', 'alarm'))

describe.skipIf(gate.skip)(`the AMQP client when RabbitMQ says no${gate.note}`, FAULT_SUITE, () => {
  let broker: BrokerFixture
  let operator: Connection
  let queue: string
  let rounds = 0
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async ({ task }) => {
    queue = `${task.name} ${rounds++}`
    operator = await Connection.connect(broker.url)
    await (await operator.openChannel()).declareQueue(queue, IN_ORDER)
  })
  afterEach(async () => {
    await operator.close()
    await broker.deleteQueue(queue)
  })

  it('heals the channels of a load that the broker closes, and lets none of them suffer for another', async () => {
    await using load = await startLoad({ queue, publishTo: broker.url })
    const strangers = [await load.publisher.openChannel(), await load.reader.openChannel()]
    const numbers = (): number[] => [load.again, load.single, load.input].map(({ number }) => number)
    const before = numbers()
    for (const share of [0.1, 0.2, 0.3, 0.4]) {
      await load.reaches(share)
      for (const stranger of strangers) {
        await expect(stranger.bindQueue(queue, 'no.exchange', '')).rejects.toMatchObject({ replyCode: 404 })
        await expect(stranger.declareQueue(queue, { durable: false })).rejects.toMatchObject({
          replyCode: 406,
        })
      }
    }
    expect(numbers()).toEqual(before)
    for (const share of [0.5, 0.6, 0.7, 0.8]) {
      await load.reaches(share)
      for (const channel of [load.again, load.single, load.input])
        await expect(channel.bindQueue(queue, 'no.exchange', '')).rejects.toMatchObject({ replyCode: 404 })
      await load.goesOn()
    }
    expect([load.publisher, load.reader].map((connection) => connection.stats())).toMatchObject([
      { reconnects: 0, channelErrors: 16 },
      { reconnects: 0, channelErrors: 12 },
    ])
    await expectInvariants(load, { broker, channelErrors: [404, 406] })
  })

  type Lost = (lane: Lane, number: number) => boolean

  /**
   * Deletes the queue of a load. What is in it then goes with it: nothing that has come before, as what comes afterwards
   * may be from the next queue of that name; nothing that is published later.
   */
  async function deleteUnder(load: Load, channel: Channel): Promise<Lost> {
    const lanes = [load.resent, load.once]
    const arrived = new Map(lanes.map((lane) => [lane, lane.highest]))
    await channel.deleteQueue(queue)
    const published = new Map(lanes.map((lane) => [lane, lane.taken]))
    return (lane, number) =>
      number > (arrived.get(lane) as number) && number < (published.get(lane) as number)
  }

  // RabbitMQ nacks what it had routed to the queue when that was deleted.
  const REFUSED = ['E_UNROUTABLE', 'E_NACKED']
  const WITHOUT_QUEUE = { resent: REFUSED, once: REFUSED }

  it.each(['own', 'foreign'] as const)(
    'consumes again from its %s queue whenever that is deleted',
    async (whose) => {
      await using load = await startLoad({ queue, publishTo: broker.url, mandatory: true })
      if (whose === 'own') await load.input.declareQueue(queue, IN_ORDER)
      const channel = await operator.openChannel()
      const lost: Lost[] = []
      for (const [at, share] of [0.2, 0.4, 0.6, 0.8].entries()) {
        await load.reaches(share)
        lost.push(await deleteUnder(load, channel))
        await eventually(() => count(load.consumed, 'consumer-cancelled') === at + 1)
        if (whose === 'foreign') await channel.declareQueue(queue, IN_ORDER)
        await load.goesOn()
      }
      expect(load.reader.stats()).toMatchObject({ reconnects: 0, channelErrors: 0 })
      const mayMiss: Lost = (lane, number) => lost.some((one) => one(lane, number))
      await expectInvariants(load, { broker, failures: WITHOUT_QUEUE, mayMiss })
    },
  )

  it('consumes from its queue as somebody else declared it anew, and says so once', async () => {
    // The other one declares it when the reader has heard of the end, and before the reader's own word comes. Where
    // a queue is back before RabbitMQ has told the reader, it may move the consumer to the new one without a word, and
    // then at times deliver nothing to it.
    await using proxy = await startFaultProxy(broker)
    const consumeFrom = proxy.urlFor(broker.url)
    await using load = await startLoad({ queue, publishTo: broker.url, consumeFrom, mandatory: true })
    await load.input.declareQueue(queue, IN_ORDER)
    const channel = await operator.openChannel()
    await load.reaches(0.3)
    const other = { arguments: { ...IN_ORDER.arguments, 'x-max-length': 1_000_000 } }
    const held = proxy.pause('to-broker')
    const mayMiss = await deleteUnder(load, channel)
    await eventually(() => count(load.consumed, 'consumer-cancelled') > 0)
    await channel.declareQueue(queue, other)
    held.heal()
    await load.goesOn()
    const refused = (): unknown[] => load.consumed.filter(({ type }) => type === 'topology-error')
    await eventually(() => refused().length > 0)
    await expectInvariants(load, { broker, failures: WITHOUT_QUEUE, mayMiss })
    expect(refused()).toMatchObject([{ what: `queue '${queue}'`, error: { replyCode: 406 } }])
  })

  it('says what it cannot declare again after a reconnect, once each time, and restores the rest', async () => {
    const proxy = await startFaultProxy(broker)
    const url = proxy.urlFor(broker.url)
    const theirs = await operator.openChannel()
    await using load = await startLoad({ queue, publishTo: url })
    const statuses: ConnectionStatus[] = []
    await using other = await Connection.connect(url, {
      reconnect: { initialMs: 20, maxMs: 200 },
      onStatus: (status) => void statuses.push(status),
    })
    const channel = await other.openChannel()
    const [changed, same] = [`${queue} changed`, `${queue} same`]
    const seen: string[] = []
    await channel.declareExchange(queue, 'topic')
    for (const name of [changed, same]) {
      await channel.declareQueue(name)
      await channel.bindQueue(name, queue, '#')
      await channel.consume(name, { noAck: true }, ({ body }) => void seen.push(`${name}: ${String(body)}`))
    }
    for (const [share, reconnects] of [
      [0.3, 1],
      [0.6, 2],
    ] as const) {
      await load.reaches(share)
      const refusal = proxy.refuse()
      proxy.cut()
      await theirs.deleteQueue(changed)
      await theirs.declareQueue(changed, { arguments: { 'x-max-length': 10 } })
      await theirs.deleteExchange(queue)
      await theirs.declareExchange(queue, 'direct')
      refusal.heal()
      await eventually(() => other.stats().reconnects === reconnects)
      await load.goesOn()
    }
    const once = [
      { what: `exchange '${queue}'`, error: { replyCode: 406 } },
      { what: `queue '${changed}'`, error: { replyCode: 406 } },
    ]
    for (const name of [changed, same]) await theirs.publish('', name, Buffer.from('x'), { mandatory: true })
    await theirs.publish(queue, '#', Buffer.from('y'), { mandatory: true })
    const expected = [changed, same].flatMap((name) => [`${name}: x`, `${name}: y`])
    await eventually(() => expect(seen.toSorted()).toEqual(expected))
    await expectInvariants(load, { broker })
    expect(statuses.filter(({ type }) => type === 'topology-error')).toMatchObject([...once, ...once])
    for (const name of [changed, same]) await theirs.deleteQueue(name)
    await theirs.deleteExchange(queue)
    await proxy[Symbol.asyncDispose]()
  })

  it('holds a load back while a memory alarm is on, says so, and loses nothing', async () => {
    await using load = await startLoad({ queue, publishTo: broker.url })
    for (const [at, share] of [0.2, 0.4, 0.6, 0.8].entries()) {
      await load.reaches(share)
      await broker.setAlarm('memory', true)
      await eventually(() => load.publisher.state === 'blocked')
      await eventually(() => load.openPublishes > 0)
      expect(load.reader.state).toBe('open')
      // The consumer goes on, so that the broker gets rid of what it has.
      await eventually(
        async () => {
          expect((await broker.queues()).find(({ name }) => name === queue)).toMatchObject({ messages: 0 })
        },
        { timeoutMs: 30_000 },
      )
      await broker.setAlarm('memory', false)
      await load.goesOn()
      expect(count(load.published, 'unblocked')).toBe(at + 1)
    }
    expect(load.publisher.stats()).toMatchObject({ reconnects: 0, channelErrors: 0 })
    await expectInvariants(load, { broker })
  })

  it('says at once that a password is wrong, and tries it no second time', async () => {
    const statuses: ConnectionStatus[] = []
    const wrong = broker.urlFor({ password: 'wrong' })
    const options = { connectRetries: 5, onStatus: (status: ConnectionStatus) => void statuses.push(status) }
    await expect(Connection.connect(wrong, options)).rejects.toMatchObject({ code: 'E_AUTH' })
    expect(count(statuses, 'retry')).toBe(0)
    await using load = await startLoad({ queue, publishTo: [wrong, broker.url], messages: 100 })
    await expectInvariants(load, { broker })
  })

  it('comes back with the new password when that is changed under load', async () => {
    const user = `rotated-${rounds}`
    await broker.addUser(user, 'password 0')
    let known = 'password 0'
    let asked = 0
    const connection = {
      // The callback learns of a change only after it was asked once more.
      credentials: () => {
        asked++
        const password = known
        known = current
        return { password }
      },
    }
    let current = known
    await using load = await startLoad({ queue, publishTo: broker.urlFor({ user }), connection })
    for (const [at, share] of [0.2, 0.4, 0.6, 0.8].entries()) {
      await load.reaches(share)
      current = `password ${at + 1}`
      await broker.changePassword(user, current)
      expect(await broker.closeConnections('changed')).toBeGreaterThanOrEqual(2)
      await eventually(() => [load.publisher, load.reader].every((one) => one.stats().reconnects === at + 1))
      await load.goesOn()
    }
    expect(asked).toBeGreaterThanOrEqual(10)
    await expectInvariants(load, { broker })
    await broker.deleteUser(user)
  })

  it('ends, and says why, when its password is changed and it knows no other', async () => {
    const user = `fixed-${rounds}`
    await broker.addUser(user, 'old')
    const url = broker.urlFor({ user, password: 'old' })
    await using proxy = await startFaultProxy(broker)
    await using load = await startLoad({ queue, publishTo: proxy.urlFor(url), consumeFrom: url })
    await load.reaches(0.5)
    // However slowly the broker is told, there is a message that was written and that it never confirms, and then one
    // that waits for the connection to come back.
    const held = proxy.pause('to-broker')
    // A message is about a hundred bytes.
    await eventually(
      () => load.publisher.stats().bytesWritten - proxy.stats().toBroker.forwardedBytes > 1_000,
    )
    await broker.changePassword(user, 'new')
    await broker.closeConnections('changed')
    await eventually(() => load.publisher.state === 'reconnecting')
    await eventually(() => load.taken > load.publisher.stats().published)
    held.heal()
    const ends = await Promise.all([load.publisher.closed, load.reader.closed, load.subscription.closed])
    expect(ends).toMatchObject([
      { error: { code: 'E_AUTH' } },
      { error: { code: 'E_AUTH' } },
      { error: { code: 'E_AUTH' } },
    ])
    await load.settles()
    const { resent, once } = load
    const failed = resent.failed.size + once.failed.size
    expect(resent.confirmed + once.confirmed + failed).toBe(load.total)
    expect(load.publisher.stats()).toMatchObject({ publishesFailed: failed, unconfirmed: 0, waiting: 0 })
    const codes = new Set([...resent.failed.values(), ...once.failed.values()])
    expect([...codes].toSorted()).toEqual(['E_AUTH', 'E_CHANNEL_CLOSED', 'E_UNCERTAIN'])
    const left = (await broker.queues()).find(({ name }) => name === queue)?.messages
    expect(left).toBeGreaterThanOrEqual(resent.missing().length + once.missing().length)
    await broker.deleteUser(user)
  })
})

function count(statuses: readonly ConnectionStatus[], type: ConnectionStatus['type']): number {
  return statuses.filter((status) => status.type === type).length
}
