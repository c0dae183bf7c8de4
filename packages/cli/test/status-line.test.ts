import type { TapStatus } from '@hermod/events'
import { ConnectionLostError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { statusLine } from '../src/status-line.ts'

const at = new Date('2026-11-22T09:00:04.200Z')
const error = new ConnectionLostError('the broker closed the socket')

describe('statusLine', () => {
  it.each<[TapStatus, boolean, string]>([
    [
      { type: 'connected', at, server: 'h:5672', queue: 'hermod.tap.1', bound: ['nova'], missing: [] },
      false,
      'connected to h:5672; tapping 1 exchange (queue hermod.tap.1)',
    ],
    [
      { type: 'bound', at, exchange: 'heat', unseenFrom: at },
      true,
      `exchange 'heat' appeared and is tapped now; what it carried since ${at.toISOString()} was not seen`,
    ],
    [{ type: 'disconnected', at, error }, true, 'connection lost (the broker closed the socket)'],
    [
      { type: 'reconnecting', at, attempt: 1, delayMs: 812, error: undefined },
      false,
      'trying again in 0.8 s',
    ],
    [
      { type: 'reconnecting', at, attempt: 2, delayMs: 1640, error },
      false,
      'cannot connect (the broker closed the socket); trying again in 1.6 s',
    ],
    [
      { type: 'gap', at, from: new Date('2026-11-22T09:00:00Z'), to: at, lengthMs: 4200 },
      true,
      'gap of 4.2 s: 2026-11-22T09:00:00.000Z to 2026-11-22T09:00:04.200Z: events in between were not seen',
    ],
    [
      { type: 'ring-dropped', at, dropped: 3, total: 12 },
      true,
      'dropped 3 events, 12 in all: they arrive faster than the output takes them',
    ],
    [
      { type: 'tap-full', at, depth: 50_000, limit: 50_000 },
      true,
      'tap full: the broker may have dropped events (50000 of at most 50000 wait in its queue)',
    ],
    [
      {
        type: 'unreadable',
        at,
        exchange: 'nova',
        routingKey: 'notifications.info',
        reason: 'no JSON',
        total: 2,
      },
      true,
      "unreadable message on exchange 'nova' with routing key 'notifications.info' (no JSON); 2 so far",
    ],
    [{ type: 'warning', at, message: 'no permission' }, true, 'no permission'],
  ])('%j', (status, loss, text) => {
    expect(statusLine(status)).toEqual({ loss, text })
  })
})
