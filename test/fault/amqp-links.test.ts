import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Connection, type ConnectionStatus } from '@hermod/amqp'
import {
  eventually,
  findBroker,
  needs,
  seededRandom,
  startFaultProxy,
  startBroker,
  type BrokerFixture,
  type FaultProxy,
  type LinkDirection,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FAULT_MESSAGES, FAULT_SEED, FAULT_SUITE } from './fault-settings.ts'
import { expectInvariants } from './load-invariants.ts'
import { IN_ORDER, PREFETCH_COUNT, startLoad } from './load.ts'

const gate = needs(findBroker('administer', 'inspect'))
const OFTEN = { reconnect: { initialMs: 10, maxMs: 50 } }

describe.skipIf(gate.skip)(`the AMQP client when the network fails${gate.note}`, FAULT_SUITE, () => {
  let broker: BrokerFixture
  let queue: string
  let rounds = 0
  /** What the publisher and the reader connect through, and where to. */
  let out: FaultProxy
  let back: FaultProxy
  let publishTo: string
  let consumeFrom: string
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async ({ task }) => {
    queue = `${task.name} ${rounds++}`
    await using connection = await Connection.connect(broker.url)
    await (await connection.openChannel()).declareQueue(queue, IN_ORDER)
    out = await startFaultProxy(broker, { seed: FAULT_SEED })
    back = await startFaultProxy(broker, { seed: FAULT_SEED + 1 })
    publishTo = out.urlFor(broker.url)
    consumeFrom = back.urlFor(broker.url)
  })
  afterEach(async () => {
    await out[Symbol.asyncDispose]()
    await back[Symbol.asyncDispose]()
    await broker.deleteQueue(queue)
  })

  it('loses nothing when connections are cut in the middle of frames', async () => {
    await using load = await startLoad({ queue, publishTo, consumeFrom, connection: OFTEN })
    // However fast the broker is, the load lasts long enough to be cut often.
    using _slow = out.throttle({ direction: 'to-broker', bytesPerSecond: 2_000_000 })
    let cuts = 0
    const cutOften = async (
      proxy: FaultProxy,
      statuses: readonly ConnectionStatus[],
      busy: LinkDirection,
    ): Promise<void> => {
      const random = seededRandom(proxy.seed)
      while (load.isRunning) {
        const before = proxy.stats().cut
        const restored = count(statuses, 'restored')
        const direction = random() < 0.5 ? 'to-broker' : 'to-client'
        // The other way go confirms or acks, which are few bytes.
        const bytes = 1 + Math.floor(random() * (direction === busy ? 60_000 : 500))
        using _cut = proxy.cutAfter({ direction, bytes })
        await eventually(() => proxy.stats().cut > before || !load.isRunning, { intervalMs: 1 })
        cuts += proxy.stats().cut - before
        // Some cuts hit the attempt to come back from the one before.
        if (random() < 0.7)
          await eventually(() => count(statuses, 'restored') > restored || !load.isRunning, { intervalMs: 1 })
      }
    }
    await Promise.all([
      cutOften(out, load.published, 'to-broker'),
      cutOften(back, load.consumed, 'to-client'),
    ])
    await load.goesOn()
    expect(cuts).toBeGreaterThan(FAULT_MESSAGES / 2_000)
    await expectInvariants(load, { broker })
  })

  it.each(['both', 'to-client', 'to-broker'] as const)(
    'notices that the other side is gone without a word (%s), and loses nothing',
    async (direction) => {
      const connection = { heartbeatMs: 1_000, connectTimeoutMs: 1_000, ...OFTEN }
      await using load = await startLoad({ queue, publishTo, consumeFrom, connection })
      await load.reaches(0.3)
      for (const proxy of [out, back]) proxy.halfOpen(direction)
      await eventually(() => [load.publisher, load.reader].every(({ state }) => state === 'reconnecting'), {
        timeoutMs: 30_000,
      })
      await eventually(() => expect(load.openPublishes).toBeGreaterThan(0))
      for (const proxy of [out, back]) proxy.heal()
      await load.goesOn()
      await expectInvariants(load, { broker })
    },
  )

  it('keeps the order when it consumes through another host while the broker believes in the dead consumer', async () => {
    const other = await startFaultProxy(broker)
    // The broker is to believe in it for longer than it takes to look: some seven seconds.
    const connection = { heartbeatMs: 5_000, serverOrder: 'given', ...OFTEN } as const
    await using load = await startLoad({
      queue,
      publishTo,
      consumeFrom: [consumeFrom, other.urlFor(broker.url)],
      connection,
    })
    await load.reaches(0.3)
    // The broker hears us to the end, and not that we hang up.
    load.reader.on('lost', () => back.halfOpen())
    back.halfOpen('to-client')
    back.refuse()
    await eventually(() => load.reader.stats().reconnects === 1, { timeoutMs: 60_000 })
    const consumers = (await broker.queues()).find(({ name }) => name === queue)?.consumers
    expect(consumers).toBe(2)
    await load.goesOn()
    expect(back.cut()).toBe(1)
    await expectInvariants(load, { broker })
    await other[Symbol.asyncDispose]()
  })

  it('keeps its memory flat, and loses nothing, when the broker takes bytes slowly', async () => {
    const body = Buffer.alloc(4_096, '.')
    await using load = await startLoad({ queue, publishTo, consumeFrom, body, allAtOnce: true })
    const before = heldBytes()
    out.throttle({ direction: 'to-broker', bytesPerSecond: 4_000_000 })
    await load.reaches(0.1)
    expect(load.publisher.stats().waiting).toBeGreaterThan(0)
    expect(heldBytes() - before).toBeLessThan(16 * 1024 * 1024)
    out.heal()
    // Nothing is stuck; but how long all of it takes is for the machine to say.
    await load.reaches(0.2)
    await expectInvariants(load, { broker })
  })

  it('takes from the broker no more than a slow consumer works off, and loses nothing', async () => {
    await using load = await startLoad({ queue, publishTo, consumeFrom })
    load.settlePerTick = 1
    await load.reaches(0.5)
    // Where nothing is settled, nothing is under way either that the next one could follow.
    load.settlePerTick = 0
    await eventually(() => load.reader.stats().unsettled === PREFETCH_COUNT)
    expect((await broker.queues()).find(({ name }) => name === queue)).toMatchObject({
      messagesUnacknowledged: PREFETCH_COUNT,
    })
    load.settlePerTick = Infinity
    const narrow = back.throttle({ direction: 'to-client', bytesPerSecond: 100_000 })
    const before = load.arrivals
    await eventually(() => load.arrivals > before + 500, { timeoutMs: 30_000 })
    narrow.heal()
    await load.goesOn()
    await expectInvariants(load, { broker })
  })

  it('changes to the other host when one dies, with the credentials for that host', async () => {
    const [here, there] = [await startFaultProxy(broker), await startFaultProxy(broker)]
    await broker.addUser('here', 'one')
    await broker.addUser('there', 'two')
    const urls = [
      here.urlFor(broker.urlFor({ user: 'here', password: 'one' })),
      there.urlFor(broker.urlFor({ user: 'there', password: 'two' })),
    ]
    await using load = await startLoad({ queue, publishTo: urls, connection: OFTEN })
    for (const [share, dead, living] of [
      [0.2, here, there],
      [0.4, there, here],
      [0.6, here, there],
      [0.8, there, here],
    ] as const) {
      await load.reaches(share)
      using _refusal = dead.refuse()
      dead.cut()
      const address = `${living.host}:${living.port}`
      await eventually(() =>
        [load.publisher, load.reader].every(
          ({ state, server }) => state === 'open' && server.address === address,
        ),
      )
      await load.goesOn()
    }
    // Of a connection that was cut a broker hears in its own time.
    await eventually(async () => {
      const users = (await broker.connections()).map(({ user }) => user)
      expect(users).toEqual(['here', 'here'])
    })
    expect(count(load.published, 'restored')).toBeGreaterThanOrEqual(3)
    await expectInvariants(load, { broker })
    await broker.deleteUser('here')
    await broker.deleteUser('there')
    await here[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
  })
})

/** What is in use when all garbage is gone. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // The first one may only end a collection that has begun.
  for (let times = 0; times < 2; times++) collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function count(statuses: readonly ConnectionStatus[], type: ConnectionStatus['type']): number {
  return statuses.filter((status) => status.type === type).length
}
