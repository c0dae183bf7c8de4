import { HermodError, stringifyJson } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { eventToRecord, normalizeNotification, NotificationEvent } from '../src/index.ts'
import { rawBody, rawMessage, rawSample, receivedAt, samples } from './samples.ts'

const events = samples.map((sample) => normalizeNotification(rawSample(sample)))

function only(type: string): NotificationEvent {
  const event = events.find((candidate) => candidate.type === type)
  if (event === undefined) throw new Error(`no sample of type ${type}`)
  return event
}

const ADMIN = '912d592b0abe45f3a4b76754e38f135c'
const USER = '63e8200719d947c39f0a0f91ace9b5f9'
const PROJECT = 'baeeef62324e4fac8e857af24196ecb0'
const INSTANCE = '1b0feef2-e1e1-43a7-979d-c3e61f47b93d'

describe('samples of real services', () => {
  it('all have what every event has', () => {
    expect(events).toHaveLength(110)
    for (const event of events) {
      expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
      expect(event.time).toMatch(/^2026-11-22T07:5\d:\d\d\.\d{6}Z$/)
      expect(event.receivedAt).toBe('2026-11-22T08:00:00.000Z')
      expect(['keystone', 'neutron', 'nova']).toContain(event.service)
      expect(event.priority).toMatch(/^(?:info|error)$/)
      expect(event.resource.type).not.toBeNull()
      expect(event.envelope).toBe('2.0')
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(110)
  })

  // Written by hand from the bodies.
  it.each([
    [
      'identity.project.updated',
      'keystone',
      null,
      'project',
      '61f4212390604c12a88c5e4bd8f10463',
      null,
      PROJECT,
      ADMIN,
      'req-260b2a3b-2af4-4291-8c84-2725b93093b0',
      'vm',
    ],
    [
      'identity.authenticate',
      'keystone',
      null,
      'user',
      ADMIN,
      'admin',
      null,
      ADMIN,
      'req-86a4d874-6cb1-4c5f-a40c-43bedbaa5f2e',
      'vm',
    ],
    [
      'identity.role_assignment.created',
      'keystone',
      null,
      'role_assignment',
      null,
      null,
      PROJECT,
      ADMIN,
      null,
      'vm',
    ],
    ['identity.user.deleted', 'keystone', null, 'user', USER, null, null, null, null, 'vm'],
    [
      'network.create.start',
      'neutron',
      'start',
      'network',
      null,
      'net-29f40',
      PROJECT,
      ADMIN,
      'req-3c1cbb3d-e5b3-4ea7-a0a6-bc532b2104fd',
      'vm',
    ],
    [
      'network.update.start',
      'neutron',
      'start',
      'network',
      '4266ae7f-aaad-4de8-877f-196d43caf7f9',
      'net2-29f40',
      PROJECT,
      ADMIN,
      'req-c8cddfcc-a003-4bc8-8819-6842e96e2fc3',
      'vm',
    ],
    [
      'router.interface.create',
      'neutron',
      null,
      'router',
      '21caf0ca-fabb-43c1-9713-adce59a83d6b',
      null,
      PROJECT,
      ADMIN,
      'req-0f481c0b-5acc-4478-abc1-cbd72e0457ad',
      'vm',
    ],
    [
      'router.delete.end',
      'neutron',
      'end',
      'router',
      '21caf0ca-fabb-43c1-9713-adce59a83d6b',
      'r-29f40',
      PROJECT,
      ADMIN,
      'req-59c924c1-68b3-41c7-be93-637e21352e99',
      'vm',
    ],
    [
      'port.delete.end',
      'neutron',
      'end',
      'port',
      'c4c0a744-4549-4d60-b763-c10a69f0d182',
      'p2-29f40',
      PROJECT,
      ADMIN,
      only('port.delete.start').requestId,
      'rig',
    ],
    [
      'keypair.import.end',
      'nova',
      'end',
      'keypair',
      'key-29f40',
      'key-29f40',
      PROJECT,
      ADMIN,
      only('keypair.import.start').requestId,
      'rig',
    ],
    [
      'scheduler.select_destinations.start',
      'nova',
      'start',
      'instance',
      INSTANCE,
      null,
      PROJECT,
      ADMIN,
      'req-50e6b243-4778-456d-a292-945b8452862c',
      'rig',
    ],
    [
      'compute.instance.update',
      'nova',
      null,
      'instance',
      INSTANCE,
      'vm-29f40',
      PROJECT,
      ADMIN,
      'req-50e6b243-4778-456d-a292-945b8452862c',
      null,
    ],
    [
      'compute.instance.create.end',
      'nova',
      'end',
      'instance',
      INSTANCE,
      'vm-29f40',
      PROJECT,
      ADMIN,
      'req-50e6b243-4778-456d-a292-945b8452862c',
      'rig',
    ],
    [
      'compute_task.build_instances',
      'nova',
      null,
      'instance',
      'd6cd9440-2f7c-48d3-9a3b-143e923a6c88',
      null,
      PROJECT,
      ADMIN,
      'req-03c47cf8-bccf-4dec-be56-1f1eea9016bd',
      'rig',
    ],
    [
      'aggregate.create.end',
      'nova',
      'end',
      'aggregate',
      '1',
      'agg-29f40',
      PROJECT,
      ADMIN,
      'req-58ca38f9-3175-47a5-8287-272029639f17',
      null,
    ],
    [
      'aggregate.addhost.end',
      'nova',
      'end',
      'aggregate',
      '1',
      'agg-29f40',
      PROJECT,
      ADMIN,
      'req-c5fd42f6-98c0-4110-a6dc-dbee9d1a4954',
      'rig',
    ],
    [
      'servergroup.create',
      'nova',
      null,
      'server_group',
      '7d96e15c-ae09-4764-9358-e4cba0a06d5c',
      'sgrp-29f40',
      PROJECT,
      ADMIN,
      'req-4631802e-8046-41f5-831d-c5c44d305731',
      'rig',
    ],
  ] as const)('%s', (type, service, phase, resourceType, id, name, project, user, request, host) => {
    const event = only(type)
    expect(event).toMatchObject({
      service,
      phase,
      resource: { type: resourceType, id, name },
      projectId: project,
      userId: user,
      requestId: request,
      host,
    })
  })

  it('keep no token, neither as an object nor in either JSON', () => {
    const tokens = samples.flatMap(({ body }) => body.match(/gAAAA[\w-]{100,}/g) ?? [])
    expect(tokens.length).toBeGreaterThanOrEqual(3)
    const written = events
      .map((event) => JSON.stringify(event) + stringifyJson(eventToRecord(event)))
      .join('\n')
    expect(written).not.toContain('gAAAA')
    for (const token of tokens) expect(written).not.toContain(token.slice(10, 40))
    expect(events.filter(({ masked }) => masked > 0).map(({ type, masked }) => [type, masked])).toStrictEqual(
      [
        ['scheduler.select_destinations.start', 2],
        ['scheduler.select_destinations.end', 2],
        ['compute_task.build_instances', 4],
      ],
    )
  })

  it('lose nothing else to the masks', () => {
    const pairs: [NotificationEvent, NotificationEvent][] = []
    for (const [index, sample] of samples.entries()) {
      const plain = normalizeNotification(rawSample(sample), { mask: false })
      const event = events[index]!
      expect(event.context).toStrictEqual(plain.context)
      expect(plain.masked).toBe(0)
      pairs.push([event, plain])
    }
    const untouched = pairs.filter(([{ masked }]) => masked === 0)
    expect(untouched).toHaveLength(107)
    for (const [event, plain] of untouched) expect(event.payload).toStrictEqual(plain.payload)
  })

  it('name the initiator', () => {
    expect(only('identity.authenticate').initiator).toStrictEqual({
      id: ADMIN,
      name: 'admin',
      ip: '127.0.0.1',
      agent: 'python-requests/2.28.1',
    })
    expect(only('network.create.end').initiator).toStrictEqual({
      id: ADMIN,
      name: 'admin',
      ip: null,
      agent: null,
    })
    expect(only('identity.user.deleted').initiator).toBeNull()
  })
})

describe('the record', () => {
  it('has its keys in their order, and is what JSON.stringify writes', () => {
    const event = only('compute.instance.create.end')
    const record = eventToRecord(event)
    expect(Object.keys(record)).toStrictEqual([
      'v',
      'id',
      'time',
      'received_at',
      'service',
      'type',
      'phase',
      'priority',
      'publisher',
      'resource',
      'project_id',
      'user_id',
      'request_id',
      'global_request_id',
      'outcome',
      'initiator',
      'host',
      'schema',
      'payload',
      'context',
      'envelope',
      'transport',
      'masked',
    ])
    expect(record).toMatchObject({
      v: 1,
      publisher: 'compute.rig',
      envelope: '2.0',
      transport: {
        exchange: 'nova',
        routing_key: 'notifications.info',
        queue: 'hermod.tap.test',
        redelivered: false,
      },
    })
    expect(JSON.stringify(event)).toBe(JSON.stringify(record))
    expect(stringifyJson(record)).toBe(JSON.stringify(record))
  })

  it('writes the digits of large integers, and JSON.stringify writes them as text', () => {
    const body =
      '{"event_type": "a.b", "payload": {"big": 123456789012345678901234567890, "list": [NaN, {"x": -Infinity}]}}'
    const event = normalizeNotification(rawBody(body))
    expect(event.payload).toStrictEqual({
      big: 123456789012345678901234567890n,
      list: [NaN, { x: -Infinity }],
    })
    expect(stringifyJson(eventToRecord(event))).toContain('"big":123456789012345678901234567890,')
    expect(JSON.stringify(event)).toContain(
      '"payload":{"big":"123456789012345678901234567890","list":["NaN",{"x":"-Infinity"}]}',
    )
  })
})

describe('envelopes', () => {
  it('says which it was, and finds the same in both', () => {
    const message = {
      event_type: 'lease.create',
      message_id: 'm1',
      payload: { lease_id: 'l1' },
      priority: 'INFO',
    }
    const inner = JSON.stringify(message)
    const second = normalizeNotification(
      rawBody(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner })),
    )
    const first = normalizeNotification(rawBody(inner))
    expect(first.envelope).toBe('1.0')
    expect(second.envelope).toBe('2.0')
    expect(eventToRecord(first)).toStrictEqual({ ...eventToRecord(second), envelope: '1.0' })
  })

  it.each([
    ['no JSON', '{"event_type": '],
    ['no object', '[1]'],
    ['no event type', '{"message_id": "1"}'],
    [
      'a remote call',
      '{"method": "build", "args": {}, "event_type": "x", "_context_auth_token": "gAAAAsecret"}',
    ],
    ['a newer envelope', '{"oslo.version": "3.0", "oslo.message": "{}"}'],
    ['nothing', ''],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
  ])('refuses %s with a DecodeError that quotes nothing', (_, body) => {
    let refusal: unknown
    try {
      normalizeNotification(rawBody(body))
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(HermodError)
    expect(refusal).toMatchObject({ code: 'E_DECODE' })
    expect(JSON.stringify(refusal)).not.toContain('gAAAA')
  })
})

describe('what is missing', () => {
  it('an id: the unique id, else a hash of the body that is the same at every delivery', () => {
    expect(normalizeNotification(rawMessage({ message_id: null })).id).toBe(
      '4f1d2e3c5b6a79880011223344556677',
    )
    const bare = { event_type: 'a.b', payload: 1 }
    const first = normalizeNotification(rawBody(JSON.stringify(bare)))
    const again = normalizeNotification(rawBody(JSON.stringify(bare), { redelivered: true, queue: 'other' }))
    const other = normalizeNotification(rawBody(JSON.stringify({ ...bare, payload: 2 })))
    expect(first.id).toMatch(/^sha256:[0-9a-f]{32}$/)
    expect(again.id).toBe(first.id)
    expect(other.id).not.toBe(first.id)
    expect(normalizeNotification(rawMessage({ message_id: '' })).id).toBe('4f1d2e3c5b6a79880011223344556677')
  })

  it('a time: the audit event’s own, else that of receipt', () => {
    const payload = {
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      eventTime: '2026-11-22T07:51:08.69+0000',
    }
    expect(normalizeNotification(rawMessage({ timestamp: 'soon', payload })).time).toBe(
      '2026-11-22T07:51:08.69Z',
    )
    expect(normalizeNotification(rawMessage({ timestamp: null })).time).toBe(receivedAt.toISOString())
  })

  it('a priority: the end of the routing key', () => {
    const raw = rawMessage({ priority: undefined }, { routingKey: 'notifications.error' })
    expect(normalizeNotification(raw).priority).toBe('error')
    expect(normalizeNotification(rawMessage({ priority: 'WARNING' })).priority).toBe('warning')
  })

  it('everything but the type', () => {
    const event = normalizeNotification(rawBody('{"event_type": "made.up.thing"}', { exchange: 'elsewhere' }))
    expect(event).toMatchObject({
      service: 'elsewhere',
      publisher: { id: null, service: null, host: null },
      resource: { type: 'made', id: null, name: null },
      payload: null,
      context: {},
      projectId: null,
      host: null,
      outcome: null,
    })
  })
})
