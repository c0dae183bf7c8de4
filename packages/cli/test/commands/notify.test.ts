import { readEnvelope, type IncomingNotification, type Notification, type Priority } from '@hermod/messaging'
import { eventSample } from '@hermod/openstack'
import { eventually } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeIo } from '../fake-io.ts'
import { FakeServers } from '../fake-servers.ts'
import { steers } from '../hostile-text.ts'

/** One line of a dry run. */
interface Shown {
  readonly url?: string
  readonly exchange: string
  readonly routing_key: string
  readonly body: string
  readonly message: Record<string, unknown>
}

function listensNoMore(io: FakeIo): void {
  expect(io.signalSource.eventNames()).toEqual([])
}

describe('hermod notify', () => {
  let io: FakeIo
  let servers: FakeServers
  const heard: (Notification & { topic: string })[] = []
  beforeEach(() => {
    servers = new FakeServers()
    io = new FakeIo()
    io.env = { HERMOD_URL: servers.url }
    heard.length = 0
  })
  afterEach(async () => {
    listensNoMore(io)
    await servers[Symbol.asyncDispose]()
  })

  async function listen(exchange: string, topic: string, priority: Priority): Promise<void> {
    const onNotification = (incoming: IncomingNotification): void => {
      heard.push({ ...incoming.notification, topic })
      incoming.acknowledge()
    }
    const source = { exchange, topic, priority }
    await servers.transport.driver.listen([source], { pool: undefined, backlog: 10, onNotification })
  }

  const shown = (): Shown[] => io.stdout.lines.map((line) => JSON.parse(line) as Shown)

  describe('sends', () => {
    it('what it is given at info on topic notifications, and says so', async () => {
      await listen('openstack', 'notifications', 'info')
      const payload = ['id=42', 'total:=9.5', 'tags:=["a"]', 'big:=18446744073709551617']
      expect(await io.finish('notify', 'demo.order.created', ...payload)).toBe(0)
      await eventually(() => heard.length === 1)
      expect(heard).toMatchObject([
        {
          eventType: 'demo.order.created',
          priority: 'INFO',
          publisherId: expect.stringMatching(/^hermod\../) as unknown,
          payload: { id: '42', total: 9.5, tags: ['a'], big: 18446744073709551617n },
          context: {},
        },
      ])
      expect(io.stdout.text).toBe('')
      expect(io.stderr.lines).toEqual([
        "hermod: sent 1 notification 'demo.order.created' to notifications.info on exchange 'openstack'",
      ])
    })

    it('to the exchange, topics and priority asked for, in the name given', async () => {
      await listen('shop', 'orders', 'warn')
      await listen('shop', 'audit', 'warn')
      const flags = [
        '-x',
        'shop',
        '-t',
        'orders',
        '-t',
        'audit',
        '-P',
        'WARNING',
        '--publisher-id',
        'shop.host1',
      ]
      expect(await io.finish('notify', 'x', ...flags)).toBe(0)
      await eventually(() => heard.length === 2)
      expect(heard.map(({ topic, publisherId, priority }) => [topic, publisherId, priority])).toEqual([
        ['orders', 'shop.host1', 'WARN'],
        ['audit', 'shop.host1', 'WARN'],
      ])
      expect(heard[0]?.messageId).toBe(heard[1]?.messageId)
    })

    it('a whole sample, with what is given in it', async () => {
      await listen('nova', 'notifications', 'info')
      const type = 'compute.instance.create.end'
      expect(await io.finish('notify', type, '--sample', 'display_name=web-1')).toBe(0)
      await eventually(() => heard.length === 1)
      const sample = eventSample(type)
      expect(heard[0]).toMatchObject({ eventType: type, publisherId: sample?.publisherId })
      expect(heard[0]?.payload).toEqual({ ...(sample?.payload as object), display_name: 'web-1' })
      expect(heard[0]?.context).toHaveProperty('request_id')
    })

    it('a payload from stdin', async () => {
      await listen('openstack', 'notifications', 'info')
      const running = io.launch('notify', 'x', '-')
      io.stdin.end('{"__proto__": {"a": 1}, "b": []}')
      expect(await running.code).toBe(0)
      await eventually(() => heard.length === 1)
      expect(Object.keys(heard[0]?.payload as object)).toEqual(['__proto__', 'b'])
    })

    it('as many as asked for, each with an id of its own and in time', async () => {
      await listen('openstack', 'notifications', 'info')
      const running = io.launch('notify', 'tick', '--count', '3', '--interval', '200ms')
      for (const sent of [1, 2]) {
        await eventually(() => heard.length === sent && io.clock.armed > 0)
        await io.clock.pass(199)
        expect(heard).toHaveLength(sent)
        await io.clock.pass(1)
      }
      expect(await running.code).toBe(0)
      await eventually(() => heard.length === 3)
      expect(new Set(heard.map(({ messageId }) => messageId)).size).toBe(3)
      expect(new Set(heard.map(({ uniqueId }) => uniqueId)).size).toBe(3)
    })

    it('no more after SIGINT, and says how many it were', async () => {
      await listen('openstack', 'notifications', 'info')
      const running = io.launch('notify', 'tick', '--count', '9', '--interval', '1h', '-q')
      await eventually(() => heard.length === 1 && io.clock.armed > 0)
      io.signal('SIGINT')
      expect(await running.code).toBe(130)
      expect(io.stderr.text).toMatch(/sent 1 notification 'tick' .* of 9\n/)
      expect(io.clock.armed).toBe(0)
    })
  })

  describe('--dry-run', () => {
    it('prints what would be sent and where, and sends nothing', async () => {
      await listen('shop', 'notifications', 'error')
      io.env = {}
      const flags = ['-x', 'shop', '-P', 'error', '--publisher-id', 'shop.host1', '--dry-run']
      expect(await io.finish('notify', 'demo.failed', 'n:=18446744073709551617', ...flags)).toBe(0)
      expect(heard).toEqual([])
      expect(io.stderr.text).toBe('')
      const [line] = shown()
      expect(line).toMatchObject({ exchange: 'shop', routing_key: 'notifications.error' })
      expect(line).not.toHaveProperty('url')
      const { version, message } = readEnvelope(line?.body ?? '')
      expect(version).toBe('2.0')
      expect(Object.keys(message)).toEqual([
        'message_id',
        'publisher_id',
        'event_type',
        'priority',
        'payload',
        'timestamp',
        '_unique_id',
      ])
      expect(message).toMatchObject({
        publisher_id: 'shop.host1',
        event_type: 'demo.failed',
        priority: 'ERROR',
        payload: { n: 18446744073709551617n },
        timestamp: expect.stringMatching(/^2026-11-22 09:00:00/) as unknown,
        _unique_id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      })
      expect(line?.message['_unique_id']).toBe(message['_unique_id'])
    })

    it('names the broker without its password, and each topic', async () => {
      io.env = { HERMOD_URL: 'amqps://user:hunter2@broker/cloud' }
      expect(await io.finish('notify', 'x', '-t', 'a', '-t', 'b', '--dry-run', '--envelope', 'v1')).toBe(0)
      expect(shown().map(({ url, routing_key }) => [url, routing_key])).toEqual([
        ['rabbit://user:***@broker:5671/cloud?ssl=true', 'a.info'],
        ['rabbit://user:***@broker:5671/cloud?ssl=true', 'b.info'],
      ])
      expect(readEnvelope(shown()[0]?.body ?? '')).toMatchObject({
        version: '1.0',
        message: { event_type: 'x' },
      })
      expect(io.everything).not.toContain('hunter2')
    })

    it('shows control characters of a payload as escapes, also over several lines on a terminal', async () => {
      io.isTty = true
      expect(await io.finish('notify', 'x', 'name=\u001b[2J\u202e', '--dry-run')).toBe(0)
      expect(io.stdout.lines.some(steers)).toBe(false)
      expect(io.stdout.lines.length).toBeGreaterThan(5)
      expect((JSON.parse(io.stdout.text) as Shown).message['payload']).toEqual({ name: '\u001b[2J\u202e' })
    })
  })

  it.each([
    [[], "missing required argument 'type'"],
    [[''], 'the event type is empty'],
    [['id=42'], "the event type is missing before 'id='"],
    [['x', 'word'], "'word' has no '='"],
    [['x', '-P', 'loud'], "--priority 'loud' is not one of audit, debug, info"],
    [['x', '--envelope', '2'], "--envelope '2' is not one of v1, v2"],
    [['x', '-t', 'a.#'], 'holds a wildcard'],
    [['x', '-x', ''], '--exchange is empty'],
    [['x', '--count', '0'], "--count '0' is not a whole number from 1"],
    [['x', '--interval', 'often'], "--interval 'often' is not a duration"],
    [['x', '-', '--context', '-'], 'stdin cannot hold both'],
    [['x', '--sample'], "there is no sample of 'x' among the"],
    [['compute.instance.crash', '--sample'], 'for example compute.instance.create.end'],
  ])('refuses %j', async (argv, complaint) => {
    expect(await io.finish('notify', ...argv)).toBe(2)
    expect(io.stderr.text).toContain(complaint)
    expect(heard).toEqual([])
  })

  it('needs a broker unless nothing is sent', async () => {
    io.env = {}
    expect(await io.finish('notify', 'x')).toBe(2)
    expect(io.stderr.text).toMatch(/^hermod: no broker named/)
  })
})
