import { SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { innerOf, replyTo, ScriptedRabbit } from './scripted-rabbit.ts'

const HEX = /^[0-9a-f]{32}$/

describe('a call over RabbitMQ', () => {
  it('declares the exchange and a queue for replies, and publishes as oslo.messaging does', async () => {
    await using rig = new ScriptedRabbit()
    const calling = rig.call({ a: 1 }, { timeoutMs: 60_000.7, monitorTimeoutMs: 2500 })
    const [request] = await rig.published(1)
    const [sending, receiving] = [await rig.linkOf('basic.publish'), await rig.linkOf('basic.consume')]
    expect(sending).not.toBe(receiving)
    expect(sending.all('exchange.declare').map(({ args }) => args)).toMatchObject([
      { exchange: 'nova', type: 'topic', durable: false, autoDelete: false, internal: false, arguments: {} },
    ])
    expect(sending.all('queue.declare')).toEqual([])
    const [replies] = receiving.all('queue.declare')
    expect(replies?.args).toMatchObject({
      durable: false,
      exclusive: false,
      autoDelete: false,
      arguments: { 'x-expires': 1_800_000 },
    })
    expect(replies?.args.queue).toMatch(/^reply_[0-9a-f]{32}$/)
    expect(receiving.all('queue.bind')).toEqual([])

    expect(request).toMatchObject({ exchange: 'nova', routingKey: 'calc', mandatory: false })
    expect(request!.properties).toEqual({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: {},
      deliveryMode: 2,
      priority: 0,
      expiration: '60000',
    })
    expect(Object.entries(innerOf(request!))).toEqual([
      ['method', 'add'],
      ['args', { a: 1 }],
      ['_msg_id', expect.stringMatching(HEX)],
      ['_reply_q', replies!.args.queue],
      ['_timeout', 2.5],
      ['_unique_id', expect.stringMatching(HEX)],
    ])
    rig.deliver(receiving, replies!.args.queue, replyTo(request!, { result: 3 }))
    expect(await calling).toEqual({ result: 3 })
    await receiving.method('basic.ack')
    expect(rig.clock.armed).toBeLessThan(4)
  })

  it('shares the queue among calls, and declares nothing twice', async () => {
    await using rig = new ScriptedRabbit()
    const calls = [rig.call({ n: 0 }), rig.call({ n: 1 }), rig.call({ n: 2 })]
    const requests = await rig.published(3)
    const receiving = await rig.linkOf('basic.consume')
    const { queue } = receiving.all('basic.consume')[0]!.args
    for (const [at, request] of requests.toReversed().entries())
      rig.deliver(receiving, queue, replyTo(request, { result: innerOf(request)['args']! }), at + 1)
    expect(await Promise.all(calls)).toEqual([0, 1, 2].map((n) => ({ result: { n } })))
    expect(receiving.all('queue.declare').length).toBe(1)
    expect((await rig.linkOf('basic.publish')).all('exchange.declare').length).toBe(1)
    const ids = requests.map((request) => innerOf(request)['_unique_id'])
    expect(new Set(ids).size).toBe(3)
  })

  it.each([
    {
      what: 'the value first, its end in a second message',
      parts: [{ result: 7, ending: false }, {}],
      result: 7,
    },
    { what: 'no failure and no ending until the end', parts: [{ result: 0 }], result: 0 },
    { what: 'a sign of life before', parts: [{ ending: false }, { result: 'late' }], result: 'late' },
    { what: 'an empty failure', parts: [{ result: 1, failure: '' }], result: 1 },
  ])('takes a reply with $what', async ({ parts, result }) => {
    await using rig = new ScriptedRabbit()
    const calling = rig.call()
    const [request] = await rig.published(1)
    const receiving = await rig.linkOf('basic.consume')
    const { queue } = receiving.all('basic.consume')[0]!.args
    for (const [at, part] of parts.entries()) rig.deliver(receiving, queue, replyTo(request!, part), at + 1)
    expect(await calling).toEqual({ result })
  })

  it('counts replies that nobody waits for, and refuses what is none', async () => {
    await using rig = new ScriptedRabbit()
    const calling = rig.call()
    const [request] = await rig.published(1)
    const receiving = await rig.linkOf('basic.consume')
    const { queue } = receiving.all('basic.consume')[0]!.args
    rig.deliver(receiving, queue, { _msg_id: 'stranger', result: 1, ending: true }, 1)
    rig.deliver(receiving, queue, { result: 1, ending: true }, 2)
    rig.deliver(receiving, queue, 'secret-of-a-user', 3)
    rig.deliver(receiving, queue, replyTo(request!, { result: 2 }), 4)
    rig.deliver(receiving, queue, replyTo(request!, { result: 2 }), 5)
    expect(await calling).toEqual({ result: 2 })
    await rig.clock.pass(0)
    expect(rig.transport.stats()).toMatchObject({ received: 5, unexpectedReplies: 3, refused: 1 })
    expect(receiving.all('basic.reject').map(({ args }) => args)).toEqual([
      { deliveryTag: 3, requeue: false },
    ])
    expect(rig.refused).toEqual([expect.stringContaining(queue)])
    expect(rig.refused[0]).not.toContain('secret')
  })

  it('ends in time, and never by a sign of life that keeps it going', async () => {
    await using rig = new ScriptedRabbit()
    const silent = rig.call({}, { monitorTimeoutMs: 3_000 })
    const kept = rig.call({}, { monitorTimeoutMs: 3_000, timeoutMs: 10_000 })
    silent.catch(() => {})
    kept.catch(() => {})
    const [, request] = await rig.published(2)
    const receiving = await rig.linkOf('basic.consume')
    const { queue } = receiving.all('basic.consume')[0]!.args
    for (const tag of [1, 2, 3, 4]) {
      await rig.clock.pass(2_000)
      rig.deliver(receiving, queue, replyTo(request!, { ending: false }), tag)
    }
    await expect(silent).rejects.toMatchObject({
      code: 'E_TIMEOUT',
      message: expect.stringMatching(/within 3000 ms: the server gave no sign of life/),
    })
    await rig.clock.pass(2_500)
    await expect(kept).rejects.toMatchObject({
      code: 'E_TIMEOUT',
      message: expect.stringContaining(
        `'add' on topic 'calc' did not end within 10000 ms: no reply came to message ${innerOf(request!)['_msg_id'] as string}`,
      ),
    })
    rig.deliver(receiving, queue, replyTo(request!, { result: 'too late' }), 5)
    await rig.clock.pass(0)
    expect(rig.transport.stats()).toMatchObject({ unexpectedReplies: 1, waitingCalls: 0 })
  })

  it('waits on when the connection broke before the confirm, and never sends the request again', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.onPublish = () => SILENT
    const calling = rig.call()
    const casting = rig.cast()
    casting.catch(() => {})
    const request = (await rig.published(2)).find(({ properties }) => properties.expiration !== undefined)
    await rig.reconnect(await rig.linkOf('basic.publish'))
    await expect(casting).rejects.toMatchObject({ code: 'E_UNCERTAIN', retryable: true })
    const receiving = await rig.reconnect(await rig.linkOf('basic.consume'))
    const { queue } = (await receiving.method('basic.consume')).args
    const declared = receiving.all('queue.declare').filter(({ args }) => !args.passive)
    expect(declared.map(({ args }) => args.queue)).toEqual([queue])
    expect(queue).toBe(innerOf(request!)['_reply_q'])
    rig.deliver(receiving, queue, replyTo(request!, { result: 'done' }))
    expect(await calling).toEqual({ result: 'done' })
    expect(rig.publishes.length).toBe(2)
    expect(rig.transport.stats()).toMatchObject({ disconnects: 2, uncertain: 2 })
  })

  it('is given up by its signal, before and after it is sent', async () => {
    await using rig = new ScriptedRabbit()
    const reason = new Error('no longer')
    await expect(rig.call({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(rig.broker.links).toEqual([])
    const abort = new AbortController()
    const calling = rig.call({}, { signal: abort.signal })
    await rig.published(1)
    abort.abort(reason)
    await expect(calling).rejects.toBe(reason)
    expect(rig.transport.stats()).toMatchObject({ waitingCalls: 0 })
  })

  it('fails when it is mandatory and comes back', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.onPublish = (publish, link) => link.giveBack(publish)
    await expect(rig.call({}, { mandatory: true })).rejects.toMatchObject({ code: 'E_UNROUTABLE' })
    expect(rig.publishes[0]).toMatchObject({ mandatory: true })
    // RabbitMQ returns no other; a fanout is never mandatory.
    await rig.transport.driver.cast(
      { exchange: 'nova', topic: 'calc', server: 'x', fanout: true },
      { message: { method: 'add', args: {} }, context: {}, headers: {} },
      { signal: undefined, retries: undefined, mandatory: true },
    )
    expect(rig.publishes[1]).toMatchObject({ exchange: 'calc_fanout', routingKey: '', mandatory: false })
    expect(rig.publishes[1]!.properties.expiration).toBeUndefined()
  })

  it('publishes again what the broker refused, as often as it may', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.onPublish = (publish, link) => {
      link.send(publish.channel, 'basic.nack', { deliveryTag: publish.tag, multiple: false, requeue: false })
      return SILENT
    }
    const casting = rig.transport.driver.cast(
      { exchange: 'nova', topic: 'calc', server: undefined, fanout: false },
      { message: { method: 'add', args: {} }, context: {}, headers: {} },
      { signal: undefined, retries: 2, mandatory: false },
    )
    await rig.published(3, 1_000)
    await expect(casting).rejects.toMatchObject({ code: 'E_DELIVERY', retryable: true })
    expect(rig.publishes.length).toBe(3)
    expect(new Set(rig.publishes.map((publish) => innerOf(publish)['_unique_id'])).size).toBe(1)
  })

  it('leaves a channel on which the broker refuses, and closes it when nothing is on its way there', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.onPublish = (publish, link) => {
      const [first] = link.publishes
      if (publish.channel !== first!.channel) return undefined
      if (publish !== first)
        link.send(publish.channel, 'basic.nack', {
          deliveryTag: publish.tag,
          multiple: false,
          requeue: false,
        })
      return SILENT
    }
    const slow = rig.cast()
    const [first] = await rig.published(1)
    const refused = rig.cast()
    await rig.until(refused, 50)
    const ends = rig.publishes.map(({ channel }) => channel === first!.channel)
    expect(ends).toEqual([true, true, false])

    const link = await rig.linkOf('basic.publish')
    await rig.clock.pass(5_000)
    const closed = (): readonly number[] => link.all('channel.close').map(({ channel }) => channel)
    expect(closed()).not.toContain(first!.channel)
    link.send(first!.channel, 'basic.ack', { deliveryTag: first!.tag, multiple: false })
    await rig.until(slow, 50)
    await rig.clock.pass(50)
    expect(closed()).toContain(first!.channel)
  })

  it('declares an exchange again that is gone, and publishes once more', async () => {
    await using rig = new ScriptedRabbit()
    let gone = true
    rig.broker.onPublish = ({ channel }, link) => {
      if (!gone) return undefined
      gone = false
      link.closeChannel(channel, 404, "NOT_FOUND - no exchange 'calc_fanout' in vhost '/'", 60, 40)
      return SILENT
    }
    const casting = rig.cast({}, { fanout: true })
    await rig.published(2, 100)
    await casting
    const declared = (await rig.linkOf('basic.publish')).all('exchange.declare')
    expect(declared.map(({ args }) => args)).toMatchObject([
      { exchange: 'calc_fanout', type: 'fanout', durable: false, autoDelete: true },
      { exchange: 'calc_fanout', type: 'fanout' },
    ])
  })
})
