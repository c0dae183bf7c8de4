import { describe, expect, it } from 'vitest'
import { rpcExchangeOf, serviceOfRpcTarget } from '../src/index.ts'

describe('serviceOfRpcTarget', () => {
  it.each([
    ['compute', undefined, 'nova'],
    ['conductor', 'openstack', 'nova'],
    ['compute.host1', undefined, 'nova'],
    ['q-plugin', undefined, 'neutron'],
    ['q-agent-notifier-port-update', undefined, 'neutron'],
    ['dhcp_agent.host2', undefined, 'neutron'],
    ['cinder-volume.rig@rig', undefined, 'cinder'],
    ['ironic.conductor_manager', undefined, 'ironic'],
    ['barbican.workers', undefined, 'barbican'],
    ['anything', 'nova', 'nova'],
    ['anything', 'openstack', undefined],
    ['anything', 'mine', undefined],
    ['anything', undefined, undefined],
    ['computer', undefined, undefined],
    ['ironic', undefined, undefined],
    ['constructor', '__proto__', undefined],
    ['.', undefined, undefined],
    ['', undefined, undefined],
  ])('%s on %s is %s', (topic, exchange, service) => {
    expect(serviceOfRpcTarget(topic, exchange)).toBe(service)
  })
})

describe('rpcExchangeOf', () => {
  it.each([
    ['compute', 'nova'],
    ['q-plugin', 'neutron'],
    ['central', 'designate'],
    ['cinder-volume.host1@lvm', undefined],
    ['mine', undefined],
  ])('%s is on %s', (topic, exchange) => {
    expect(rpcExchangeOf(topic)).toBe(exchange)
  })
})
