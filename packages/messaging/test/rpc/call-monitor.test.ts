import { ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { CallMonitor, isMonitorable } from '../../src/rpc/call-monitor.ts'
import { ScriptedRequest } from './scripted-requests.ts'

describe('CallMonitor', () => {
  it.each([
    [2000, 1000],
    [2999, 1000],
    [3000, 1500],
    [60_000, 30_000],
  ])('gives a sign of life to who wants one within %d ms every %d ms', async (timeoutMs, intervalMs) => {
    const clock = new ManualClock()
    const request = new ScriptedRequest({})
    const monitor = new CallMonitor(request, timeoutMs, clock)
    await clock.pass(intervalMs - 1)
    expect(request.beats).toBe(0)
    await clock.pass(1)
    expect(request.beats).toBe(1)
    await clock.pass(intervalMs * 3)
    expect(request.beats).toBe(4)
    monitor.stop()
    await clock.pass(intervalMs * 3)
    expect(request.beats).toBe(4)
    expect(clock.armed).toBe(0)
  })

  it.each([
    ['is gone', () => Promise.resolve(false)],
    ['cannot be told', () => Promise.reject(new Error('no way'))],
  ])('stops when the caller %s', async (_, heard) => {
    const clock = new ManualClock()
    const request = new ScriptedRequest({})
    request.heard = heard
    const monitor = new CallMonitor(request, 2000, clock)
    await clock.pass(10_000)
    expect(request.beats).toBe(1)
    expect(clock.armed).toBe(0)
    monitor.stop()
  })

  it('does not go on when it is stopped within a sign of life', async () => {
    const clock = new ManualClock()
    const request = new ScriptedRequest({})
    const monitor = new CallMonitor(request, 2000, clock)
    request.heard = () => {
      monitor.stop()
      return Promise.resolve(true)
    }
    await clock.pass(10_000)
    expect(request.beats).toBe(1)
    expect(clock.armed).toBe(0)
  })

  it.each([2000, 2500, 1e15])('is possible within %d ms', (timeoutMs) => {
    expect(isMonitorable(timeoutMs)).toBe(true)
  })

  it.each([1999, 0, -5, Number.NaN, Infinity])('is not possible within %d ms', (timeoutMs) => {
    expect(isMonitorable(timeoutMs)).toBe(false)
  })
})
