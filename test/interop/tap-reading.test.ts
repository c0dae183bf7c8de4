import { gzipSync } from 'node:zlib'
import { parseAmqpUrl } from '@hermod/amqp'
import { openTap, type Tap, type TapOptions } from '@hermod/events'
import type { NotificationEvent } from '@hermod/openstack'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declareExchanges } from '../e2e/declare-exchanges.ts'
import { CALL_TOKEN, remoteCall } from '../e2e/remote-call.ts'
import { startPeer } from '../e2e/start-peer.ts'
import { tapQueues } from '../e2e/tap-queues.ts'
import { TapLog } from './tap-log.ts'

const gate = needs(findBroker('administer'), findPython(['oslo_messaging', 'kombu', 'pika']))

describe.skipIf(gate.skip)(`reading a tap on RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let notifier: PythonPeer
  let pika: PythonPeer
  beforeAll(async () => {
    broker = await startBroker()
    await declareExchanges(broker.url, ['nova'])
    notifier = startPeer('oslo_notify')
    pika = startPeer('pika_publish')
  })
  afterAll(async () => {
    for (const resource of [notifier, pika, broker]) await resource?.[Symbol.asyncDispose]()
  })

  const open = (options: Partial<TapOptions> = {}): Promise<Tap> =>
    openTap({ servers: [parseAmqpUrl(broker.url)], ...options })

  async function emit(...types: readonly string[]): Promise<void> {
    for (const event_type of types) await notifier.ask({ url: broker.url, exchange: 'nova', event_type })
  }

  async function publish(body: string | Buffer, message: object = {}): Promise<void> {
    const body_base64 = Buffer.from(body).toString('base64')
    const to = { url: broker.url, exchange: 'nova', routing_key: 'notifications.info' }
    await pika.ask({ ...to, body_base64, ...message })
  }

  it('closes and takes its queue away when the loop is left', async () => {
    const tap = await open()
    expect(await tapQueues(broker)).toEqual([tap.stats().queue])
    await emit('a', 'b', 'c')
    const seen: string[] = []
    for await (const event of tap) {
      seen.push(event.type)
      if (event.type === 'b') break
    }
    expect(seen).toEqual(['a', 'b'])
    expect(await tapQueues(broker)).toEqual([])
    expect(await tap.closed).toEqual({})
    expect(tap.stats()).toMatchObject({ queue: '', delivered: 2, bindings: [] })
  })

  it('gives what was received before it was closed, then ends', async () => {
    const tap = await open()
    await emit('a', 'b')
    await eventually(() => tap.stats().received === 2)
    await tap.close()
    const seen: string[] = []
    for await (const event of tap) seen.push(event.type)
    expect(seen).toEqual(['a', 'b'])
  })

  it('ends a reader that waits when it is closed', async () => {
    const tap = await open()
    const waiting = tap[Symbol.asyncIterator]().next()
    await tap.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await tap.close()
  })

  it('calls handlers in order, one at a time, each for the types it asked for', async () => {
    await using tap = await open()
    const seen: string[] = []
    let running = 0
    const handler = (name: string) => async (event: NotificationEvent) => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(`${name} ${event.type}`)
      running--
    }
    tap.on('compute.*', handler('compute'))
    const remove = tap.on('*.end', handler('end'))
    await emit('compute.a', 'volume.b.end', 'compute.c.end', 'other')
    await eventually(() => tap.stats().delivered === 4)
    await eventually(() => running === 0 && seen.length >= 4)
    remove()
    await emit('compute.d.end', 'volume.e.end')
    await eventually(() => seen.includes('compute compute.d.end') && tap.stats().delivered === 6)
    expect(seen).toEqual([
      'compute compute.a',
      'end volume.b.end',
      'compute compute.c.end',
      'end compute.c.end',
      'compute compute.d.end',
    ])
  })

  it('goes on with a handler that comes when all others have been removed', async () => {
    await using tap = await open()
    const first: string[] = []
    const second: string[] = []
    tap.on('*', ({ type }) => void first.push(type))()
    tap.on('*', ({ type }) => void second.push(type))
    await emit('a', 'b', 'c')
    await eventually(() => tap.stats().delivered === 3)
    await eventually(() => second.length >= 3)
    expect(first).toEqual([])
    expect(second).toEqual(['a', 'b', 'c'])
  })

  it('has one reader only', async () => {
    await using iterated = await open()
    iterated[Symbol.asyncIterator]()
    expect(() => iterated[Symbol.asyncIterator]()).toThrow(/one reader/)
    expect(() => iterated.on('*', () => {})).toThrow(/one reader/)
    await using handled = await open()
    handled.on('*', () => {})
    expect(() => handled[Symbol.asyncIterator]()).toThrow(/one reader/)
    expect(() => handled.on('', () => {})).toThrow(/is empty/)
  })

  it('counts and reports what it cannot read, without a word of it, and goes on', async () => {
    await using tap = await open()
    const log = new TapLog(tap)
    const call = remoteCall()
    const unreadable: readonly (readonly [reason: RegExp, publish: () => Promise<void>])[] = [
      [/JSON/, () => publish('{"event_type": "cut off s3cret')],
      [/UTF-8/, () => publish(Buffer.of(0x7b, 0xff, 0x7d))],
      [/no object/, () => publish('["s3cret"]')],
      [/event_type/, () => publish('{"payload": "s3cret"}')],
      [/remote call/, () => publish(Buffer.from(call.body_base64, 'base64'))],
      [/version other than 2\.0/, () => publish('{"oslo.version": "3.0", "oslo.message": "s3cret"}')],
      [/JSON/, () => publish('{"oslo.version": "2.0", "oslo.message": "s3cret"}')],
      [
        /application\/x-lzma/,
        () => publish('s3cret', { properties: { headers: { compression: 'application/x-lzma' } } }),
      ],
      [
        /decompressed/,
        () => publish('s3cret', { properties: { headers: { compression: 'application/x-gzip' } } }),
      ],
      [/JSON/, () => publish('')],
      [
        /JSON/,
        () => publish(gzipSync('{"event_type": "real gzip that nobody labelled"}').toString('latin1')),
      ],
    ]
    for (const [, send] of unreadable) await send()
    await emit('readable')
    const events = tap[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ type: 'readable' })
    const reports = log.of('unreadable')
    expect(reports.map(({ total }) => total)).toEqual(unreadable.map((_, at) => at + 1))
    for (const [at, [reason]] of unreadable.entries()) {
      expect(reports[at]).toMatchObject({ exchange: 'nova', routingKey: 'notifications.info' })
      expect(reports[at]?.reason).toMatch(reason)
    }
    expect(JSON.stringify(reports)).not.toContain('s3cret')
    expect(JSON.stringify(reports)).not.toContain(CALL_TOKEN.slice(0, 24))
    expect(tap.stats()).toMatchObject({ received: 12, unreadable: 11, delivered: 1 })
  })

  it('reads what kombu compressed, and what says nothing about its content', async () => {
    await using tap = await open()
    await using kombu = startPeer('kombu_emit')
    const body = { event_type: 'compressed', message_id: 'c-1', payload: { text: 'é'.repeat(10_000) } }
    await kombu.ask({
      url: broker.url,
      exchange: { name: 'nova' },
      routing_key: 'notifications.warn',
      body,
      compression: 'gzip',
    })
    await publish('{"event_type": "bare"}')
    const events = tap[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ id: 'c-1', payload: body.payload, priority: 'warn' })
    expect((await events.next()).value).toMatchObject({ type: 'bare', priority: 'info' })
  })
})
