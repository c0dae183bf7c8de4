import type { JsonObject } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { normalizeNotification } from '../src/index.ts'
import { unwrapVersionedObjects } from '../src/versioned-object.ts'
import { rawMessage } from './samples.ts'

const wrap = (namespace: string, name: string, version: string, data: JsonObject): JsonObject => ({
  [`${namespace}_object.name`]: name,
  [`${namespace}_object.namespace`]: namespace,
  [`${namespace}_object.version`]: version,
  [`${namespace}_object.data`]: data,
})

describe('unwrapVersionedObjects', () => {
  it('unwraps what is nested too, and keeps the schema of the outermost', () => {
    const flavor = wrap('nova', 'FlavorPayload', '1.4', { flavorid: 'f1', extra_specs: { a: 'b' } })
    const address = wrap('nova', 'IpPayload', '1.0', { address: '192.0.2.3' })
    const payload = wrap('nova', 'InstanceCreatePayload', '1.13', {
      uuid: 'i1',
      flavor,
      ip_addresses: [address],
      fault: null,
    })
    expect(unwrapVersionedObjects(payload)).toStrictEqual({
      payload: {
        uuid: 'i1',
        flavor: { flavorid: 'f1', extra_specs: { a: 'b' } },
        ip_addresses: [{ address: '192.0.2.3' }],
        fault: null,
      },
      schema: { name: 'InstanceCreatePayload', version: '1.13', namespace: 'nova' },
    })
  })

  it('gives back what holds no wrapper as it is', () => {
    const payload = { list: [1, { 'x_object.data': 'a name ending so' }], text: 'x' }
    const { payload: same, schema } = unwrapVersionedObjects(payload)
    expect(same).toBe(payload)
    expect(schema).toBeNull()
    expect(unwrapVersionedObjects('text')).toStrictEqual({ payload: 'text', schema: null })
  })

  it('keeps members called __proto__', () => {
    const payload = JSON.parse(
      `{"__proto__": ${JSON.stringify(wrap('nova', 'X', '1.0', { polluted: true }))}, "a": 1}`,
    ) as never
    const unwrapped = unwrapVersionedObjects(payload).payload as object
    expect(JSON.stringify(unwrapped)).toBe('{"__proto__":{"polluted":true},"a":1}')
    expect(Object.getPrototypeOf(unwrapped)).toBe(Object.prototype)
  })
})

describe('events of versioned notifications', () => {
  it.each([
    [
      'nova',
      'nova',
      'instance.create.end',
      'nova-compute:host1',
      { uuid: 'i1', display_name: 'vm', tenant_id: 't1', user_id: 'u1', host: 'host1', request_id: 'req-3' },
      { type: 'instance', id: 'i1', name: 'vm' },
    ],
    [
      'ironic',
      'ironic',
      'baremetal.node.power_set.end',
      'ironic-conductor.host1',
      { uuid: 'n1', name: 'node-1' },
      { type: 'node', id: 'n1', name: 'node-1' },
    ],
    [
      'watcher',
      'watcher',
      'action_plan.execution.end',
      'infra-optim:host1',
      { uuid: 'a1' },
      { type: 'action_plan', id: 'a1', name: null },
    ],
    [
      'masakari',
      'masakari',
      'notification.process.error',
      'masakari-engine:host1',
      { notification_uuid: 'x1' },
      { type: 'notification', id: 'x1', name: null },
    ],
  ] as const)('of %s', (service, namespace, event_type, publisher_id, data, resource) => {
    // On a shared exchange: the wrapper tells the service.
    const event = normalizeNotification(
      rawMessage({ event_type, publisher_id, payload: wrap(namespace, 'SomePayload', '1.2', data) }),
    )
    expect(event).toMatchObject({
      service,
      resource,
      payload: data,
      schema: { name: 'SomePayload', version: '1.2' },
      publisher: { id: publisher_id, host: 'host1' },
    })
  })

  it('take owner, request and host from the object', () => {
    const data = {
      uuid: 'i1',
      tenant_id: 't1',
      user_id: 'u1',
      host: 'host2',
      request_id: 'req-3',
      host_name: 'guest',
    }
    const payload = wrap('nova', 'InstancePayload', '1.8', data)
    const raw = rawMessage({ event_type: 'instance.update', publisher_id: 'nova-api:host1', payload })
    expect(normalizeNotification(raw)).toMatchObject({
      projectId: 't1',
      userId: 'u1',
      requestId: 'req-3',
      host: 'host2',
    })
  })
})
