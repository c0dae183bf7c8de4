import { describe, expect, it } from 'vitest'
import { StartTimes } from '../../src/output/start-times.ts'
import { anEvent, type EventParts } from '../an-event.ts'

const start = (parts: EventParts = {}) =>
  anEvent({ type: 'compute.instance.create.start', time: '2026-11-22 12:00:01.130000', ...parts })
const end = (parts: EventParts = {}) =>
  anEvent({ type: 'compute.instance.create.end', time: '2026-11-22 12:00:13.530000', ...parts })

const OTHER = '00000000-8f85-4257-88b6-2e743b5a975c'

describe('StartTimes', () => {
  it('measures from start to end', () => {
    const times = new StartTimes()
    expect(times.durationMs(start())).toBeUndefined()
    expect(times.durationMs(end())).toBe(12_400)
  })

  it('measures to an error as well', () => {
    const times = new StartTimes()
    times.durationMs(start())
    expect(times.durationMs(end({ type: 'compute.instance.create.error' }))).toBe(12_400)
  })

  it('uses a start once', () => {
    const times = new StartTimes()
    times.durationMs(start())
    times.durationMs(end())
    expect(times.durationMs(end())).toBeUndefined()
  })

  it('keeps resources apart', () => {
    const times = new StartTimes()
    times.durationMs(start())
    expect(times.durationMs(end({ id: OTHER, request: 'req-of-another' }))).toBeUndefined()
  })

  it('keeps actions apart', () => {
    const times = new StartTimes()
    times.durationMs(start({ type: 'compute.instance.delete.start' }))
    expect(times.durationMs(end())).toBeUndefined()
  })

  it('matches by request where the start has no resource', () => {
    const times = new StartTimes()
    const parts = { exchange: 'neutron', publisher: 'network.ctl1' }
    times.durationMs(
      anEvent({ ...parts, type: 'port.create.start', time: '2026-11-22 12:00:00', payload: { port: {} } }),
    )
    const port = { port: { id: OTHER } }
    expect(
      times.durationMs(
        anEvent({ ...parts, type: 'port.create.end', time: '2026-11-22 12:00:02', payload: port }),
      ),
    ).toBe(2000)
  })

  it('says nothing when the clocks disagree', () => {
    const times = new StartTimes()
    times.durationMs(start({ time: '2026-11-22 12:30:00' }))
    expect(times.durationMs(end())).toBeUndefined()
  })

  it('forgets the oldest beyond its capacity', () => {
    const times = new StartTimes(2)
    times.durationMs(start())
    times.durationMs(start({ id: OTHER, request: 'req-of-another' }))
    expect(times.durationMs(end())).toBeUndefined()
    expect(times.durationMs(end({ id: OTHER, request: 'req-of-another' }))).toBe(12_400)
  })
})
