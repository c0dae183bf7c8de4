import type { FieldTable } from '@hermod/amqp'
import type { JsonObject } from '@hermod/kernel'
import { createRpcServer } from '@hermod/messaging'
import { contentBytes, SILENT, type BrokerLink } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { innerOf, ScriptedRabbit } from './scripted-rabbit.ts'

const REQUEST = {
  method: 'add',
  args: { a: 1 },
  namespace: 'n',
  version: '1.3',
  _msg_id: 'm1',
  _reply_q: 'reply_1',
  _timeout: 4,
  _unique_id: 'u1',
  _context_user: 'u-17',
  _context_client_timeout: null,
  _context_msg_id: 'its own',
  _other: true,
  own: 'too',
}

/** The message in an envelope of version 2.0. */
function enveloped(message: JsonObject): JsonObject {
  return { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }
}

/** Delivers a body with properties to the consumer of a queue. */
function deliverRaw(
  link: BrokerLink,
  queue: string,
  tag: number,
  body: string,
  properties: { readonly contentType?: string; readonly headers?: FieldTable },
): void {
  const { channel, args } = link.all('basic.consume').find((consume) => consume.args.queue === queue)!
  const { consumerTag } = args
  const deliver = { consumerTag, deliveryTag: tag, redelivered: false, exchange: 'nova', routingKey: queue }
  link.raw(contentBytes(channel, 'basic.deliver', deliver, properties, body))
}

describe('a server over RabbitMQ', () => {
  it('declares and consumes its queues in the order of oslo.messaging, and deletes its own at the end', async () => {
    await using rig = new ScriptedRabbit({ prefetchCount: 5 })
    const { close } = await rig.serve()
    const link = await rig.linkOf('basic.consume')
    const declared = link.methods.filter(({ name }) => /^(?:exchange|queue)\./.test(name))
    const fanout = declared.map(({ args }) => ('queue' in args ? args.queue : '')).at(-1)!
    expect(fanout).toMatch(/^calc_fanout_[0-9a-f]{32}$/)
    expect(declared.map(({ name, args }) => [name, 'queue' in args ? args.queue : args])).toEqual([
      ['exchange.declare', expect.objectContaining({ exchange: 'nova', type: 'topic', durable: false })],
      ['queue.declare', 'calc'],
      ['queue.bind', 'calc'],
      ['exchange.declare', expect.objectContaining({ exchange: 'nova' })],
      ['queue.declare', 'calc.node1'],
      ['queue.bind', 'calc.node1'],
      [
        'exchange.declare',
        expect.objectContaining({ exchange: 'calc_fanout', type: 'fanout', autoDelete: true }),
      ],
      ['queue.declare', fanout],
      ['queue.bind', fanout],
    ])
    expect(link.all('basic.consume').map(({ args }) => args.queue)).toEqual(['calc', 'calc.node1', fanout])
    expect(link.all('basic.qos').map(({ args }) => args.prefetchCount)).toEqual([5, 5, 5])
    await close()
    expect(link.all('basic.cancel').length).toBe(3)
    expect(link.all('queue.delete').map(({ args }) => args.queue)).toEqual([fanout])
    await rig.reconnect(link)
    expect(rig.broker.link.all('queue.declare')).toEqual([])
  })

  it('takes a request apart, acks it when it is accepted and sends the reply to its caller', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    const link = await rig.linkOf('basic.consume')
    rig.deliver(link, 'calc', enveloped(REQUEST))
    await rig.clock.pass(0)
    const [request] = requests
    expect(request).toMatchObject({
      message: { method: 'add', args: { a: 1 }, namespace: 'n', version: '1.3', _other: true, own: 'too' },
      context: { user: 'u-17', msg_id: 'its own' },
      expectsReply: true,
      monitorTimeoutMs: 4_000,
      headers: {},
    })
    expect(Object.keys(request!.context)).toEqual(['user', 'msg_id'])
    expect(link.all('basic.ack')).toEqual([])
    expect(request!.accept()).toBe('accepted')
    await link.method('basic.ack')
    expect(await request!.heartbeat()).toBe(true)
    await request!.reply({ result: { sum: 2n ** 64n } })
    const [beat, reply] = await rig.published(2)
    for (const published of [beat, reply]) {
      expect(published).toMatchObject({ exchange: '', routingKey: 'reply_1', mandatory: true })
      expect(published!.properties).toEqual({
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: {},
        deliveryMode: 2,
        priority: 0,
      })
    }
    expect(Object.entries(innerOf(beat!)).slice(0, 4)).toEqual([
      ['result', null],
      ['failure', null],
      ['ending', false],
      ['_msg_id', 'm1'],
    ])
    expect(Object.entries(innerOf(reply!))).toEqual([
      ['result', { sum: 2n ** 64n }],
      ['failure', null],
      ['ending', true],
      ['_msg_id', 'm1'],
      ['_unique_id', expect.stringMatching(/^[0-9a-f]{32}$/)],
    ])
  })

  it('sends a failure as text in the reply, and refuses a result without a JSON form', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    rig.deliver(await rig.linkOf('basic.consume'), 'calc', enveloped(REQUEST))
    await rig.clock.pass(0)
    const circle: JsonObject = {}
    circle['self'] = circle
    await expect(requests[0]!.reply({ result: circle })).rejects.toMatchObject({ code: 'E_ENCODE' })
    const failure = {
      tb: ['ValueError: no\n'],
      kwargs: {},
      args: ['no'],
      message: 'no',
      module: 'builtins',
      class: 'ValueError',
    }
    await requests[0]!.reply({ failure })
    const [reply] = await rig.published(1)
    expect(innerOf(reply!)).toMatchObject({ result: null, ending: true })
    expect(JSON.parse(innerOf(reply!)['failure'] as string)).toEqual(failure)
    expect(Object.keys(JSON.parse(innerOf(reply!)['failure'] as string) as object)).toEqual([
      'class',
      'module',
      'message',
      'tb',
      'args',
      'kwargs',
    ])
  })

  it('drops copies by their id, in each queue for itself, and acks them', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    const link = await rig.linkOf('basic.consume')
    const cast = { method: 'add', args: {}, _unique_id: 'u1' }
    rig.deliver(link, 'calc', enveloped(cast), 1)
    rig.deliver(link, 'calc', enveloped(cast), 2)
    rig.deliver(link, 'calc.node1', enveloped(cast), 3)
    await rig.clock.pass(0)
    expect(requests.length).toBe(3)
    expect(requests.map((request) => request.accept())).toEqual(['accepted', 'duplicate', 'accepted'])
    rig.deliver(link, 'calc', enveloped(cast), 4)
    rig.deliver(link, 'calc', { method: 'add', args: {} }, 5)
    rig.deliver(link, 'calc', { method: 'add', args: {} }, 6)
    await rig.clock.pass(0)
    expect(requests.slice(3).map((request) => request.accept())).toEqual(['accepted', 'accepted'])
    expect(requests[3]).toMatchObject({ expectsReply: false, monitorTimeoutMs: undefined })
    expect(rig.transport.stats()).toMatchObject({ duplicates: 2, received: 6 })
    await link.until(() => {
      const acked = link.all('basic.ack').at(-1)?.args
      return acked?.deliveryTag === 6
    }, 'the last ack')
  })

  it('gives back what is released, and knows what the broker took back', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    const link = await rig.linkOf('basic.consume')
    rig.deliver(link, 'calc', enveloped({ ...REQUEST, _unique_id: 'first' }), 1)
    rig.deliver(link, 'calc', enveloped({ ...REQUEST, _unique_id: 'second' }), 2)
    await rig.clock.pass(0)
    requests[0]!.release()
    requests[0]!.release()
    expect(requests[0]!.accept()).toBe('lost')
    await link.method('basic.reject')
    expect(link.all('basic.reject').map(({ args }) => args)).toEqual([{ deliveryTag: 1, requeue: true }])
    const next = await rig.reconnect(link)
    expect(requests[1]!.accept()).toBe('lost')
    rig.deliver(next, 'calc', enveloped({ ...REQUEST, _unique_id: 'second' }), 1)
    await rig.clock.pass(0)
    expect(requests[2]!.accept()).toBe('accepted')
    expect(rig.transport.stats()).toMatchObject({ duplicates: 0 })
  })

  it.each([
    ['no JSON', 'secret-of-a-user', 'application/json'],
    ['no object', '["secret-of-a-user"]', 'application/json'],
    ['a newer envelope', '{"oslo.version":"3.0","oslo.message":"{}"}', 'application/json'],
    ['an envelope of no JSON', '{"oslo.version":"2.0","oslo.message":"secret-of-a-user"}', undefined],
    ['another content type', '{"method":"add"}', 'application/x-msgpack'],
  ])('refuses %s without requeue, and shows nothing of it', async (_, body, contentType) => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    const link = await rig.linkOf('basic.consume')
    deliverRaw(link, 'calc', 1, body, contentType === undefined ? {} : { contentType })
    expect((await link.method('basic.reject')).args).toEqual({ deliveryTag: 1, requeue: false })
    expect(requests).toEqual([])
    expect(rig.refused).toEqual([expect.stringMatching(/^calc: /)])
    expect(rig.refused[0]).not.toContain('secret')
    expect(rig.transport.stats()).toMatchObject({ refused: 1 })
  })

  it.each(['application/json', 'Application/JSON; charset=utf-8', undefined])(
    'reads bodies of content type %s, with their text headers',
    async (contentType) => {
      await using rig = new ScriptedRabbit()
      const { requests } = await rig.serve()
      const headers = { traceparent: '00-1', depth: 3, __proto__: null }
      const properties = contentType === undefined ? { headers } : { contentType, headers }
      deliverRaw(await rig.linkOf('basic.consume'), 'calc', 1, '{"method":"add"}', properties)
      await rig.clock.pass(0)
      expect(requests[0]).toMatchObject({ message: { method: 'add' }, headers: { traceparent: '00-1' } })
    },
  )

  it('tries a reply again whose queue is missing, for a minute, and sends nothing more there for another', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    rig.broker.onPublish = (publish, link) => link.giveBack(publish)
    const link = await rig.linkOf('basic.consume')
    for (const [at, _msg_id] of ['m1', 'm2', 'm3'].entries())
      rig.deliver(link, 'calc', enveloped({ ...REQUEST, _msg_id, _unique_id: _msg_id }), at + 1)
    await rig.clock.pass(0)
    const [first, second, third] = requests
    const replies = [first!.reply({ result: 1 }), second!.reply({ result: 2 })]
    await rig.published(2)
    await rig.clock.pass(1_000)
    const soon = rig.publishes.length
    // One of them tries for both.
    expect(soon).toBeGreaterThanOrEqual(5)
    expect(soon).toBeLessThanOrEqual(6)
    await rig.clock.pass(61_000)
    await Promise.all(replies)
    expect(rig.transport.stats()).toMatchObject({ lostReplies: 2 })
    const sent = rig.publishes.length
    await third!.reply({ result: 3 })
    expect(await third!.heartbeat()).toBe(false)
    expect(rig.publishes.length).toBe(sent)
    expect(rig.transport.stats()).toMatchObject({ lostReplies: 3 })
    await rig.clock.pass(60_000)
    rig.broker.onPublish = () => {}
    expect(await third!.heartbeat()).toBe(true)
  })

  it('serves on, and stops within a moment, however many callers name queues that never were', async () => {
    await using rig = new ScriptedRabbit()
    const server = createRpcServer(
      rig.transport,
      { exchange: 'nova', topic: 'calc', server: 'node1' },
      { endpoints: [{ add: ({ a }: { readonly a: number }) => a + 1 }] },
    )
    await server.start()
    rig.broker.onPublish = (publish, link) =>
      publish.routingKey === 'reply_1' ? undefined : link.giveBack(publish)
    const link = await rig.linkOf('basic.consume')
    const call = { method: 'add', args: { a: 1 } }
    for (let tag = 1; tag <= 2_000; tag++) {
      const forged = { ...call, _msg_id: `m${tag}`, _reply_q: `nowhere_${tag}`, _unique_id: `u${tag}` }
      rig.deliver(link, 'calc', enveloped(forged), tag)
    }
    rig.deliver(link, 'calc', enveloped({ ...call, _msg_id: 'm', _reply_q: 'reply_1' }), 2_001)
    const answered = (): boolean => rig.publishes.some(({ routingKey }) => routingKey === 'reply_1')
    for (let turns = 0; turns < 400 && !answered(); turns++) await rig.clock.pass(0)
    expect(answered()).toBe(true)
    expect(rig.clock.monotonicMs()).toBeLessThan(1_000)
    for (let turns = 0; turns < 400 && server.stats().replying > 512; turns++) await rig.clock.pass(0)
    expect(server.stats()).toMatchObject({ done: 2_001, replying: 512 })
    const beganMs = rig.clock.monotonicMs()
    await rig.until(server.stop(), 100)
    expect(rig.clock.monotonicMs() - beganMs).toBeLessThanOrEqual(3_500)
    expect(rig.transport.stats()).toMatchObject({ lostReplies: 2_000 })
  })

  it('sends a reply whose queue comes back, and again when its confirm was lost', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    rig.deliver(await rig.linkOf('basic.consume'), 'calc', enveloped(REQUEST))
    await rig.clock.pass(0)
    rig.broker.onPublish = (publish, link) => link.giveBack(publish)
    const replying = requests[0]!.reply({ result: 1 })
    await rig.published(2, 250)
    rig.broker.onPublish = () => SILENT
    await rig.published(3, 250)
    rig.broker.onPublish = () => {}
    await rig.reconnect(await rig.linkOf('basic.publish'))
    await replying
    const bodies = new Set(rig.publishes.map(({ body }) => body.toString()))
    expect([rig.publishes.length, bodies.size]).toEqual([4, 1])
    expect(rig.transport.stats()).toMatchObject({ lostReplies: 0, replyRetries: 2 })
  })

  it('counts a reply that has no address as lost, at once', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    const { _reply_q: _, ...addressless } = REQUEST
    rig.deliver(await rig.linkOf('basic.consume'), 'calc', enveloped(addressless))
    await rig.clock.pass(0)
    expect(requests[0]!.expectsReply).toBe(true)
    await requests[0]!.reply({ result: 1 })
    expect(await requests[0]!.heartbeat()).toBe(false)
    expect(rig.publishes).toEqual([])
    expect(rig.transport.stats()).toMatchObject({ lostReplies: 1 })
  })

  it('reads a stream on behind its last message after a reconnect, and leaves it at the end', async () => {
    await using rig = new ScriptedRabbit({
      transientQuorumQueues: true,
      streamFanout: true,
      prefetchCount: 10,
    })
    const { requests, close } = await rig.serve()
    const link = await rig.linkOf('basic.consume')
    const offsets = (of: BrokerLink): unknown[] =>
      of
        .all('basic.consume')
        .filter(({ args }) => args.queue === 'calc_fanout')
        .map(({ args }) => args.arguments['x-stream-offset'])
    expect(offsets(link)).toEqual(['last'])
    for (const [tag, offset] of [41, 42].entries()) {
      deliverRaw(link, 'calc_fanout', tag + 1, '{"method":"add"}', { headers: { 'x-stream-offset': offset } })
    }
    await rig.clock.pass(0)
    expect(requests.length).toBe(2)
    const next = await rig.reconnect(link)
    expect(offsets(next)).toEqual([43])
    await close()
    expect(next.all('queue.delete')).toEqual([])
  })

  it('names the options to set when the broker takes no transient queues', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.on('queue.declare', (_, link) => {
      link.closeConnection(541, 'INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.', 50, 10)
      return SILENT
    })
    const serving = rig.serve()
    serving.catch(() => {})
    await rig.clock.pass(10)
    await expect(serving).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringMatching(/amqp_durable_queues.*rabbit_transient_quorum_queue/),
    })
  })

  it('takes the exchange as it is when it is not durable, and the queue with it', async () => {
    await using rig = new ScriptedRabbit({ durableQueues: true })
    rig.broker.on('exchange.declare', ({ args, channel }, link) => {
      if (!args.durable || args.type !== 'topic') return undefined
      const text =
        "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'nova' in vhost '/': received 'true' but current is 'false'"
      link.closeChannel(channel, 406, text, 40, 10)
      return SILENT
    })
    await rig.serve()
    const declared = (await rig.linkOf('basic.consume')).all('queue.declare').map(({ args }) => args)
    expect(declared.slice(0, 2)).toMatchObject([
      { queue: 'calc', durable: false },
      { queue: 'calc.node1', durable: false },
    ])
  })

  it('binds once more when the exchange vanished meanwhile, and deletes nothing', async () => {
    await using rig = new ScriptedRabbit()
    let vanished = 2
    rig.broker.on('queue.bind', ({ args, channel }, link) => {
      if (args.exchange !== 'calc_fanout' || vanished-- <= 0) return undefined
      link.closeChannel(channel, 404, "NOT_FOUND - no exchange 'calc_fanout' in vhost '/'", 50, 20)
      return SILENT
    })
    await rig.until(rig.serve(), 100)
    const link = await rig.linkOf('basic.consume')
    expect(link.all('queue.bind').filter(({ args }) => args.exchange === 'calc_fanout').length).toBe(3)
    expect(link.all('queue.delete')).toEqual([])
  })
})
