import { SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { CALL, innerOf, NOTE, requestOf, ScriptedRabbit, SOURCE, TO } from './scripted-rabbit.ts'

describe('notifications over RabbitMQ', () => {
  it('are sent to a queue that the sender declares, once, with what oslo.messaging writes', async () => {
    await using rig = new ScriptedRabbit()
    const context = { user: 'u-17', roles: ['member'] }
    await rig.notify({ ...NOTE, context, headers: { traceparent: '00-1' } })
    await rig.notify(NOTE, { envelope: '1.0' })
    const [second, first] = rig.publishes.toReversed()
    const link = await rig.linkOf('basic.publish')
    const declared = link.methods.filter(({ name }) => /^(?:exchange|queue)\./.test(name))
    expect(declared.map(({ name, args }) => ({ name, ...args }))).toMatchObject([
      { name: 'exchange.declare', exchange: 'nova', type: 'topic' },
      { name: 'queue.declare', queue: 'notifications.info', durable: false, arguments: {} },
      {
        name: 'queue.bind',
        queue: 'notifications.info',
        exchange: 'nova',
        routingKey: 'notifications.info',
      },
    ])
    expect(first).toMatchObject({ exchange: 'nova', routingKey: 'notifications.info', mandatory: false })
    expect(first!.properties).toMatchObject({
      headers: { traceparent: '00-1' },
      deliveryMode: 2,
      priority: 0,
    })
    expect(first!.properties.expiration).toBeUndefined()
    expect(Object.entries(innerOf(first!))).toEqual([
      ...Object.entries(NOTE.message),
      ['_unique_id', expect.stringMatching(/^[0-9a-f]{32}$/)],
      ['_context_user', 'u-17'],
      ['_context_roles', ['member']],
    ])
    expect(Object.keys(JSON.parse(first!.body.toString()) as object)).toEqual([
      'oslo.version',
      'oslo.message',
    ])
    expect(Object.keys(JSON.parse(second!.body.toString()) as object)).toEqual([
      ...Object.keys(NOTE.message),
      '_unique_id',
    ])
  })

  it('are compressed as kombu labels it, and read so', async () => {
    await using rig = new ScriptedRabbit({ compression: 'gzip' })
    await rig.notify()
    const [{ body, properties }] = rig.publishes as [(typeof rig.publishes)[number]]
    expect(properties.headers).toEqual({ compression: 'application/x-gzip' })
    // A zlib stream, whatever the label says.
    expect(body[0]).toBe(0x78)
  })

  it('are sent again when their confirm was lost, under the same id', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.onPublish = () => SILENT
    const notifying = rig.notify()
    await rig.published(1)
    rig.broker.onPublish = () => {}
    const link = await rig.reconnect(await rig.linkOf('basic.publish'))
    await notifying
    expect(link.publishes.length).toBe(1)
    expect(link.all('queue.declare').map(({ args }) => args.queue)).toEqual(['notifications.info'])
    expect(new Set(rig.publishes.map(({ body }) => body.toString())).size).toBe(1)
  })

  it('are not sent when their queue exists otherwise, and are when it does no more', async () => {
    await using rig = new ScriptedRabbit()
    let clashes = true
    rig.broker.on('queue.declare', ({ channel }, link) => {
      if (!clashes) return undefined
      const text = "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'notifications.info'"
      link.closeChannel(channel, 406, text, 50, 10)
      return SILENT
    })
    await expect(rig.notify()).rejects.toMatchObject({ code: 'E_DELIVERY', retryable: false })
    expect(rig.publishes).toEqual([])
    clashes = false
    await rig.notify()
    expect(rig.publishes.length).toBe(1)
  })

  it('come with their topic, and are known as copies once one was acknowledged', async () => {
    await using rig = new ScriptedRabbit()
    const got = await rig.listen()
    const link = await rig.linkOf('basic.consume')
    const message = { ...NOTE.message, _unique_id: 'u1', _context_user: 'u-17' }
    rig.deliver(link, 'notifications.info', message, 1)
    rig.deliver(link, 'notifications.info', message, 2)
    rig.deliver(link, 'notifications.info', { method: 'add', args: {} }, 3)
    await rig.clock.pass(0)
    expect(got.length).toBe(2)
    expect(got[0]).toMatchObject({ duplicate: false, redelivered: false })
    expect(got[0]!.notification).toMatchObject({
      eventType: NOTE.message['event_type'],
      context: { user: 'u-17' },
    })
    expect([got[0]!.acknowledge(), got[0]!.acknowledge(), got[0]!.requeue()]).toEqual([true, false, false])
    expect([got[0]!.duplicate, got[1]!.duplicate]).toEqual([false, true])
    expect(got[1]!.acknowledge()).toBe(true)
    expect(rig.transport.stats()).toMatchObject({ duplicates: 1, refused: 1, received: 3 })
  })

  it('of several exchanges share a queue, and a pool has one for all', async () => {
    await using rig = new ScriptedRabbit()
    const { driver } = rig.transport
    const sources = [SOURCE, { ...SOURCE, exchange: 'neutron' }, { ...SOURCE, priority: 'error' as const }]
    const options = { backlog: 8, onNotification: () => {} }
    await driver.listen(sources, { ...options, pool: undefined })
    const link = await rig.linkOf('basic.consume')
    expect(link.all('basic.consume').map(({ args }) => args.queue)).toEqual([
      'notifications.info',
      'notifications.error',
    ])
    await driver.listen(sources, { ...options, pool: 'audit' })
    expect(link.all('basic.consume').at(-1)?.args.queue).toBe('audit')
    const bound = link
      .all('queue.bind')
      .map(({ args }) => `${args.exchange}/${args.routingKey} -> ${args.queue}`)
    expect(bound).toEqual([
      'nova/notifications.info -> notifications.info',
      'neutron/notifications.info -> notifications.info',
      'nova/notifications.error -> notifications.error',
      'nova/notifications.info -> audit',
      'neutron/notifications.info -> audit',
      'nova/notifications.error -> audit',
    ])
  })
})

describe('a rabbit transport', () => {
  it('is given up as often as it was told to connect again, and after its time', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.onLink = (link) => {
      link.drop()
      return false
    }
    const casting = rig.transport.driver.cast(TO, requestOf({}), { ...CALL, retries: 2 })
    const calling = rig.call({}, { timeoutMs: 500_000 })
    const outcomes = Promise.allSettled([casting, calling])
    await rig.clock.pass(10_000)
    await expect(casting).rejects.toMatchObject({
      code: 'E_DELIVERY',
      message: expect.stringMatching(/3 attempts/),
    })
    await rig.clock.pass(500_000)
    await outcomes
    await expect(calling).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    const tried = rig.broker.links.length
    await rig.clock.pass(500_000)
    // Nobody waits any more.
    expect(rig.broker.links.length).toBe(tried)
    expect(rig.clock.armed).toBe(0)
  })

  it('is connected when its connection is there, and not while it is away', async () => {
    await using rig = new ScriptedRabbit()
    await rig.transport.connect()
    rig.broker.onLink = () => false
    rig.broker.link.drop()
    await rig.clock.pass(0)
    const waiting = rig.transport.connect({ timeoutMs: 3_000 })
    waiting.catch(() => {})
    await rig.clock.pass(3_000)
    await expect(waiting).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    const once = rig.transport.connect({ retries: 0 })
    once.catch(() => {})
    await rig.clock.pass(30_000)
    await expect(once).rejects.toMatchObject({ code: 'E_DELIVERY' })
    rig.broker.onLink = () => {}
    await rig.until(rig.transport.connect(), 1_000)
    expect(rig.broker.link.all('connection.open').length).toBe(1)
  })

  it('says what its connections do, and keeps its password to itself', async () => {
    await using rig = new ScriptedRabbit()
    const said: string[] = []
    rig.transport
      .on('connected', ({ server }) => said.push(`connected ${server}`))
      .on('disconnected', ({ reason }) => said.push(`disconnected ${reason}`))
      .on('blocked', ({ reason }) => said.push(`blocked ${reason}`))
      .on('unblocked', () => said.push('unblocked'))
    await rig.transport.connect()
    rig.broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    rig.broker.link.send(0, 'connection.unblocked', {})
    await rig.clock.pass(0)
    await rig.reconnect(rig.broker.link)
    expect(said).toEqual([
      'connected broker:5672',
      'blocked low on memory',
      'unblocked',
      expect.stringMatching(/^disconnected /),
      'connected broker:5672',
    ])
    expect(JSON.stringify(said)).not.toContain('sesame')
  })

  it('waits for confirms when it closes, but not for ever', async () => {
    const rig = new ScriptedRabbit()
    rig.broker.onPublish = () => SILENT
    const first = rig.notify()
    await rig.published(1)
    const { channel, tag } = rig.publishes[0]!
    const second = rig.notify()
    second.catch(() => {})
    await rig.published(2)
    const closing = rig.transport.close({ timeoutMs: 3_000 })
    await rig.clock.pass(1_000)
    ;(await rig.linkOf('basic.publish')).confirm(channel, tag)
    await rig.clock.pass(2_500)
    await first
    await closing
    await expect(second).rejects.toMatchObject({ code: 'E_UNCERTAIN' })
    await expect(rig.notify()).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
    expect(rig.clock.armed).toBe(0)
  })
})
