import { describe, expect, it } from 'vitest'
import { serviceOf, serviceOfType } from '../src/service-of.ts'

describe('serviceOf', () => {
  const clues = { exchange: 'openstack', eventType: 'x.y', publisherService: null, objectNamespace: null }

  it.each([
    ['an exchange of its own first', { exchange: 'nova', eventType: 'volume.create.start' }, 'nova'],
    ['an exchange that is named otherwise', { exchange: 'dns' }, 'designate'],
    ['the wrapper of the payload', { eventType: 'service.update', objectNamespace: 'watcher' }, 'watcher'],
    ['the type', { eventType: 'volume.create.start', publisherService: 'other' }, 'cinder'],
    ['the type, of two that begin alike', { eventType: 'volume.usage' }, 'nova'],
    ['the type, down to its phase', { eventType: 'flavor.create.end' }, 'neutron'],
    [
      'the publisher where two services send the type',
      { eventType: 'segment.create.end', publisherService: 'masakari-api' },
      'masakari',
    ],
    [
      'the publisher where the type is unknown',
      { eventType: 'attach_volume', publisherService: 'compute' },
      'nova',
    ],
    ['the publisher’s own word', { publisherService: 'billing' }, 'billing'],
    ['the exchange at last', { exchange: 'made_up' }, 'made_up'],
  ])('%s', (_, changes, service) => {
    expect(serviceOf({ ...clues, ...changes })).toBe(service)
  })

  it('takes no longer for a type that is longer than any', () => {
    expect(serviceOfType('.'.repeat(8_000_000))).toBeUndefined()
    expect(serviceOfType(`hardware.${'ipmi.'.repeat(1_000_000)}`)).toBe(serviceOfType('hardware.x'))
  })

  it('knows no single service for what several send', () => {
    expect(serviceOfType('segment.create.start')).toBeUndefined()
    expect(serviceOfType('audit.http.request')).toBeUndefined()
    expect(serviceOfType('scheduler.anything')).toBeUndefined()
    expect(serviceOfType('')).toBeUndefined()
    expect(serviceOfType('hardware.ipmi.metrics')).toBe('ironic')
  })
})
