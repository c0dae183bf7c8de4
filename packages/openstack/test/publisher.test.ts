import { describe, expect, it } from 'vitest'
import { parsePublisher } from '../src/publisher.ts'

describe('parsePublisher', () => {
  it.each([
    ['compute.host1.example.org', 'compute', 'host1.example.org'],
    ['nova-compute:host1.example.org', 'nova-compute', 'host1.example.org'],
    ['nova-api:2001:db8::1', 'nova-api', '2001:db8::1'],
    ['volume.host1@lvm#pool', 'volume', 'host1@lvm#pool'],
    ['None.host1', null, 'host1'],
    ['host1', null, 'host1'],
    ['aggregate.7', 'aggregate', null],
    ['image.localhost', 'image', null],
    ['aodh.evaluator', 'aodh', null],
    ['sahara', 'sahara', null],
    // The audit filter says the name of its process.
    ['nova-api', 'nova-api', null],
    ['', null, null],
  ])('%s', (id, service, host) => {
    expect(parsePublisher(id)).toStrictEqual({ id: id === '' ? null : id, service, host })
  })
})
