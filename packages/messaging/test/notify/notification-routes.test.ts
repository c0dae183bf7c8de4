import { ConfigurationError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { NotificationRoutes } from '../../src/index.ts'

describe('NotificationRoutes', () => {
  it('has no drivers for an empty file', () => {
    for (const empty of [null, undefined, {}, { group_1: null }, { group_1: {} }]) {
      expect(new NotificationRoutes(empty).drivers).toEqual([])
      expect(new NotificationRoutes(empty).driversFor('an.event', 'info')).toEqual([])
    }
  })

  it('names every driver once', () => {
    expect(
      new NotificationRoutes({ group_1: { rpc: null, log: {} }, group_2: { rpc: null } }).drivers,
    ).toEqual(['rpc', 'log'])
  })

  it('chooses by event type', () => {
    const routes = new NotificationRoutes({
      group_1: { rpc: { accepted_events: ['foo.*', 'blah.zoo.*', 'zip'] } },
    })
    expect(routes.driversFor('unknown', 'info')).toEqual([])
    expect(routes.driversFor('foo.1', 'info')).toEqual(['rpc'])
    expect(routes.driversFor('foo', 'info')).toEqual([])
    expect(routes.driversFor('blah.zoo.zing', 'info')).toEqual(['rpc'])
    expect(routes.driversFor('zip', 'info')).toEqual(['rpc'])
  })

  it('chooses by priority, in any letter case', () => {
    const routes = new NotificationRoutes({ group_1: { rpc: { accepted_priorities: ['INFO', 'err*'] } } })
    expect(routes.driversFor('x', 'warn')).toEqual([])
    expect(routes.driversFor('x', 'INFO')).toEqual(['rpc'])
    expect(routes.driversFor('x', 'error')).toEqual(['rpc'])
  })

  it('wants both of one entry and one of several entries', () => {
    const routes = new NotificationRoutes({
      group_1: {
        rpc: { accepted_priorities: ['info'], accepted_events: ['foo.*'] },
        driver_1: { accepted_priorities: ['info'] },
        driver_2: { accepted_events: ['foo.*'] },
      },
      group_2: { driver_1: { accepted_events: ['bar'] } },
    })
    expect(routes.driversFor('foo.blah', 'warn')).toEqual(['driver_2'])
    expect(routes.driversFor('unknown', 'info')).toEqual(['driver_1'])
    expect(routes.driversFor('foo.blah', 'info')).toEqual(['rpc', 'driver_1', 'driver_2'])
    expect(routes.driversFor('bar', 'warn')).toEqual(['driver_1'])
  })

  it('accepts all where an entry has no list, and nothing where it is empty', () => {
    const routes = new NotificationRoutes({ g: { all: null, none: { accepted_events: [] } } })
    expect(routes.driversFor('x', 'sample')).toEqual(['all'])
  })

  it('names everything that no routing file holds', () => {
    const failure = (() => {
      try {
        return new NotificationRoutes({
          group_1: { rpc: 'foo', routing: null },
          group_2: ['log'],
          group_3: { log: { accepted_events: 'foo.*', accepted_priorities: ['warning'], colour: 'red' } },
        })
      } catch (error) {
        return error
      }
    })()
    expect(failure).toBeInstanceOf(ConfigurationError)
    expect((failure as ConfigurationError).issues).toEqual([
      "driver 'rpc' in group 'group_1' of the routing is no mapping of 'accepted_events' and 'accepted_priorities'",
      "driver 'routing' in group 'group_1' of the routing is the router itself",
      "group 'group_2' of the routing is no mapping of drivers",
      "'accepted_events' of driver 'log' in group 'group_3' of the routing is no list of texts",
      "'warning' of driver 'log' in group 'group_3' of the routing is no priority (they are audit, debug, info, warn, error, critical, sample)",
      "driver 'log' in group 'group_3' of the routing has an unknown member 'colour' ('accepted_events' and 'accepted_priorities' are known)",
    ])
    expect(() => new NotificationRoutes([])).toThrow('the routing is no mapping of groups')
  })
})
