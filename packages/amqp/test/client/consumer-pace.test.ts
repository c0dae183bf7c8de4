import { ManualClock, methodBytes, nextEvent, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'

const ignore = (): void => {}

/** Lets time pass in steps in which the broker is asked several things, one after the other. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let stepMs = 0; stepMs < ms; stepMs += 100) await clock.pass(Math.min(100, ms))
  for (let times = 0; times < 5; times++) await settled()
}

/** Cancels each consumer in the same breath as it begins, `times` times. */
function cancelling(broker: ScriptedBroker, times: number): { left: number } {
  const state = { left: times }
  broker.on('basic.consume', ({ channel, args: { consumerTag } }, link) => {
    if (state.left-- <= 0) return undefined
    const both = [
      methodBytes(channel, 'basic.consume-ok', { consumerTag }),
      methodBytes(channel, 'basic.cancel', { consumerTag, noWait: true }),
    ]
    link.raw(Buffer.concat(both))
    return SILENT
  })
  return state
}

describe('a consumer that the broker cancels', () => {
  it('says that it waits for its queue, then that it consumes', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, ignore)
    expect(subscription.state).toBe('consuming')
    const cancelled = nextEvent(connection, 'consumer-cancelled')
    broker.link.send(1, 'basic.cancel', { consumerTag: subscription.consumerTag, noWait: true })
    expect(await cancelled).toEqual({ queue: 'q' })
    expect(subscription.state).toBe('waiting')
    await broker.link.method('basic.consume', 1)
    await expect.poll(() => subscription.state).toBe('consuming')
  })

  it('in the same breath as it begins consumes again: the first time, and every other time', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const state = cancelling(broker, 3)
    const arrived: string[] = []
    const subscription = await channel.consume('q', {}, (message) => arrived.push(String(message.body)))
    await broker.link.method('basic.consume', 3)
    broker.link.deliver(1, broker.link.all('basic.consume')[3]?.args.consumerTag as string, 1, 'm')
    await expect.poll(() => arrived).toEqual(['m'])
    expect([subscription.state, state.left]).toEqual(['consuming', -1])
  })

  it('in the same breath on a channel that does not recover ends, and says why', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ recover: false })
    cancelling(broker, 1)
    const subscription = await channel.consume('q', {}, ignore)
    expect(await subscription.closed).toMatchObject({ error: { code: 'E_CHANNEL_CLOSED' } })
    expect(subscription.state).toBe('ended')
  })

  it('again and again keeps neither side busy', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    broker.on('basic.consume', ({ channel: number, args: { consumerTag } }, link) => {
      link.send(number, 'basic.consume-ok', { consumerTag })
      setImmediate(() => link.send(number, 'basic.cancel', { consumerTag, noWait: true }))
      return SILENT
    })
    await channel.consume('q', {}, ignore)
    await pass(clock, 60_000)
    const inOneMinute = broker.link.all('basic.consume').length
    // Ten at once, then with waits that grow to 5 s.
    expect(inOneMinute).toBeGreaterThan(15)
    expect(inOneMinute).toBeLessThan(50)
    await pass(clock, 60_000)
    expect(broker.link.all('basic.consume').length - inOneMinute).toBeLessThan(40)
  })

  it('is started at once again when it had lived for long', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, ignore)
    for (let time = 1; time <= 30; time++) {
      await pass(clock, 10_000)
      broker.link.send(1, 'basic.cancel', { consumerTag: subscription.consumerTag, noWait: true })
      await pass(clock, 0)
      expect(broker.link.all('basic.consume')).toHaveLength(time + 1)
    }
  })
})

describe('a consumer after a reconnect', () => {
  it('consumes again though the broker allows no channel more to ask for its queue', async () => {
    const broker = new ScriptedBroker({ tune: { channelMax: 1 } })
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    const subscription = await channel.consume('q', {}, ignore)
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(subscription.state).toBe('consuming')
    expect(broker.link.all('basic.consume')).toHaveLength(1)
  })

  it('waits for a queue that is missing as long as there is no channel to ask on, and disturbs its own no more', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker({ tune: { channelMax: 1 } })
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, ignore)
    broker.on('basic.consume', ({ channel: number }, link) => {
      link.closeChannel(number, 404, "NOT_FOUND - no queue 'q' in vhost '/'", 60, 20)
      return SILENT
    })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await pass(clock, 1_000)
    await restored
    await pass(clock, 20_000)
    expect(subscription.state).toBe('waiting')
    expect(broker.link.all('basic.consume')).toHaveLength(1)
    expect(channel.state).toBe('open')
  })
})
