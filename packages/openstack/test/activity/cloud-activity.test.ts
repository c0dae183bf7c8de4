import type { JsonObject, JsonValue } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import {
  cloudActivity,
  eventSample,
  loadCatalogue,
  NotificationEvent,
  normalizeNotification,
  type ActivityEvent,
} from '../../src/index.ts'
import { rawMessage, receivedAt, samples } from '../samples.ts'

const MANY = 3000

/** The first events of a cloud in which every event takes 250 ms. */
function eventsOf(seed: number, count = MANY): readonly ActivityEvent[] {
  let nowMs = receivedAt.getTime()
  const activity = cloudActivity({ seed, now: () => new Date((nowMs += 250)) })
  return Array.from({ length: count }, () => activity.next().value)
}

function normalized({
  exchange,
  publisherId,
  priority,
  eventType,
  payload,
  context,
}: ActivityEvent): NotificationEvent {
  const inMessage = Object.entries(context).map(([key, value]) => [`_context_${key}`, value] as const)
  return normalizeNotification(
    rawMessage(
      {
        publisher_id: publisherId,
        event_type: eventType,
        priority: priority.toUpperCase(),
        payload,
        ...Object.fromEntries(inMessage),
      },
      { exchange, routingKey: `notifications.${priority}` },
    ),
  )
}

/** Members that hold what somebody chose: any keys. */
const FREE = new Set(['metadata', 'properties', 'extra_specs'])

/** Every path of members in a value; elements of lists have the path of their list. */
function pathsOf(value: JsonValue, path = ''): readonly string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((one) => pathsOf(one, `${path}[]`)))]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => {
    const here = `${path}.${key}`
    return FREE.has(key) ? [here] : [here, ...pathsOf(member, here)]
  })
}

/** The catalogue of services is empty without a token. */
const withoutCatalogue = (path: string): boolean => !path.includes('.service_catalog[]')

const events = eventsOf(7)
const types = [...new Set(events.map(({ eventType }) => eventType))]
const ofType = (type: string): readonly ActivityEvent[] =>
  events.filter(({ eventType }) => eventType === type)
/** An event of the type, and its sample. */
const sampled = types.flatMap((type) => {
  const sample = eventSample(type)
  return sample === undefined ? [] : [[type, sample] as const]
})

describe('the activity of a cloud', () => {
  it('has what its services are known for, and failures', () => {
    expect(types).toEqual(
      expect.arrayContaining([
        'identity.authenticate',
        'scheduler.select_destinations.start',
        'compute.instance.create.end',
        'compute.instance.create.error',
        'compute.instance.finish_resize.end',
        'compute.instance.delete.end',
        'compute_task.build_instances',
        'port.create.end',
        'network.create.end',
        'subnet.create.end',
        'router.interface.create',
        'security_group_rule.create.end',
        'volume.attach.end',
        'volume.delete.end',
        'scheduler.create_volume',
      ]),
    )
    const failures = events.filter(({ priority }) => priority === 'error').length
    expect(failures / MANY).toBeGreaterThan(0.005)
    expect(failures / MANY).toBeLessThan(0.05)
  })

  it('begins with a login and a boot', () => {
    const firstTypes = new Set(eventsOf(1, 30).map(({ eventType }) => eventType))
    expect(firstTypes).toContain('identity.authenticate')
    expect(firstTypes).toContain('compute.instance.create.start')
  })

  it('is the same for the same seed, and another for another', () => {
    expect(eventsOf(11, 500)).toEqual(eventsOf(11, 500))
    expect(eventsOf(12, 50)).not.toEqual(eventsOf(11, 50))
  })

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('goes on without end from seed %i', (seed) => {
    const some = eventsOf(seed, 1500)
    expect(new Set(some.map(({ exchange }) => exchange))).toEqual(
      new Set(['keystone', 'nova', 'neutron', 'cinder']),
    )
  })
})

describe('the same after a long time', () => {
  it('has everything that it had', () => {
    const late = new Set(
      eventsOf(7, 30_000)
        .slice(-MANY)
        .map(({ eventType }) => eventType),
    )
    expect(types.filter((type) => !late.has(type))).toEqual([])
  })
})

describe('an event of it', () => {
  it('reads back as what it is', () => {
    for (const event of events) {
      const read = normalized(event)
      expect(read).toMatchObject({
        service: event.exchange,
        type: event.eventType,
        priority: event.priority,
        requestId: expect.stringMatching(/^req-[0-9a-f-]{36}$/) as string,
        userId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      })
      expect(read.publisher.host).toMatch(/^(controller|compute|storage)-\d/)
    }
  })

  it('is about something, but for what neutron is asked to create, which has no id yet', () => {
    const asks = ({ exchange, eventType }: ActivityEvent): boolean =>
      exchange === 'neutron' && eventType.endsWith('create.start')
    for (const event of events.filter((one) => !asks(one)))
      expect(normalized(event).resource.id).toMatch(/^[0-9a-f-]{32,36}$/)
  })

  it('belongs to a project, but for a login', () => {
    for (const event of events.filter(({ exchange }) => exchange !== 'keystone'))
      expect(normalized(event).projectId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('holds no secret, and nothing of the cloud whose events gave it its shape', () => {
    const text = JSON.stringify(events)
    for (const event of events) expect(normalized(event).masked).toBe(0)
    expect(text).not.toMatch(/gAAAA|\*\*\*/)
    const theirs = [
      ...new Set(samples.flatMap(({ body }) => body.match(/[0-9a-f]{32}|[0-9a-f-]{36}|\w+-29f40/g) ?? [])),
    ]
    expect(theirs.length).toBeGreaterThan(100)
    expect(theirs.filter((id) => text.includes(id))).toEqual([])
    expect(text).not.toMatch(/"(rig|vm|admin)"|\.(rig|vm)"|127\.0\.0\.1/)
  })

  it.each(sampled)('%s has the shape that a real service gave it', (type, sample) => {
    for (const { payload, context, exchange, priority } of ofType(type)) {
      expect({ exchange, priority }).toEqual({ exchange: sample.exchange, priority: sample.priority })
      expect(pathsOf(payload).toSorted()).toEqual(pathsOf(sample.payload).filter(withoutCatalogue).toSorted())
      expect(Object.keys(context)).toEqual(Object.keys(sample.context))
    }
  })

  it('is of a type that the catalogue knows; without a sample, with the members that it lists', () => {
    const { services } = loadCatalogue()
    const known = new Map(
      services.flatMap((service) => service.events.map((event) => [event.type, service] as const)),
    )
    const rest = types.filter((type) => eventSample(type) === undefined)
    expect(rest.length).toBeGreaterThan(3)
    expect(types.filter((type) => !known.has(type))).toEqual([])
    const cinder = JSON.parse(JSON.stringify(known.get('volume.create.end'))) as {
      payloads: { volume: { keys: string[] } }
    }
    const keys = cinder.payloads.volume.keys.filter((key) => !key.endsWith('?'))
    for (const { payload } of events.filter(({ eventType }) => eventType.startsWith('volume.')))
      expect(Object.keys(payload as JsonObject)).toEqual(keys)
    for (const { payload } of ofType('compute.instance.create.error'))
      expect(payload).toMatchObject({ code: 500, message: expect.any(String) as string, exception: {} })
  })
})

describe('a story of it', () => {
  const read = events.map(normalized)
  /** Events by the request that set them off, be it at another service. */
  const byRequest = new Map<string | null, NotificationEvent[]>()
  for (const event of read) {
    const id = event.globalRequestId ?? event.requestId
    byRequest.set(id, [...(byRequest.get(id) ?? []), event])
  }

  it('has one user and one project', () => {
    for (const story of byRequest.values()) {
      expect(new Set(story.map(({ userId }) => userId)).size).toBe(1)
      expect(new Set(story.map(({ projectId }) => projectId)).size).toBe(1)
    }
  })

  it('of a boot has one instance, on one host, with one port, up to its end', () => {
    const boots = [...byRequest.values()].filter((story) =>
      story.some(({ type }) => type === 'compute.instance.create.end'),
    )
    expect(boots.length).toBeGreaterThan(50)
    for (const story of boots) {
      expect(story.map(({ type }) => type)).toEqual([
        'scheduler.select_destinations.start',
        'scheduler.select_destinations.end',
        'compute.instance.update',
        'compute.instance.create.start',
        'port.create.start',
        'port.create.end',
        'port.update.start',
        'port.update.end',
        'compute.instance.create.end',
      ])
      const ids = story
        .filter(({ resource }) => resource.type === 'instance')
        .map(({ resource }) => resource.id)
      expect(new Set(ids).size).toBe(1)
      const end = story.at(-1)
      expect(story[7]?.payload).toMatchObject({ port: { device_id: ids[0], 'binding:host_id': end?.host } })
      expect(end?.payload).toMatchObject({ state: 'active', fixed_ips: [{ version: 4 }] })
      expect(story[3]?.publisher).toEqual(end?.publisher)
    }
  })

  it('ends what it starts, unless it fails', () => {
    // Stories under way at the end have not ended yet.
    const over = [...byRequest.values()].filter((story) =>
      story.every((event) => read.indexOf(event) < MANY - 200),
    )
    for (const story of over) {
      const happened = story.map(({ type }) => type)
      const ends = happened
        .filter((type) => type.endsWith('.start'))
        .map((type) => [happened.indexOf(type), happened.indexOf(type.replace(/start$/, 'end'))] as const)
      const failed = story.some(({ priority }) => priority === 'error')
      expect(ends.filter(([start, end]) => (end < 0 ? !failed : end < start))).toEqual([])
    }
  })

  it('touches no instance that is gone', () => {
    const gone = new Set<string>()
    for (const { type, resource } of read) {
      expect(gone).not.toContain(resource.id)
      if (type === 'compute.instance.delete.end') gone.add(resource.id as string)
    }
    expect(gone.size).toBeGreaterThan(20)
  })
})
