import { Connection } from '@hermod/amqp'
import { sleep, systemClock, type Clock } from '@hermod/kernel'
import { eventually, ManualClock, methodBytes, settled } from '@hermod/testkit'
import { connect as connectAmqplib } from 'amqplib'
import { afterEach, describe, expect, it } from 'vitest'
import { IdleWatch } from '../src/idle-watch.ts'
import { createBroker, type Broker, type BrokerOptions } from '../src/index.ts'
import { Turn } from '../src/session/turn.ts'
import { FrameClient } from './frame-client.ts'
import { consumeFrom, queueNamed } from './session/session-fixture.ts'

/** Where it is no matter how long it takes. */
const PATIENTLY = { timeoutMs: 15_000 }

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

function start(options: BrokerOptions = {}): Broker {
  const broker = createBroker(options)
  open.push(broker)
  return broker
}

async function connected(broker: Broker, way: 'in process' | 'over TCP' = 'in process'): Promise<Connection> {
  const connection =
    way === 'in process'
      ? await Connection.connect('amqp://guest:guest@in-process/', { dial: async () => broker.connect() })
      : await Connection.connect((await broker.listen()).url)
  open.unshift(connection)
  return connection
}

/** A client on channel 1 that does what it is told and nothing else. */
async function framesOf(broker: Broker): Promise<FrameClient> {
  const client = await new FrameClient(broker.connect()).open()
  open.unshift({ [Symbol.asyncDispose]: async () => void client.stream.destroy() })
  await client.call(1, 'channel.open', {})
  return client
}

/** What is under way, as the error says it. */
async function leftOf(broker: Broker): Promise<string> {
  const error: unknown = await broker
    .waitForIdle({ timeoutMs: 120, quietMs: 5 })
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'E_TIMEOUT' })
  return (error as Error).message.replace('broker.waitForIdle did not end within 120 ms: ', '')
}

describe.each(['in process', 'over TCP'] as const)('a broker with clients %s', (way) => {
  it('is idle once all that was published was consumed and settled', async () => {
    const broker = start()
    const connection = await connected(broker, way)
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    await channel.declareQueue('next')
    const done: string[] = []
    await channel.consume('q', { prefetchCount: 10 }, (message) => {
      setTimeout(() => {
        void channel.publish('', 'next', message.body)
        message.ack()
      }, 1)
    })
    await channel.consume('next', { prefetchCount: 3 }, (message) => {
      done.push(message.body.toString())
      message.ack()
    })
    const sent = Array.from({ length: 200 }, (_, at) => String(at))
    for (const body of sent) void channel.publish('', 'q', Buffer.from(body))
    await broker.waitForIdle(PATIENTLY)
    expect(done).toEqual(sent)
    expect(broker.queues().map(({ ready, unsettled }) => ready + unsettled)).toEqual([0, 0])
  })
})

describe('a broker', () => {
  it('is idle when it is new, while nobody is there to take a message, and when it is closed', async () => {
    const broker = start()
    await broker.waitForIdle(PATIENTLY)
    const channel = await (await connected(broker)).openChannel()
    await channel.declareQueue('q')
    void channel.publish('', 'q', Buffer.from('x'))
    await broker.waitForIdle(PATIENTLY)
    expect(broker.queues()[0]?.ready).toBe(1)
    await broker.close()
    await broker.waitForIdle(PATIENTLY)
  })

  it('waits for what amqplib was told to send without a confirm', async () => {
    const broker = start()
    const { url } = await broker.listen()
    const connection = await connectAmqplib(url)
    const channel = await connection.createChannel()
    await channel.assertQueue('q')
    for (let round = 1; round <= 20; round++) {
      for (let at = 0; at < 50; at++) channel.sendToQueue('q', Buffer.alloc(1000))
      await broker.waitForIdle(PATIENTLY)
      expect(broker.queues()[0]?.ready).toBe(round * 50)
    }
    await connection.close()
  })

  it('is idle again after a client that held messages has gone', async () => {
    const broker = start()
    const client = await framesOf(broker)
    await client.call(1, 'queue.declare', queueNamed('q'))
    client.publish(1, '', 'q', 'x')
    await client.call(1, 'basic.consume', consumeFrom('q', 'c'))
    await client.expect('basic.deliver')
    let isIdle = false
    const idle = broker.waitForIdle(PATIENTLY).then(() => (isIdle = true))
    await sleep(20)
    expect(isIdle).toBe(false)
    broker.connections()[0]?.drop()
    await idle
    expect(broker.queues()[0]).toMatchObject({ ready: 1, unsettled: 0, consumers: 0 })
  })

  it('waits for dead letters that are moved on bit by bit', async () => {
    // Each look at the time finds that it took long.
    let nowMs = 0
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonicMs: () => (nowMs += 30),
      // Nothing of this is a matter of the clock.
      after: () => ({ cancel() {} }),
    }
    const broker = start({ clock })
    const channel = await (await connected(broker)).openChannel()
    const arguments_ = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' }
    await channel.declareQueue('q', { arguments: arguments_ })
    await channel.declareQueue('dead')
    for (let at = 0; at < 500; at++) void channel.publish('', 'q', Buffer.from('x'))
    await broker.waitForIdle(PATIENTLY)
    const client = await framesOf(broker)
    await client.call(1, 'basic.consume', consumeFrom('q', 'c'))
    for (let at = 0; at < 500; at++) await client.expect('basic.deliver')
    client.send(1, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: false })
    await broker.waitForIdle(PATIENTLY)
    expect(broker.queues().find(({ name }) => name === 'dead')?.ready).toBe(500)
  })
})

describe('the error of a broker that is not idle', () => {
  it('names queues, and by whom their messages are not settled', async () => {
    const broker = start()
    const client = await framesOf(broker)
    await client.call(1, 'queue.declare', queueNamed('näme'.normalize()))
    await client.call(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 2, global: false })
    for (let at = 0; at < 6; at++) client.publish(1, '', 'näme', 'x')
    await client.call(1, 'basic.get', { queue: 'näme', noAck: false }, 'basic.get-ok')
    await client.call(1, 'basic.consume', consumeFrom('näme', 'worker'))
    expect((await leftOf(broker)).split('; ')).toEqual([
      "queue 'näme' in vhost '/': 3 ready, 1 unsettled by basic.get of in process 1 (1)",
      "queue 'näme' in vhost '/': 3 ready, 2 unsettled by consumer 'worker' of in process 1 (1)",
    ])
  })

  it('names ten of many', async () => {
    const broker = start()
    const client = await framesOf(broker)
    for (let at = 0; at < 13; at++) {
      await client.call(1, 'queue.declare', queueNamed(`q${at}`))
      client.publish(1, '', `q${at}`, 'x')
      await client.call(1, 'basic.get', { queue: `q${at}`, noAck: false }, 'basic.get-ok')
    }
    const left = (await leftOf(broker)).split('; ')
    expect(left).toHaveLength(11)
    expect(left[10]).toBe('and 3 more')
  })

  it('names transactions, and messages of which a part has come', async () => {
    const broker = start()
    const client = await framesOf(broker)
    await client.call(1, 'tx.select', {})
    client.publish(1, '', 'q', 'x')
    expect(await leftOf(broker)).toBe('in process 1 (1) has not committed 1 publishes and settlements')
    await client.call(1, 'tx.commit', {})
    await broker.waitForIdle(PATIENTLY)
    const args = { exchange: '', routingKey: 'q', mandatory: false, immediate: false }
    client.raw(methodBytes(1, 'basic.publish', args))
    expect(await leftOf(broker)).toBe('in process 1 (1) has published a message of which a part has come')
  })

  it('names connections that open, that close, and that are blocked', async () => {
    const broker = start()
    const client = new FrameClient(broker.connect())
    expect(await leftOf(broker)).toBe('in process 1 is not open yet')
    await client.open()
    await broker.waitForIdle(PATIENTLY)
    broker.setAlarm('disk', true)
    await client.call(1, 'channel.open', {})
    client.batch(() => client.publish(1, '', 'q', ''))
    expect(await leftOf(broker)).toBe('in process 1 is blocked by an alarm, and not read from')
    const idle = broker.waitForIdle(PATIENTLY)
    broker.setAlarm('disk', false)
    await idle
    broker.closeConnection(1, { reason: 'enough' })
    expect(await leftOf(broker)).toBe('in process 1 is closing')
    client.send(0, 'connection.close-ok', {})
    client.stream.end()
    await broker.waitForIdle(PATIENTLY)
  })

  it('names connections that do not take what they get, and those that are not read from', async () => {
    const broker = start()
    const client = await framesOf(broker)
    const [connection] = broker.connections()
    client.stream.pause()
    // More than the stream takes before somebody reads.
    for (let at = 0; at < 50; at++) client.publish(1, '', 'nobody', 'x'.repeat(10_000), { mandatory: true })
    expect(await leftOf(broker)).toMatch(/^in process 1 has not taken \d+ bytes$/)
    client.stream.resume()
    await broker.waitForIdle(PATIENTLY)
    connection?.pause()
    client.publish(1, '', 'nobody', 'x')
    expect(await leftOf(broker)).toMatch(/^\d+ bytes of in process 1 were not read$/)
    connection?.resume()
    await broker.waitForIdle(PATIENTLY)
  })

  it('counts what is on its way with a delay', async () => {
    const clock = new ManualClock()
    const broker = start({ clock })
    const client = await framesOf(broker)
    await client.call(1, 'queue.declare', queueNamed('q'))
    broker.connections()[0]?.delay(1000)
    client.publish(1, '', 'q', 'x')
    let isIdle = false
    const idle = broker.waitForIdle({ timeoutMs: Infinity, quietMs: 5 }).then(() => (isIdle = true))
    await sleep(60)
    expect([isIdle, broker.queues()[0]?.ready]).toEqual([false, 0])
    clock.advance(1000)
    await idle
    expect(broker.queues()[0]?.ready).toBe(1)
  })
})

describe('waiting for a broker to be idle', () => {
  it('ends with the reason of a signal', async () => {
    const broker = start()
    broker.connect()
    const reason = new Error('enough')
    await expect(broker.waitForIdle({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const abort = new AbortController()
    const idle = broker.waitForIdle({ signal: abort.signal })
    abort.abort(reason)
    await expect(idle).rejects.toBe(reason)
  })

  it('ends by the clock of the broker, after four seconds where nothing else is said', async () => {
    const clock = new ManualClock()
    const broker = start({ clock })
    broker.connect()
    let error: unknown
    const idle = broker.waitForIdle().catch((reason: unknown) => (error = reason))
    clock.advance(3999)
    await settled()
    expect(error).toBeUndefined()
    clock.advance(1)
    await idle
    expect(error).toMatchObject({
      message: 'broker.waitForIdle did not end within 4000 ms: in process 1 is not open yet',
    })
  })

  it('looks when something has happened, and not at all in between', async () => {
    const turn = new Turn()
    let looks = 0
    let busy = true
    const isUnderWay = (): boolean => {
      looks++
      return busy
    }
    const watch = new IdleWatch({
      turn,
      clock: systemClock,
      isUnderWay,
      movesOn: () => false,
      underWay: () => [],
    })
    const idle = watch.wait({})
    await sleep(50)
    expect(looks).toBe(1)
    busy = false
    turn.changed()
    await idle
    const after = looks
    turn.changed()
    turn.add({ endOfTurn() {} })
    await eventually(() => expect(turn.isPending).toBe(false))
    expect(looks).toBe(after)
  })

  it('goes on when messages begin to move during the silence', async () => {
    let moves = false
    const parts = { turn: new Turn(), clock: systemClock, isUnderWay: () => false, movesOn: () => moves }
    let isIdle = false
    const idle = new IdleWatch({ ...parts, underWay: () => [] })
      .wait({ quietMs: 5 })
      .then(() => (isIdle = true))
    moves = true
    await sleep(40)
    expect(isIdle).toBe(false)
    moves = false
    await idle
  })

  it('says of clients that are never silent that they are not', async () => {
    const turn = new Turn()
    const parts = {
      turn,
      clock: systemClock,
      isUnderWay: () => false,
      movesOn: () => false,
      underWay: () => [],
    }
    const ticking = setInterval(() => turn.changed(), 1)
    await expect(new IdleWatch(parts).wait({ timeoutMs: 50 })).rejects.toThrow(
      'there was always something that came',
    )
    clearInterval(ticking)
  })

  it('is for several at once', async () => {
    const broker = start()
    const client = await framesOf(broker)
    await client.call(1, 'tx.select', {})
    client.publish(1, '', 'q', 'x')
    const impatient = broker.waitForIdle({ timeoutMs: 20 })
    const patient = broker.waitForIdle()
    await expect(impatient).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    client.send(1, 'tx.commit', {})
    await patient
  })
})
