import { stringifyJson } from '@hermod/kernel'
import { findPython, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import type { EventRecord } from '@hermod/openstack'
import { PRIORITIES } from '@hermod/messaging'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokerSnapshot, deserted, queueCounts } from './broker-snapshot.ts'
import { DECLARED_EXCHANGES, declareExchanges } from './declare-exchanges.ts'
import { remoteCall } from './remote-call.ts'
import { startListen, type RunningListen } from './running-listen.ts'
import { SECRETS, SECRET_CONTEXT, SECRET_PAYLOAD } from './secret-payload.ts'
import { startPeer } from './start-peer.ts'
import { samples } from './wire-samples.ts'

const gate = needs(findBroker('administer'), findPython(['oslo_messaging', 'kombu', 'pika']))

const DRIVERS = ['messaging', 'messagingv2'] as const

/** An exchange, who publishes there, and what. */
const EMITTERS = [
  { exchange: 'nova', service: 'nova', publisher: 'compute.host1', type: 'compute.instance.update' },
  { exchange: 'neutron', service: 'neutron', publisher: 'network.host2', type: 'port.update.end' },
  { exchange: 'openstack', service: 'cinder', publisher: 'volume.host3@lvm#pool', type: 'volume.update.end' },
] as const

/** Nobody reads this second topic: its queues show how many copies each of them got. */
const UNREAD_TOPIC = 'archive'

const MIB = 1024 * 1024
const ASTRAL = '𝒩ova 🛰️ ünïcode \u202e \u2028 ☃ \ud83d alone'

/** Payloads as JSON text, since `JSON.stringify` cannot say all of this. */
const PAYLOADS = {
  unicode: JSON.stringify({ display_name: ASTRAL, '🔑name': ['𐍈', ''] }),
  large: JSON.stringify({ blob: `é${'x'.repeat(MIB)}` }),
  numbers:
    '{"big": 18446744073709551617, "negative": -18446744073709551617, "huge": 1e400, "nan": NaN, "up": Infinity, "down": -Infinity, "list": [9007199254740993, NaN], "real": 0.1}',
  prototype: '{"__proto__": {"polluted": true, "id": "x"}, "constructor": {"prototype": {"polluted": true}}}',
  secret: stringifyJson(SECRET_PAYLOAD),
} as const

interface Emitted {
  readonly id: string
  readonly kind: 'matrix' | keyof typeof PAYLOADS
  readonly exchange: string
  readonly service: string
  readonly publisher: string
  readonly type: string
  readonly priority: string
  readonly driver: (typeof DRIVERS)[number]
}

/** One emission with a real Notifier; the payload is JSON text as Python reads it. */
type Emit = (emitted: Omit<Emitted, 'id'>, payload: string, context?: string) => Promise<Emitted>

/** Every priority with both drivers on each exchange, then every odd payload; and remote calls in between. */
async function emitAll(url: string): Promise<readonly Emitted[]> {
  await using notifier = startPeer('oslo_notify')
  await using pika = startPeer('pika_publish')
  const emit: Emit = async (facts, payload, context = '{}') => {
    const { exchange, type, priority, driver, publisher } = facts
    const command = { url, exchange, event_type: type, priority, driver, publisher_id: publisher }
    const topics = { topics: ['notifications', UNREAD_TOPIC] }
    const text = JSON.stringify({ ...command, ...topics }).slice(0, -1)
    const { message_id } = await notifier.ask(`${text}, "payload": ${payload}, "context": ${context}}`)
    return { ...facts, id: String(message_id) }
  }
  const emitted: Emitted[] = []
  for (const { exchange, service, publisher, type } of EMITTERS) {
    const from = { exchange, service, publisher }
    for (const topic of ['compute.host1', 'conductor']) {
      const bind = { exchange, routing_key: topic }
      const call = { exchange, routing_key: topic, mandatory: true, ...remoteCall() }
      await pika.ask({ url, queue: { name: topic, bind }, ...call })
    }
    for (const driver of DRIVERS) {
      for (const priority of PRIORITIES) {
        const payload = JSON.stringify({ exchange, driver, priority })
        emitted.push(await emit({ ...from, kind: 'matrix', type, priority, driver }, payload))
      }
      for (const kind of Object.keys(PAYLOADS) as (keyof typeof PAYLOADS)[]) {
        const facts = { ...from, kind, type: `odd.${kind}`, priority: 'info', driver }
        emitted.push(await emit(facts, PAYLOADS[kind], JSON.stringify(SECRET_CONTEXT)))
      }
    }
  }
  return emitted
}

/** A mark behind everything else: what an exchange carries is in order. */
async function emitMarks(url: string, exchanges: readonly string[]): Promise<void> {
  await using notifier = startPeer('oslo_notify')
  for (const exchange of exchanges) {
    await notifier.ask({ url, exchange, event_type: `mark.${exchange}`, priority: 'debug' })
  }
}

async function showMarks(listen: RunningListen, exchanges: readonly string[]): Promise<void> {
  for (const exchange of exchanges) await listen.showing(`mark.${exchange}`)
}

/** Ids of the `notifications.info` that a real listener got, sorted. */
async function listenerIds(
  url: string,
  emit: () => Promise<readonly Emitted[]>,
): Promise<{ readonly emitted: readonly Emitted[]; readonly heard: readonly string[] }> {
  const targets = EMITTERS.map(({ exchange }) => ({ exchange, topic: 'notifications' }))
  await using listener = startPeer('oslo_listen', { url, targets })
  await listener.until((line) => line['ready'] === true)
  const emitted = await emit()
  const heard: string[] = []
  for (const _ of emitted) heard.push(String((await listener.next())['message_id']))
  return { emitted, heard }
}

const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id).toSorted()

/** A versioned object as oslo.versionedobjects wraps it. */
const versioned = (namespace: string, name: string, version: string, data: object): object => ({
  [`${namespace}_object.namespace`]: namespace,
  [`${namespace}_object.name`]: name,
  [`${namespace}_object.version`]: version,
  [`${namespace}_object.data`]: data,
})

const isOurs = (name: string): boolean => name.startsWith('hermod')

const byId = (a: { id?: string | undefined }, b: { id?: string | undefined }): number =>
  String(a.id) < String(b.id) ? -1 : 1

describe.skipIf(gate.skip)(`hermod listen before real oslo.messaging${gate.note}`, () => {
  let broker: BrokerFixture
  beforeAll(async () => {
    broker = await startBroker()
    for (const vhost of ['untapped', 'tapped']) await broker.createVhost(vhost)
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  describe('with a listener of oslo.messaging beside it', () => {
    let emitted: readonly Emitted[] = []
    let heard: readonly string[] = []
    let heardUntapped: readonly string[] = []
    let events: readonly EventRecord[] = []
    let lines: readonly string[] = []
    let stderr = ''
    let exitCode: number | null = null
    let counts: { readonly untapped: unknown; readonly tapped: unknown }
    let whileTapped: Awaited<ReturnType<typeof brokerSnapshot>>
    let before: Awaited<ReturnType<typeof brokerSnapshot>>
    let after: Awaited<ReturnType<typeof brokerSnapshot>>
    const eventOf = ({ id }: Emitted): EventRecord => events.find((event) => event.id === id) as EventRecord
    const lineOf = ({ id }: Emitted): string => lines.find((line) => line.includes(id)) as string
    const odd = (kind: keyof typeof PAYLOADS): readonly Emitted[] =>
      emitted.filter((facts) => facts.kind === kind)

    beforeAll(async () => {
      const untappedUrl = broker.urlFor({ vhost: 'untapped' })
      const url = broker.urlFor({ vhost: 'tapped' })
      const exchanges = EMITTERS.map(({ exchange }) => exchange)
      heardUntapped = (await listenerIds(untappedUrl, () => emitAll(untappedUrl))).heard
      await emitMarks(untappedUrl, exchanges)
      await declareExchanges(url)
      before = await deserted(broker, 'tapped')
      await using listen = await startListen(['-o', 'ndjson'], { url }).tapping()
      const tapped = await listenerIds(url, () => emitAll(url))
      whileTapped = await brokerSnapshot(broker, 'tapped')
      await emitMarks(url, exchanges)
      await showMarks(listen, exchanges)
      counts = {
        tapped: (await queueCounts(broker, 'tapped')).filter(({ name }) => !name.startsWith('hermod.tap.')),
        untapped: await queueCounts(broker, 'untapped'),
      }
      listen.signal('SIGINT')
      exitCode = (await listen.ended).code
      after = await deserted(broker, 'tapped')
      emitted = tapped.emitted
      heard = tapped.heard
      lines = listen.lines
      events = listen.events.filter(({ type }) => !type.startsWith('mark.'))
      stderr = listen.stderr
    }, 120_000)

    it('shows each exactly once', () => {
      expect(emitted).toHaveLength(3 * 2 * (7 + 5))
      expect(idsOf(events)).toEqual(idsOf(emitted))
      expect(exitCode).toBe(130)
    })

    it('shows the right fields, priorities in lower case', () => {
      for (const facts of emitted) {
        const { exchange, service, publisher, type, priority, driver, id } = facts
        expect(eventOf(facts)).toMatchObject({
          v: 1,
          id,
          service,
          type,
          phase: type.endsWith('.end') ? 'end' : null,
          priority,
          publisher,
          envelope: driver === 'messaging' ? '1.0' : '2.0',
          transport: { exchange, routing_key: `notifications.${priority}`, redelivered: false },
          ...(facts.kind === 'matrix' ? { payload: { exchange, driver, priority }, context: {} } : {}),
        })
        const { time, received_at, transport, ...rest } = eventOf(facts)
        expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
        expect(Math.abs(Date.parse(received_at) - Date.parse(time))).toBeLessThan(60_000)
        expect(transport.queue).toMatch(/^hermod\.tap\.[0-9a-f]{16}$/)
        expect(Object.keys(rest)).toEqual(
          expect.arrayContaining(['resource', 'project_id', 'user_id', 'request_id', 'payload', 'context']),
        )
      }
    })

    it('keeps unicode, with nothing in it that steers a terminal', () => {
      expect(odd('unicode')).toHaveLength(6)
      for (const facts of odd('unicode')) {
        expect(eventOf(facts).payload).toEqual(JSON.parse(PAYLOADS.unicode))
        expect(lineOf(facts)).toContain('𝒩ova 🛰️ ünïcode \\u202e \\u2028 ☃ \\ud83d alone')
      }
    })

    it('keeps a payload of more than 1 MiB', () => {
      for (const facts of odd('large')) expect(eventOf(facts).payload).toEqual(JSON.parse(PAYLOADS.large))
    })

    it('writes big integers with all digits, and NaN and infinities as strict JSON', () => {
      for (const facts of odd('numbers')) {
        const line = lineOf(facts)
        expect(line).toContain('"big":18446744073709551617')
        expect(line).toContain('"negative":-18446744073709551617')
        expect(line).toContain('"list":[9007199254740993,"NaN"]')
        expect(eventOf(facts).payload).toMatchObject({
          nan: 'NaN',
          up: 'Infinity',
          down: '-Infinity',
          huge: 'Infinity',
          real: 0.1,
        })
      }
    })

    it('keeps members called __proto__ as what they are', () => {
      for (const facts of odd('prototype')) {
        const payload = eventOf(facts).payload as Record<string, unknown>
        expect(Object.getOwnPropertyDescriptor(payload, '__proto__')?.value).toEqual({
          polluted: true,
          id: 'x',
        })
        expect(Object.getOwnPropertyDescriptor(payload, 'constructor')?.value).toEqual({
          prototype: { polluted: true },
        })
      }
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    })

    it('shows no secret anywhere, and says that it masked them', () => {
      const sent = PAYLOADS.secret + JSON.stringify(SECRET_CONTEXT)
      expect(SECRETS.filter((secret) => !sent.includes(secret))).toEqual([])
      for (const secret of SECRETS) {
        expect(lines.filter((line) => line.includes(secret))).toEqual([])
        expect(stderr).not.toContain(secret)
      }
      for (const facts of odd('secret')) expect(eventOf(facts).masked).toBeGreaterThan(10)
    })

    it('never gets remote calls, which travel on the same exchanges', () => {
      const queues = whileTapped.queues.filter((name) => name.startsWith('hermod.tap.'))
      expect(queues).toHaveLength(1)
      const keys = whileTapped.bindings.filter(({ destination }) => destination === queues[0])
      expect(new Set(keys.map(({ source }) => source))).toEqual(new Set(DECLARED_EXCHANGES))
      expect(new Set(keys.map(({ routingKey }) => routingKey))).toEqual(
        new Set(['notifications.*', 'versioned_notifications.*', 'ironic_versioned_notifications.*']),
      )
      // One that had come would have been counted as unreadable.
      expect(stderr).not.toContain('unreadable')
      expect(lines.filter((line) => line.includes('build_and_run_instance'))).toEqual([])
      expect(counts.tapped).toContainEqual({ name: 'conductor', messages: 3 })
    })

    it('takes nothing away from the listener, nor from any queue', () => {
      expect(heard.toSorted()).toEqual(idsOf(emitted))
      expect(heardUntapped).toHaveLength(emitted.length)
      expect(counts.tapped).toEqual(counts.untapped)
      expect(counts.tapped).toContainEqual({ name: `${UNREAD_TOPIC}.info`, messages: 3 * 2 * 6 })
    })

    it('leaves no queue, binding, exchange or connection behind', () => {
      expect(after.queues.filter(isOurs)).toEqual([])
      expect(after.bindings.filter(({ destination }) => isOurs(destination))).toEqual([])
      expect(after.exchanges).toEqual(before.exchanges)
      expect(after.connections).toEqual(before.connections)
    })
  })

  it('shows versioned notifications unwrapped', async () => {
    await broker.createVhost('versioned')
    const url = broker.urlFor({ vhost: 'versioned' })
    await declareExchanges(url, ['nova', 'ironic'])
    await using listen = await startListen(['-n', '2', '-o', 'ndjson'], { url }).tapping()
    await using notifier = startPeer('oslo_notify')
    const uuid = '178b0921-8f85-4257-88b6-2e743b5a975c'
    const flavor = versioned('nova', 'FlavorPayload', '1.4', { name: 'm1.small', vcpus: 2 })
    const instance = { uuid, display_name: 'web-1', flavor, ip_addresses: [] }
    await notifier.ask({
      url,
      exchange: 'nova',
      topics: ['versioned_notifications'],
      publisher_id: 'nova-compute:host1',
      event_type: 'instance.create.end',
      payload: versioned('nova', 'InstanceCreatePayload', '1.12', instance),
    })
    const node = { uuid, name: 'node-7', power_state: 'power on' }
    await notifier.ask({
      url,
      exchange: 'ironic',
      topics: ['ironic_versioned_notifications'],
      publisher_id: 'ironic-conductor.host1',
      event_type: 'baremetal.node.power_set.end',
      priority: 'warn',
      payload: versioned('ironic', 'NodeSetPowerStatePayload', '1.17', node),
    })
    expect((await listen.ended).code).toBe(0)
    const bySchema = listen.events.toSorted((a, b) => (a.service < b.service ? 1 : -1))
    expect(bySchema).toEqual([
      expect.objectContaining({
        service: 'nova',
        type: 'instance.create.end',
        phase: 'end',
        priority: 'info',
        resource: { type: 'instance', id: uuid, name: 'web-1' },
        schema: { name: 'InstanceCreatePayload', version: '1.12' },
        payload: { uuid, display_name: 'web-1', flavor: { name: 'm1.small', vcpus: 2 }, ip_addresses: [] },
        transport: expect.objectContaining({ routing_key: 'versioned_notifications.info' }) as unknown,
      }),
      expect.objectContaining({
        service: 'ironic',
        type: 'baremetal.node.power_set.end',
        priority: 'warn',
        resource: expect.objectContaining({ id: uuid, name: 'node-7' }) as unknown,
        schema: { name: 'NodeSetPowerStatePayload', version: '1.17' },
        payload: node,
        transport: expect.objectContaining({ routing_key: 'ironic_versioned_notifications.warn' }) as unknown,
      }),
    ])
  })

  it('shows notifications of real services, byte for byte as they were, without their tokens', async () => {
    const url = broker.url
    await declareExchanges(url, [...new Set(samples.map(({ exchange }) => exchange))])
    await using listen = await startListen(['-n', String(samples.length)], { url }).tapping()
    await using pika = startPeer('pika_publish')
    for (const { exchange, routing_key, properties, headers, body } of samples) {
      const body_base64 = Buffer.from(body).toString('base64')
      await pika.ask({ url, exchange, routing_key, properties: { ...properties, headers }, body_base64 })
    }
    expect((await listen.ended).code).toBe(0)
    const wanted = samples.map(({ exchange, routing_key, body }) => {
      const { 'oslo.message': inner } = JSON.parse(body) as { 'oslo.message'?: string }
      const message = JSON.parse(inner ?? body) as Record<string, string>
      return {
        id: message['message_id'],
        service: exchange,
        type: message['event_type'],
        publisher: message['publisher_id'],
        priority: message['priority']?.toLowerCase(),
        envelope: inner === undefined ? '1.0' : '2.0',
        routing_key,
      }
    })
    const shown = listen.events.map(({ id, service, type, publisher, priority, envelope, transport }) => ({
      id,
      service,
      type,
      publisher,
      priority,
      envelope,
      routing_key: transport.routing_key,
    }))
    expect(shown.toSorted(byId)).toEqual(wanted.toSorted(byId))
    const tokens = new Set(samples.flatMap(({ body }) => body.match(/gAAAA[\w-]{20,}/g) ?? []))
    expect(tokens.size).toBeGreaterThan(0)
    for (const token of tokens) expect(listen.output).not.toContain(token.slice(0, 24))
    expect(listen.events.filter(({ masked }) => masked > 0).length).toBeGreaterThanOrEqual(3)
    expect(listen.stderr).not.toContain('unreadable')
  })
})
