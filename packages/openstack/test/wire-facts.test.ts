import { describe, expect, it } from 'vitest'
import { findEvents, normalizeNotification, type NotificationEvent } from '../src/index.ts'
import { rawMessage } from './samples.ts'

const CADF = { typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event', eventType: 'activity' }

function keystone(eventType: string, payload: object): NotificationEvent {
  return normalizeNotification(
    rawMessage({ event_type: eventType, payload, publisher_id: 'identity.host1' }, { exchange: 'keystone' }),
  )
}

/** What services really send, where it differs from what one would expect of them. */
describe('facts of the wire', () => {
  it('a type may hold a blank', () => {
    const event = keystone('identity.project tag.created', {
      ...CADF,
      outcome: 'success',
      resource_info: 'p1',
    })
    expect(event).toMatchObject({
      type: 'identity.project tag.created',
      resource: { type: 'project tag', id: 'p1' },
      phase: null,
    })
    expect(findEvents('identity.project tag.created')).toHaveLength(1)
  })

  it('a failed login comes at INFO, with a reason only for an unknown user', () => {
    const initiator = { id: 'u1', host: { address: '192.0.2.7', agent: 'curl/8' }, request_id: 'req-1' }
    const event = keystone('identity.authenticate', {
      ...CADF,
      outcome: 'failure',
      initiator,
      target: { id: 'made-up' },
      reason: { reasonCode: '401' },
    })
    expect(event).toMatchObject({
      priority: 'info',
      outcome: 'failure',
      requestId: 'req-1',
      resource: { type: 'user', id: 'u1' },
      initiator: { id: 'u1', ip: '192.0.2.7', agent: 'curl/8' },
    })
  })

  it('a change of group membership names its actor in the basic format', () => {
    const payload = { resource_info: 'g1', actor_id: 'u1', actor_type: 'user', actor_operation: 'added' }
    expect(keystone('identity.group.updated', payload)).toMatchObject({
      resource: { type: 'group', id: 'g1' },
      outcome: null,
      payload,
    })
  })

  it('neutron creates several at once under the plural', () => {
    const several = { ports: [{ id: 'p1' }, { id: 'p2' }] }
    const raw = rawMessage({ event_type: 'port.create.end', payload: several }, { exchange: 'neutron' })
    expect(normalizeNotification(raw).resource).toStrictEqual({ type: 'port', id: null, name: null })
    const one = rawMessage({ event_type: 'port.create.end', payload: { ports: [{ id: 'p1' }] } })
    expect(normalizeNotification(one).resource.id).toBe('p1')
  })

  it('neutron’s routers are updated on agents, whatever its documentation lists', () => {
    const payload = { agent: { id: 'a1', router_id: 'r1' } }
    const raw = rawMessage({ event_type: 'l3_agent.router.update', payload, publisher_id: 'router.host1' })
    expect(normalizeNotification(raw)).toMatchObject({
      service: 'neutron',
      resource: { type: 'router', id: 'r1' },
    })
  })

  it('heat’s user_id is a name', () => {
    const payload = {
      tenant_id: 't1',
      user_id: 'alice',
      user_identity: 'u-17',
      stack_identity: 's1',
      stack_name: 'web',
    }
    const raw = rawMessage({ event_type: 'orchestration.stack.create.end', payload }, { exchange: 'heat' })
    expect(normalizeNotification(raw)).toMatchObject({
      userId: 'u-17',
      projectId: 't1',
      resource: { type: 'stack', id: 's1', name: 'web' },
    })
    const old = rawMessage(
      {
        event_type: 'orchestration.stack.create.end',
        payload: { user_id: 'alice' },
        _context_user_id: 'u-18',
      },
      { exchange: 'heat' },
    )
    expect(normalizeNotification(old).userId).toBe('u-18')
  })

  it('glance sends a text as the payload of a failed upload', () => {
    const raw = rawMessage(
      {
        event_type: 'image.upload',
        priority: 'ERROR',
        payload: 'Image storage media is full',
        publisher_id: 'image.localhost',
      },
      { exchange: 'glance', routingKey: 'notifications.error' },
    )
    expect(normalizeNotification(raw)).toMatchObject({
      payload: 'Image storage media is full',
      priority: 'error',
      resource: { type: 'image', id: null },
      host: null,
    })
  })

  it('nova names exceptions by the Python function that failed', () => {
    const payload = { exception: { kwargs: {} }, args: { instance: 'x' } }
    const raw = rawMessage({ event_type: 'attach_volume', priority: 'ERROR', payload }, { exchange: 'nova' })
    expect(normalizeNotification(raw)).toMatchObject({
      service: 'nova',
      type: 'attach_volume',
      phase: null,
      resource: { type: null },
    })
  })

  it('designate sends every event of a zone twice, under an old name too', () => {
    const payload = { id: 'z1', name: 'example.org.', tenant_id: 't1' }
    for (const event_type of ['dns.zone.create', 'dns.domain.create']) {
      const event = normalizeNotification(
        rawMessage({ event_type, payload, publisher_id: 'central.host1' }, { exchange: 'designate' }),
      )
      expect(event.resource).toStrictEqual({ type: 'zone', id: 'z1', name: 'example.org.' })
    }
  })

  it('trove sends errors at INFO', () => {
    const raw = rawMessage({
      event_type: 'dbaas.instance_create.error',
      payload: { tenant_id: 't1', request_id: 'req-2', instance_id: 'i1' },
    })
    expect(normalizeNotification(raw)).toMatchObject({
      service: 'trove',
      phase: 'error',
      outcome: 'failure',
      priority: 'info',
      requestId: 'req-2',
      resource: { type: 'instance', id: 'i1' },
    })
  })

  it('octavia says no publisher, and sends the dictionary of its driver', () => {
    const raw = rawMessage(
      {
        event_type: 'octavia.loadbalancer.create.end',
        publisher_id: null,
        payload: { loadbalancer_id: 'lb1', name: 'web', project_id: 'p1', vip_address: '192.0.2.1' },
      },
      { exchange: 'octavia' },
    )
    expect(normalizeNotification(raw)).toMatchObject({
      service: 'octavia',
      publisher: { id: null, service: null, host: null },
      resource: { type: 'loadbalancer', id: 'lb1', name: 'web' },
      projectId: 'p1',
    })
  })

  it('cinder shares the exchange "openstack", and its host holds backend and pool', () => {
    const raw = rawMessage({
      event_type: 'volume.create.start',
      publisher_id: 'volume.host1@lvm#pool1',
      payload: {
        volume_id: 'v1',
        display_name: 'data',
        tenant_id: 't1',
        user_id: 'u1',
        host: 'host1@lvm#pool1',
      },
    })
    expect(normalizeNotification(raw)).toMatchObject({
      service: 'cinder',
      publisher: { service: 'volume', host: 'host1@lvm#pool1' },
      host: 'host1@lvm#pool1',
      resource: { type: 'volume', id: 'v1', name: 'data' },
    })
  })

  it('magnum tells the outcome in CADF', () => {
    const payload = {
      ...CADF,
      outcome: 'failure',
      target: { id: 'c1', name: 'k8s' },
      initiator: { id: 'u1' },
    }
    const raw = rawMessage({ event_type: 'magnum.cluster.create', payload }, { exchange: 'magnum' })
    expect(normalizeNotification(raw)).toMatchObject({
      outcome: 'failure',
      resource: { type: 'cluster', id: 'c1', name: 'k8s' },
      userId: 'u1',
    })
  })

  it('the audit filter sits in any API and names its target', () => {
    const payload = {
      ...CADF,
      outcome: 'success',
      target: { id: 't1', typeURI: 'service/compute/servers', name: 'nova' },
    }
    const raw = rawMessage(
      { event_type: 'audit.http.response', payload, publisher_id: 'nova-api' },
      { exchange: 'nova' },
    )
    expect(normalizeNotification(raw)).toMatchObject({
      service: 'nova',
      resource: { type: 'service/compute/servers', id: 't1', name: 'nova' },
    })
  })
})
