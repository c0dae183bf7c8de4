import type { Channel, Connection, ConnectionOptions } from '@hermod/amqp'
import type { HermodError } from '@hermod/kernel'
import { methodBytes, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import {
  headerFrame,
  heapBytes,
  longestTurnMs,
  NUMBERED,
  settledOurs,
  type Attack,
} from './hostile-broker.ts'
import { attackOf, CALM, checkError, connect } from './hostile-client.ts'
import { TIMEOUT_MS } from './search.ts'

describe('a hostile broker that plays for time and memory', () => {
  /** A connection with a consumer, and what the broker has to know to attack it. */
  async function consuming(
    broker: ScriptedBroker,
    options: ConnectionOptions = {},
  ): Promise<{ connection: Connection; channel: Channel; seen: () => number }> {
    const connection = await connect(broker, { ...CALM, ...options })
    const channel = await connection.openChannel()
    let seen = 0
    await channel.consume('q', { prefetchCount: 10 }, (message) => {
      seen++
      message.ack()
    })
    return { connection, channel, seen: () => seen }
  }

  it.each<readonly [string, (n: number) => Attack]>([
    ['deliveries without the first', (n) => (c) => NUMBERED.delivery(c, n + 2)],
    ['deliveries for nobody', (n) => (c) => NUMBERED.stranger(c, n + 1)],
    ['frames of closed channels', () => () => headerFrame(900, 5n)],
    ['headers that announce a hundred megabytes', (n) => () => NUMBERED.announced((n % 1000) + 1000)],
    ['returns of nothing', () => attackOf('a return of nothing')],
    ['confirms of nothing', () => attackOf('a confirm of a tag that was never sent')],
    ['blocks and unblocks', () => attackOf('blocked and unblocked by turns')],
  ])('with tens of thousands of %s', { timeout: TIMEOUT_MS }, async (_, nth) => {
    const broker = new ScriptedBroker()
    const { connection, channel } = await consuming(broker)
    const before = heapBytes()
    const longest = await longestTurnMs(async () => {
      for (let n = 0; n < 30_000; n += 1000) {
        const parts = Array.from({ length: 1000 }, (__, at) => nth(n + at)(channel.number))
        broker.link.raw(Buffer.concat(parts))
        broker.link.methods.length = 0
        await connection.queueStatus('q')
      }
    })
    broker.link.methods.length = 0
    expect(heapBytes() - before).toBeLessThan(8 << 20)
    expect(longest).toBeLessThan(2000)
    expect(connection.state).toBe('open')
    await connection.close()
  })

  it('by closing the connection and reading no more, which would keep its socket', async () => {
    const broker = new ScriptedBroker()
    const connection = await connect(broker, { ...CALM, reconnect: false })
    broker.link.stalled = true
    broker.link.closeConnection(320, 'CONNECTION_FORCED')
    expect((await connection.closed).error?.message).toContain('CONNECTION_FORCED')
    await broker.link.until(() => broker.link.gone, 'the end of the socket')
  })

  it('by announcing on each channel a body that never comes', { timeout: TIMEOUT_MS }, async () => {
    const broker = new ScriptedBroker()
    const connection = await connect(broker, CALM)
    const channels = await Promise.all(Array.from({ length: 50 }, () => connection.openChannel()))
    await Promise.all(channels.map((channel) => channel.consume('q', {}, () => {})))
    const before = heapBytes()
    for (const { number } of channels) broker.link.raw(attackOf('a body without end')(number))
    await connection.queueStatus('q')
    // A channel that waits for its body gives it the room of one frame, and not the 100 MB of its header.
    expect(heapBytes() - before).toBeLessThan(16 << 20)
    await connection.close()
  })

  it('by a byte at a time', { timeout: TIMEOUT_MS }, async () => {
    const broker = new ScriptedBroker().on('connection.start', (_, link) => {
      const bytes = methodBytes(0, 'connection.start', {
        versionMajor: 0,
        versionMinor: 9,
        serverProperties: { a: 'x'.repeat(5000) },
        mechanisms: 'PLAIN',
        locales: 'en_US',
      })
      let at = 0
      const timer = setInterval(() => {
        if (link.gone || at >= bytes.length) clearInterval(timer)
        else link.raw(bytes.subarray(at, ++at))
      }, 10)
      return SILENT
    })
    const error = await connect(broker).catch((reason: unknown) => reason)
    checkError(error)
    expect((error as HermodError).message).toContain('did not answer within 5000 ms')
    await broker.link.until(() => broker.link.gone, 'the end')
  })

  it('by reading nothing more: what is published waits, and no more than 4 MiB or so is written', async () => {
    const broker = new ScriptedBroker()
    const connection = await connect(broker, CALM)
    const channel = await connection.openChannel({ maxUnconfirmed: 100_000 })
    broker.link.stalled = true
    const body = Buffer.alloc(1000)
    const published = Array.from({ length: 20_000 }, () => channel.publish('', 'q', body))
    await connection.queueStatus('q', { timeoutMs: 2000 }).catch(() => {})
    const { unconfirmed, waiting } = channel.pendingPublishes
    expect(unconfirmed + waiting).toBe(20_000)
    expect(unconfirmed * body.length).toBeLessThan(6 << 20)
    await connection.close()
    const codes = new Set(await Promise.all(published.map(settledOurs)))
    expect([...codes].toSorted()).toEqual(['E_CHANNEL_CLOSED', 'E_UNCERTAIN'])
  })

  it('by leaving one message unsettled while all others are', { timeout: TIMEOUT_MS }, async () => {
    const broker = new ScriptedBroker()
    const connection = await connect(broker, { ...CALM, operationTimeoutMs: 1_200_000 })
    const channel = await connection.openChannel()
    await channel.consume('q', { prefetchCount: 10 }, (message) => {
      if (message.deliveryTag > 1) message.ack()
    })
    const before = heapBytes()
    const cpu = process.cpuUsage()
    for (let n = 0; n < 100_000; n += 100) {
      const parts = Array.from({ length: 100 }, (_, at) => NUMBERED.delivery(channel.number, n + at + 1))
      broker.link.raw(Buffer.concat(parts))
      broker.link.methods.length = 0
      await connection.queueStatus('q')
    }
    broker.link.methods.length = 0
    // A pass over all that was settled, at each flush, takes minutes.
    expect(process.cpuUsage(cpu).user / 1e6).toBeLessThan(10)
    expect(heapBytes() - before).toBeLessThan(4 << 20)
    await connection.close()
  })

  it('by closing each channel as soon as it is open, without being asked in a hot loop', async () => {
    let opened = 0
    const broker = new ScriptedBroker().on('channel.open', ({ channel }, link) => {
      opened++
      link.send(channel, 'channel.open-ok', {})
      link.closeChannel(channel, 541, 'INTERNAL_ERROR')
      return SILENT
    })
    const connection = await connect(broker, CALM)
    const channel = connection.openChannel().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(opened).toBeLessThan(50)
    await connection.close()
    await channel
  })
})
