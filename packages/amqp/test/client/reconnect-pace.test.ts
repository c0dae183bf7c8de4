import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock, ScriptedBroker } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'

/** Lets everything happen that needs no time to pass. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn()
}

describe('the pace of reconnecting', () => {
  const reconnect = { initialMs: 100, factor: 2, maxMs: 10_000, jitter: 0 }

  it('slows down for a broker that drops each connection as soon as it is open', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    broker.on('connection.open', (_, link) => {
      setImmediate(() => link.end())
    })
    const delays: number[] = []
    const connection = await broker.connect({ clock, reconnect })
    connection.on('retry', ({ delayMs }) => delays.push(delayMs))
    for (let loss = 0; loss < 6; loss++) {
      await settle()
      clock.advance(delays.at(-1) ?? 0)
    }
    expect(delays.slice(0, 5)).toEqual([100, 200, 400, 800, 1600])
    await connection.close()
  })

  it('begins small again once a connection has lived', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const delays: number[] = []
    const connection = await broker.connect({ clock, reconnect })
    connection.on('retry', ({ delayMs }) => delays.push(delayMs))
    for (let loss = 0; loss < 3; loss++) {
      await settle()
      clock.advance(60_000)
      broker.link.end()
      await settle()
      clock.advance(100)
    }
    await settle()
    expect(delays).toEqual([100, 100, 100])
    expect(connection.state).toBe('open')
    await connection.close()
  })
})
