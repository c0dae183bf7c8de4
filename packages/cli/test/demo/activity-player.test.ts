import type { ActivityEvent } from '@hermod/openstack'
import { ManualClock, settled } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { ActivityPlayer } from '../../src/demo/activity-player.ts'

const EVENT: ActivityEvent = {
  exchange: 'nova',
  publisherId: 'compute.compute-1',
  priority: 'info',
  eventType: 'compute.instance.create.end',
  payload: {},
  context: {},
}
const FAILED_LOGIN = {
  ...EVENT,
  exchange: 'keystone',
  eventType: 'identity.authenticate',
  payload: { outcome: 'failure' },
}

function* endless(...events: readonly ActivityEvent[]): Generator<ActivityEvent, never> {
  for (;;) yield* events
}

describe('the player of a demo', () => {
  it('publishes at an even pace, the first event at once', async () => {
    const clock = new ManualClock()
    const times: number[] = []
    const publish = async (): Promise<void> => void times.push(clock.monotonicMs())
    const player = new ActivityPlayer(endless(EVENT), publish, { eventsPerSecond: 4, clock })
    const abort = new AbortController()
    const running = player.run(abort.signal)
    await settled()
    expect(times).toEqual([0])
    for (let steps = 0; steps < 4; steps++) {
      clock.advance(250)
      await settled()
    }
    expect(times).toEqual([0, 250, 500, 750, 1000])
    abort.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
  })

  it('makes up for an event that took long, but not for a process that stood still', async () => {
    const clock = new ManualClock()
    const times: number[] = []
    const publish = async (): Promise<void> => void times.push(clock.monotonicMs())
    const player = new ActivityPlayer(endless(EVENT), publish, { eventsPerSecond: 4, clock })
    const abort = new AbortController()
    const running = player.run(abort.signal).catch(() => {})
    await settled()
    clock.leap(600_000)
    await settled()
    // At most a second's worth.
    expect(times.filter((time) => time === 600_000).length).toBeLessThanOrEqual(6)
    expect(times.length).toBeGreaterThan(1)
    abort.abort(new Error('enough'))
    await running
  })

  it('counts what went out, failures and services', async () => {
    const clock = new ManualClock()
    const events = [EVENT, FAILED_LOGIN, { ...EVENT, priority: 'error' as const }][Symbol.iterator]()
    const player = new ActivityPlayer(events, async () => {}, { eventsPerSecond: 1000, clock })
    const running = player.run(new AbortController().signal)
    for (let steps = 0; steps < 4; steps++) {
      clock.advance(1)
      await settled()
    }
    await running
    expect(player.counts).toEqual({ published: 3, failures: 2, services: 2 })
  })

  it('ends with what keeps an event from being published', async () => {
    const player = new ActivityPlayer(endless(EVENT), () => Promise.reject(new Error('no broker')), {
      eventsPerSecond: 1,
      clock: new ManualClock(),
    })
    await expect(player.run(new AbortController().signal)).rejects.toThrow('no broker')
    expect(player.counts.published).toBe(0)
  })
})
