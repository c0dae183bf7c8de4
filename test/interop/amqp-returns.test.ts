import { Connection, type Channel } from '@hermod/amqp'
import type { HermodError } from '@hermod/kernel'
import { eventually, findBroker, needs, seededRandom, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const gate = needs(findBroker('administer'))

const IN_FLIGHT = 500
const MESSAGES = 20_000

describe.skipIf(gate.skip)(`mandatory messages that no queue takes${gate.note}`, () => {
  let broker: BrokerFixture
  let publisher: Connection
  let other: Connection
  let channel: Channel
  let side: Channel

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    publisher = await Connection.connect(broker.url)
    other = await Connection.connect(broker.url)
    channel = await publisher.openChannel({ maxUnconfirmed: IN_FLIGHT })
    side = await other.openChannel()
  })
  afterEach(() => Promise.all([publisher.close(), other.close()]))

  /** Publishes them all with a full window, and gives the numbers of those that were confirmed. */
  async function publishAll(publish: (no: number) => Promise<void>): Promise<Set<number>> {
    const routed = new Set<number>()
    await Promise.all(
      Array.from({ length: MESSAGES }, (_, no) =>
        publish(no).then(
          () => routed.add(no),
          (error: HermodError) => {
            expect(error.code).toBe('E_UNROUTABLE')
          },
        ),
      ),
    )
    return routed
  }

  /** Does `change` again and again until `work` is over. */
  async function whileIts<T>(work: Promise<T>, change: (time: number) => Promise<void>): Promise<T> {
    const state = { over: false }
    const done = work.finally(() => {
      state.over = true
    })
    let times = 0
    for (; !state.over; times++) await change(times)
    // How often that is, is for the machine to say.
    expect(times).toBeGreaterThan(2)
    return done
  }

  /** The numbers of the messages in a queue, and how many there are. */
  async function contents(queue: string): Promise<{ numbers: Set<number>; count: number }> {
    const { messageCount } = (await other.queueStatus(queue)) ?? { messageCount: 0 }
    const numbers = new Set<number>()
    let count = 0
    const subscription = await side.consume(queue, { noAck: true }, ({ properties }) => {
      count++
      numbers.add(Number(properties.messageId))
    })
    await eventually(() => count >= messageCount, { timeoutMs: 30_000 })
    await subscription.cancel()
    expect(count).toBe(messageCount)
    return { numbers, count }
  }

  it.each([
    ['transient', 1],
    ['persistent', 2],
  ])(
    'reject, and the others are in their queue, while bindings come and go (%s)',
    async (kind, deliveryMode) => {
      const [exchange, lasting, sink] = [`x.${kind}`, `lasting.${kind}`, `sink.${kind}`]
      await side.declareExchange(exchange, 'direct')
      for (const queue of [lasting, sink]) await side.declareQueue(queue, { durable: kind === 'persistent' })
      await side.bindQueue(lasting, exchange, 'lasting')
      const random = seededRandom(7)
      // Bodies are all the same; half of the messages go where a queue is bound half of the time.
      const body = Buffer.from('the same for all')
      const keys = Array.from({ length: MESSAGES }, () =>
        random() < 0.5 ? 'lasting' : random() < 0.5 ? 'never' : 'flaps',
      )
      const work = publishAll((no) =>
        channel.publish(exchange, keys[no] as string, body, {
          mandatory: true,
          properties: { messageId: String(no), deliveryMode },
        }),
      )
      const routed = await whileIts(work, async (time) => {
        if (time % 2 === 0) await side.bindQueue(sink, exchange, 'flaps')
        else await side.unbindQueue(sink, exchange, 'flaps')
      })
      const [kept, flapped] = [await contents(lasting), await contents(sink)]
      const expected = new Set([...kept.numbers, ...flapped.numbers])
      expect(routed.size).toBe(expected.size)
      expect([...routed].filter((no) => !expected.has(no))).toEqual([])
      expect(kept.count).toBe(keys.filter((key) => key === 'lasting').length)
      const flaps = keys.filter((key) => key === 'flaps').length
      expect(flapped.count).toBeGreaterThan(0)
      expect(flapped.count).toBeLessThan(flaps)
      expect(publisher.stats()).toMatchObject({
        published: MESSAGES,
        confirmed: routed.size,
        returned: MESSAGES - routed.size,
        reconnects: 0,
      })
    },
  )

  it('reject as many as no queue took when all are the same in everything', async () => {
    await side.declareExchange('same', 'direct')
    await side.declareQueue('same', { durable: true })
    const body = Buffer.from('same')
    const work = publishAll(() => channel.publish('same', 'key', body, { mandatory: true }))
    const routed = await whileIts(work, async (time) => {
      if (time % 2 === 0) await side.bindQueue('same', 'same', 'key')
      else await side.unbindQueue('same', 'same', 'key')
    })
    expect((await contents('same')).count).toBe(routed.size)
    expect(routed.size).toBeGreaterThan(0)
    expect(routed.size).toBeLessThan(MESSAGES)
  })

  it('reject while the queues themselves are declared and deleted: none that was handed over was rejected', async () => {
    const queues = ['q0', 'q1', 'q2', 'q3']
    const taken: number[] = []
    const work = publishAll((no) =>
      channel.publish('', queues[no % queues.length] as string, Buffer.from('all the same'), {
        mandatory: true,
        properties: { messageId: String(no) },
      }),
    )
    const routed = await whileIts(work, async (time) => {
      const queue = queues[time % queues.length] as string
      const taker = await other.openChannel({ recover: false })
      await taker.declareQueue(queue, { durable: false })
      await taker.consume(queue, { noAck: true }, ({ properties }) =>
        taken.push(Number(properties.messageId)),
      )
      await side.deleteQueue(queue)
      await taker.close()
    })
    expect(taken.length).toBeGreaterThan(0)
    expect(new Set(taken).size).toBe(taken.length)
    expect(taken.filter((no) => !routed.has(no))).toEqual([])
    // Those that were in a queue when it was deleted are confirmed, and gone with it.
    expect(routed.size).toBeGreaterThanOrEqual(taken.length)
    expect(publisher.stats()).toMatchObject({ confirmed: routed.size, returned: MESSAGES - routed.size })
  })
})
