import { setTimeout as sleep } from 'node:timers/promises'
import { rabbit } from '@hermod/driver-rabbit'
import { parsePythonJson, type JsonValue } from '@hermod/kernel'
import {
  createNotificationListener,
  createNotifier,
  createRpcClient,
  createRpcServer,
  createTransport,
  defineEndpoint,
  RemoteException,
} from '@hermod/messaging'
import { findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { startFrameTap, type FrameTap, type TappedMethod } from './frame-tap.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'
import { QUEUE_MODES, type QueueMode } from './queue-modes.ts'

const MODES: readonly QueueMode[] = [
  ...QUEUE_MODES,
  { name: 'queue manager', query: 'use_queue_manager=true&processname=peer', old: false },
  { name: 'replies that need no queue', query: 'direct_mandatory_flag=false', old: true },
  { name: 'compression', query: 'kombu_compression=gzip', old: true },
]

/** What counts as declared, each once: connections and channels differ, and with them how often something is said. */
const DECLARING: ReadonlySet<string> = new Set([
  'exchange.declare',
  'queue.declare',
  'queue.bind',
  'queue.delete',
  'basic.consume',
])

const rabbitMq = findBroker('administer')

describe.each(OSLO_PYTHONS)('what oslo.messaging $release sends', ({ release, python, availability }) => {
  const gate = needs(rabbitMq, availability)
  const modes = MODES.filter(({ old }) => old || release === 'newest')

  describe.skipIf(gate.skip)(`is what Hermod sends${gate.note}`, () => {
    let broker: BrokerFixture
    const taps = new Map<string, FrameTap>()
    /** What becomes of Hermod's part in each mode. */
    let sending: readonly Promise<void>[]

    async function tappedUrl(name: string, { query }: QueueMode): Promise<string> {
      await broker.createVhost(name)
      const tap = await startFrameTap(broker)
      taps.set(name, tap)
      // Their own counters for the names of queues.
      const host = query.includes('use_queue_manager') ? `&hostname=capture-${process.pid}-${name}` : ''
      return `${tap.urlFor(broker.urlFor({ vhost: name }))}?${query}${host}`
    }

    const tappedBy = (name: string): readonly TappedMethod[] => taps.get(name)?.methods ?? []

    beforeAll(async () => {
      broker = await startBroker()
      // All modes at the same time, for most of it is waiting.
      const urls = await Promise.all(modes.map((mode, index) => tappedUrl(`python-${index}`, mode)))
      await using peer = startPeer('oslo_frames', { urls }, python)
      sending = modes.map(async (mode, index) => sendAsHermod(await tappedUrl(`hermod-${index}`, mode)))
      await Promise.allSettled(sending)
      for (const _ of urls) {
        const end = await peer.next()
        if (!('done' in end)) throw new Error(JSON.stringify(end))
      }
    })
    afterAll(async () => {
      for (const tap of taps.values()) await tap[Symbol.asyncDispose]()
      await broker?.[Symbol.asyncDispose]()
    })

    it.each(modes.map((mode, index) => ({ ...mode, index })))('in the mode $name', async ({ index }) => {
      await sending[index]
      const [ours, theirs] = [tappedBy(`hermod-${index}`), tappedBy(`python-${index}`)]
      expect(published(theirs)).toHaveLength(32)
      expect(declared(ours)).toEqual(declared(theirs))
      expect(published(ours)).toEqual(published(theirs))
    })

    it('and none of them is what it sends in another mode', () => {
      const texts = modes.map((_, index) => {
        const methods = tappedBy(`python-${index}`)
        return JSON.stringify([declared(methods), published(methods)])
      })
      expect(new Set(texts).size).toBe(modes.length)
    })
  })
})

/** The same as the peer `oslo_frames`. */
async function sendAsHermod(url: string): Promise<void> {
  const options = { drivers: [rabbit()], controlExchange: 'peer' }
  await using rpc = createTransport(url.replace('amqp:', 'rabbit:'), options)
  await using notifications = createTransport(url.replace('amqp:', 'rabbit:'), options)
  const endpoint = defineEndpoint(
    {
      echo: ({ arg = null }: { arg?: JsonValue }) => arg,
      fail({ message }: { message: string }): never {
        throw new RemoteException('ValueError', message)
      },
      async delay({ seconds }: { seconds: number }) {
        await sleep(seconds * 1000)
      },
    },
    { namespace: 'ns', version: '1.1', legacyNamespaces: [undefined] },
  )
  await using server = createRpcServer(
    rpc,
    { topic: 'test', server: 'server1' },
    { endpoints: [endpoint], concurrency: 1 },
  )
  const handlers = { info() {}, error() {} }
  await using listener = createNotificationListener(notifications, {
    topics: ['listened'],
    endpoints: [handlers],
  })
  await using pooled = createNotificationListener(notifications, {
    targets: [{ topic: 'pooled' }, { topic: 'pooled', exchange: 'other' }],
    endpoints: [handlers],
    pool: 'pool1',
  })
  for (const one of [server, listener, pooled]) await one.start()

  const context = { user: 'u-17', roles: ['member'], none: null }
  const target = { topic: 'test', namespace: 'ns', version: '1.0' }
  const client = createRpcClient(rpc, target, { timeoutMs: 30_000 })
  await client.call('echo', { arg: [1, 'é\u{1f600}', null, { a: 0.5 }] }, { context })
  await client.prepare({ server: 'server1' }).call('echo', { arg: null })
  await client.prepare({ server: 'server1' }).call('echo', { arg: {} })
  await expect(client.call('fail', { message: 'gone' })).rejects.toThrow('gone')
  // One sign of life after four seconds: two before and two after it are for what delays either side.
  await client.prepare({ callMonitorTimeoutMs: 8000 }).call('delay', { seconds: 6 })
  const sure = client.prepare({ atLeastOnce: true })
  await sure.call('echo', { arg: false })
  await sure.cast('echo', { arg: 2 })
  await client.cast('echo', { arg: 1 }, { context })
  await client.prepare({ namespace: undefined, version: undefined }).cast('echo')
  await client.prepare({ server: 'server1' }).cast('echo', { arg: 1 })
  await client.prepare({ fanout: true }).cast('echo', { arg: 1 })
  await client.prepare({ fanout: true, topic: 'nobody' }).cast('echo', { arg: 1 })
  await client.prepare({ exchange: 'other', topic: 'nobody' }).cast('echo', { arg: 1 })

  // One topic at a time, for in which order several are sent is nobody's business.
  for (const topic of ['listened', 'unheard']) {
    for (const driver of ['messagingv2', 'messaging']) {
      const emitter = { publisherId: 'peer.host', drivers: [driver], topics: [topic] }
      const notifier = createNotifier(notifications, emitter)
      await notifier.info('some.event', { text: 'é', number: 1.5, none: null })
      await notifier.prepare({ publisherId: 'other.host' }).warn('some.event', [])
      await notifier.sample('some.event', 'text')
    }
  }
}

/** What was declared and consumed, without order and repetition. */
function declared(methods: readonly TappedMethod[]): readonly unknown[] {
  const texts = methods
    .filter(({ method }) => DECLARING.has(method.name))
    .map(({ method }) => {
      const args = { ...method.args, ...('consumerTag' in method.args && { consumerTag: '<tag>' }) }
      return masked(JSON.stringify([method.name, sortedKeys(args)]))
    })
  return [...new Set(texts)].toSorted((one, other) => (one < other ? -1 : 1))
}

/** What was published, in order, its bodies read as far as they go. */
function published(methods: readonly TappedMethod[]): readonly unknown[] {
  return methods.flatMap(({ method, properties, body }) => {
    if (method.name !== 'basic.publish') return []
    const content = bodyOf(parsePythonJson(body ?? ''))
    return [masked(JSON.stringify([method.args, sortedKeys(properties ?? {}), content], null, 1)).split('\n')]
  })
}

/** JSON in texts in JSON, read; the lines of a traceback, which are about programs, left out. */
function bodyOf(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if ((key === 'oslo.message' || key === 'failure') && typeof member === 'string')
        return [key, { text: bodyOf(parsePythonJson(member)) }]
      return [key, key === 'tb' && Array.isArray(member) ? member.slice(-1) : member]
    }),
  )
}

function sortedKeys(object: object): object {
  return Object.fromEntries(
    Object.entries(object)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, value]) => [
        key,
        typeof value === 'object' && value !== null ? sortedKeys(value as object) : (value as unknown),
      ]),
  )
}

/** What is made up anew each time, by what it is. */
const masked = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gu, '<uuid>')
    .replaceAll(/[0-9a-f]{32}/gu, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}/gu, '<time>')
    .replaceAll(/capture-\d+-(?:python|hermod)-\d+/gu, '<host>')
