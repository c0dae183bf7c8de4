import { createDeferred } from '@hermod/kernel'
import { eventually, nextEvent, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Queue, type ReceivedMessage } from '../../src/index.ts'
import { Bench, queue } from './consumer-bench.ts'

describe('the messages of a Consumer in a loop', () => {
  it('start the consumer, come in order, and are settled by the body of the loop alone', async () => {
    await using bench = await Bench.open()
    const loop = (async () => {
      for await (const { body, message } of bench.consumer.messages()) {
        bench.handled.push(body)
        if (body !== 2) message.ack()
        if (bench.handled.length === 3) break
      }
    })()
    await bench.link.method('basic.consume')
    bench.deliver(['1', '2', '3'])
    await loop
    expect(bench.handled).toEqual([1, 2, 3])
    expect(await bench.settles(2)).toEqual(['ack 1', 'ack 3'])
  })

  it('stop with the loop, and what it has not taken goes back', async () => {
    await using bench = await Bench.open()
    let taken: ReceivedMessage | undefined
    const loop = (async () => {
      for await (const received of bench.consumer.messages()) {
        taken = received
        await eventually(() => bench.consumer.stats().waiting === 2)
        break
      }
    })()
    await bench.link.method('basic.consume')
    bench.deliver(['1', '2', '3'])
    await loop
    expect(bench.link.all('basic.cancel')).toHaveLength(1)
    taken?.message.ack()
    await bench.consumer.close()
    expect(await bench.settles(3)).toEqual(['requeue 2', 'requeue 3', 'ack 1'])
    expect(bench.consumer.stats()).toMatchObject({ received: 1, waiting: 0 })
  })

  it('are dropped unread when the connection is lost, for they come again', async () => {
    await using bench = await Bench.open()
    const messages = bench.consumer.messages()
    const first = messages.next()
    await bench.link.method('basic.consume')
    bench.deliver(['"old 1"', '"old 2"'])
    expect((await first).value.body).toBe('old 1')
    await eventually(() => bench.consumer.stats().waiting === 1)
    const restored = nextEvent(bench.connection, 'restored')
    bench.link.drop()
    await restored
    bench.forgetTags()
    bench.deliver(['"new 1"'])
    expect((await messages.next()).value.body).toBe('new 1')
  })

  it('end with the signal, which is the error of the loop', async () => {
    await using bench = await Bench.open()
    const aborting = new AbortController()
    const reason = new Error('enough')
    const messages = bench.consumer.messages({ signal: aborting.signal })
    const first = messages.next()
    await bench.link.method('basic.consume')
    bench.deliver(['1', '2'])
    await first
    await eventually(() => bench.consumer.stats().waiting === 1)
    aborting.abort(reason)
    await expect(messages.next()).rejects.toBe(reason)
    expect(await bench.settles(1)).toEqual(['requeue 2'])
    await bench.link.method('basic.cancel')
  })

  it('end before they begin when the signal has aborted', async () => {
    await using bench = await Bench.open()
    const messages = bench.consumer.messages({ signal: AbortSignal.abort('enough') })
    await expect(messages.next()).rejects.toBe('enough')
    await expect(messages.next()).resolves.toEqual({ done: true, value: undefined })
    expect(bench.link.all('basic.consume')).toEqual([])
  })

  it('end with the consumer', async () => {
    await using bench = await Bench.open()
    const messages = bench.consumer.messages()
    const next = messages.next()
    await bench.link.method('basic.consume')
    await bench.consumer.close()
    await expect(next).resolves.toEqual({ done: true, value: undefined })
    await expect(messages.return()).resolves.toMatchObject({ done: true })
  })

  it('end after a drain, which puts back what was not taken and waits for the rest', async () => {
    await using bench = await Bench.open()
    const messages = bench.consumer.messages()
    const first = messages.next()
    await bench.link.method('basic.consume')
    bench.deliver(['1', '2'])
    const { message } = (await first).value as ReceivedMessage
    await eventually(() => bench.consumer.stats().waiting === 1)
    const draining = bench.consumer.drain()
    expect(await bench.settles(1)).toEqual(['requeue 2'])
    message.ack()
    await draining
    await expect(messages.next()).resolves.toEqual({ done: true, value: undefined })
  })

  it('reject with what ended the last queue, or the connection', async () => {
    for (const end of ['queue', 'connection'] as const) {
      await using bench = await Bench.open()
      const messages = bench.consumer.messages()
      const next = messages.next()
      await eventually(() => bench.consumer.isConsumingFrom(queue))
      if (end === 'queue') {
        bench.broker.on('basic.consume', ({ channel }, link) => {
          link.closeChannel(channel, 403, "ACCESS_REFUSED - access to queue 'jobs' refused", 60, 20)
          return SILENT
        })
      } else {
        bench.broker.on('connection.open', (_, link) => {
          link.closeConnection(530, 'NOT_ALLOWED - vhost is gone')
          return SILENT
        })
      }
      bench.link.drop()
      await expect(next).rejects.toMatchObject({ code: end === 'queue' ? 'E_CHANNEL' : 'E_ACCESS' })
    }
  })

  it('reject when the consumer cannot start', async () => {
    await using bench = await Bench.open()
    bench.broker.on('queue.declare', ({ channel }, link) => {
      link.closeChannel(channel, 406, 'PRECONDITION_FAILED', 50, 10)
      return SILENT
    })
    const messages = bench.consumer.messages()
    await expect(messages.next()).rejects.toMatchObject({ replyCode: 406 })
    await expect(messages.next()).resolves.toEqual({ done: true, value: undefined })
  })

  it('are rejected one by one where they cannot be read', async () => {
    await using bench = await Bench.open()
    const messages = bench.consumer.messages()
    const next = messages.next()
    await bench.link.method('basic.consume')
    bench.deliver(['{broken', '2'])
    expect((await next).value.body).toBe(2)
    expect(await bench.settles(1)).toEqual(['reject 1'])
  })

  it('that need no ack are all left to the loop after a drain', async () => {
    await using bench = await Bench.open(undefined, {}, [new Queue('jobs', { noAck: true })])
    const messages = bench.consumer.messages()
    const first = messages.next()
    await bench.link.method('basic.consume')
    bench.deliver(['1', '2', '3'])
    await first
    await eventually(() => bench.consumer.stats().waiting === 2)
    await bench.consumer.drain()
    const rest: unknown[] = []
    for await (const { body } of messages) rest.push(body)
    expect(rest).toEqual([2, 3])
    expect(bench.settled).toEqual([])
  })

  it('have one reader, and no handler beside it', async () => {
    await using bench = await Bench.open()
    bench.consumer.messages()
    expect(() => bench.consumer.messages()).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    await using handled = await Bench.open(() => {})
    expect(() => handled.consumer.messages()).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
  })

  it('do not keep a loop from being left while it waits', async () => {
    await using bench = await Bench.open()
    const messages = bench.consumer.messages()
    const waiting = createDeferred<unknown>()
    void messages.next().then(waiting.resolve)
    await bench.link.method('basic.consume')
    await messages.return()
    await expect(waiting.promise).resolves.toEqual({ done: true, value: undefined })
  })
})
