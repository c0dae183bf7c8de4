import { ManualClock, nextEvent, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { ConnectionStatus, FedStatus, SubscriptionState } from '../../src/index.ts'

const kind = (status: ConnectionStatus): string =>
  status.type === 'state' ? `${status.previous} → ${status.state}` : status.type

describe('connection.status()', () => {
  it('gives every event from now on in order, and ends with the connection', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const seen: string[] = []
    const reader = (async () => {
      for await (const status of connection.status()) seen.push(kind(status))
    })()
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    await connection.close()
    await reader
    expect(seen).toEqual([
      'open → reconnecting',
      'lost',
      'retry',
      'reconnecting → open',
      'restored',
      'open → closing',
      'closing → closed',
    ])
  })

  it('gives each reader everything, and nothing to one that has left its loop', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const [first, second] = [connection.status(), connection.status()]
    broker.link.send(0, 'connection.blocked', { reason: 'r' })
    for await (const { type } of first) {
      expect(type).toBe('state')
      break
    }
    expect((await first.next()).done).toBe(true)
    expect((await second.next()).value).toMatchObject({ type: 'state', state: 'blocked' })
    expect((await second.next()).value).toEqual({ type: 'blocked', reason: 'r' })
    await connection.close()
    const rest: string[] = []
    for await (const status of second) rest.push(kind(status))
    expect(rest).toEqual(['blocked → closing', 'closing → closed'])
  })

  it('ends at once when the connection is over', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    await connection.close()
    expect((await connection.status().next()).done).toBe(true)
  })

  it('keeps 1000 events for a reader that does not read, and tells it how many it missed', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const reader = connection.status()
    for (let no = 0; no < 1_500; no++) broker.link.send(0, 'connection.blocked', { reason: String(no) })
    let blocked = 0
    connection.on('blocked', () => blocked++)
    await expect.poll(() => blocked).toBe(1_500)
    const read: FedStatus[] = []
    for (let no = 0; no < 1_000; no++) read.push((await reader.next()).value as FedStatus)
    expect(read.every(({ missed }) => missed === undefined)).toBe(true)
    broker.link.send(0, 'connection.unblocked', {})
    const next = (await reader.next()).value as FedStatus
    // One event for the state, and one for each `blocked`.
    expect(next).toMatchObject({ type: 'state', state: 'open', missed: 501 })
    expect((await reader.next()).value).toEqual({ type: 'unblocked' })
    await connection.close()
  })
})

describe('a reader that is far behind when the connection ends', () => {
  it('is told with the last event how many it missed', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const reader = connection.status()
    let blocked = 0
    connection.on('blocked', () => blocked++)
    for (let no = 0; no < 1_500; no++) broker.link.send(0, 'connection.blocked', { reason: String(no) })
    await expect.poll(() => blocked).toBe(1_500)
    await connection.close()
    const read: FedStatus[] = []
    for await (const status of reader) read.push(status)
    // 1501 came of being blocked, then one of closing.
    expect(read.at(-1)).toMatchObject({ type: 'state', state: 'closed', missed: 502 })
    expect(read).toHaveLength(1_001)
  })
})

describe('onStatus', () => {
  it('gets the failed attempts before there is a connection', async () => {
    const broker = new ScriptedBroker()
    const seen: string[] = []
    let failures = 2
    broker.onLink = (link) => {
      if (failures-- > 0) link.drop()
    }
    await using connection = await broker.connect({
      connectRetries: 2,
      onStatus: (status) => seen.push(kind(status)),
    })
    expect(seen).toEqual(['retry', 'retry', 'connecting → open'])
    expect(connection.state).toBe('open')
  })

  it.each(['lost', 'retry', 'open → reconnecting', 'reconnecting → open', 'restored'])(
    'may close the connection when it is told: %s',
    async (at) => {
      const broker = new ScriptedBroker()
      let ended: Promise<void> | undefined
      const connection = await broker.connect({
        onStatus: (status) => {
          if (kind(status) === at) ended = connection.close()
        },
      })
      broker.link.drop()
      expect(await connection.closed).toEqual({})
      await ended
      await settled()
      expect(connection.state).toBe('closed')
    },
  )
})

describe('channel.state and subscription.state', () => {
  it('name what each waits for', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const connection = await broker.connect({ clock, reconnect: { initialMs: 1_000, maxMs: 1_000 } })
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, () => {})
    const now = (): [string, SubscriptionState] => [channel.state, subscription.state]
    expect(now()).toEqual(['open', 'consuming'])
    broker.on('channel.open', () => SILENT)
    const lost = nextEvent(connection, 'lost')
    broker.link.drop()
    await lost
    expect(now()).toEqual(['waiting', 'away'])
    await clock.pass(1_000)
    const { channel: number } = await broker.link.method('channel.open')
    expect(now()).toEqual(['opening', 'starting'])
    broker.off('channel.open')
    broker.on('basic.consume', () => SILENT)
    broker.link.send(number, 'channel.open-ok', {})
    const { args } = await broker.link.method('basic.consume')
    expect(now()).toEqual(['opening', 'starting'])
    broker.link.send(number, 'basic.consume-ok', args)
    await nextEvent(connection, 'restored')
    expect(now()).toEqual(['open', 'consuming'])
    broker.on('channel.close', () => SILENT)
    const closed = channel.close()
    expect(channel.state).toBe('closing')
    await broker.link.method('channel.close')
    broker.link.send(number, 'channel.close-ok', {})
    await closed
    expect(now()).toEqual(['closed', 'ended'])
    await connection.close()
  })

  it('are `waiting` in the pause before a channel that is closed again and again', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    for (let time = 0; time < 11; time++) {
      await expect.poll(() => channel.state).toBe('open')
      const failed = nextEvent(connection, 'channel-error')
      broker.link.closeChannel(channel.number, 406, 'PRECONDITION_FAILED - again')
      await failed
    }
    await settled()
    expect([channel.state, channel.number]).toEqual(['waiting', 0])
    await clock.pass(5_000)
    await expect.poll(() => channel.state).toBe('open')
  })
})
