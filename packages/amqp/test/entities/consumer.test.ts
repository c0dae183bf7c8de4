import { createDeferred, type Deferred } from '@hermod/kernel'
import { eventually, nextEvent, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Consumer, Queue, type Connection, type ConsumerEvents, type Message } from '../../src/index.ts'
import { Bench, queue } from './consumer-bench.ts'

describe('Consumer', () => {
  it('says everything that is wrong with its options at once', () => {
    const wrong = {
      prefetchCount: -1,
      concurrency: 0,
      onHandlerError: 'drop',
      onDecodeError: 'keep',
    } as never
    const make = (): Consumer => new Consumer({} as Connection, queue, () => {}, wrong)
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).toThrow(
      /prefetchCount is -1.*concurrency is 0.*onHandlerError is none.*belongs to settle.*onDecodeError/,
    )
    expect(() => new Consumer({} as Connection, queue, () => {}, { onMessage: () => {} })).toThrow(
      /exclude each other/,
    )
  })

  it('declares on a channel of its own, waits for every consume-ok, and tells each queue its arguments', async () => {
    const [one, two] = [
      new Queue('one', { consumerArguments: { 'x-priority': 7 } }),
      new Queue('two', { noAck: true }),
    ]
    await using bench = await Bench.open(() => {}, { prefetchCount: 9 }, [one, two])
    const held = createDeferred<void>()
    bench.broker.on('basic.consume', ({ channel, args }, link) => {
      if (args.queue !== 'two') return undefined
      void held.promise.then(() => link.send(channel, 'basic.consume-ok', { consumerTag: args.consumerTag }))
      return SILENT
    })
    let started = false
    const starting = bench.consumer.start().then(() => (started = true))
    const consumeTwo = await bench.link.method('basic.consume', 1)
    expect(started).toBe(false)
    held.resolve()
    await starting
    const [consumeOne] = bench.link.all('basic.consume')
    expect(consumeOne?.args).toMatchObject({ queue: 'one', noAck: false, arguments: { 'x-priority': 7 } })
    expect(consumeTwo.args).toMatchObject({ queue: 'two', noAck: true })
    expect(bench.link.all('basic.qos').map(({ args }) => args)).toEqual(
      Array.from({ length: 2 }, () => ({ prefetchSize: 0, prefetchCount: 9, global: false })),
    )
    for (const { channel } of bench.link.all('queue.declare')) expect(channel).not.toBe(consumeOne?.channel)
    expect(bench.consumer.isConsumingFrom(two) && bench.consumer.isConsumingFrom('one')).toBe(true)
  })

  it('consumes nothing when one queue is refused, and can be started again', async () => {
    await using bench = await Bench.open(() => {}, {}, [new Queue('one'), new Queue('two')])
    let refuse = true
    bench.broker.on('basic.consume', ({ channel, args }, link) => {
      if (args.queue !== 'two' || !refuse) return undefined
      link.closeChannel(channel, 403, 'ACCESS_REFUSED - queue in exclusive use', 60, 20)
      return SILENT
    })
    await expect(bench.consumer.start()).rejects.toMatchObject({ replyCode: 403 })
    expect(bench.consumer.isConsumingFrom('one')).toBe(false)
    refuse = false
    await bench.consumer.start()
    expect(bench.consumer.queues.every((one) => bench.consumer.isConsumingFrom(one))).toBe(true)
  })

  it('needs a handler to start, unless there is a loop', async () => {
    await using bench = await Bench.open()
    await expect(bench.consumer.start()).rejects.toMatchObject({ code: 'E_CONFIG' })
  })

  it('takes queues in and out while it consumes', async () => {
    const other = new Queue('other')
    await using bench = await Bench.open((body, message) => {
      bench.handled.push(body)
      message.ack()
    })
    await bench.consumer.addQueue(other)
    expect(bench.link.all('basic.consume')).toEqual([])
    await bench.consumer.cancelQueue(other)
    await bench.consumer.start()
    await bench.consumer.addQueue(other)
    await bench.consumer.addQueue(other)
    expect(bench.link.all('basic.consume').map(({ args }) => args.queue)).toEqual(['jobs', 'other'])
    expect(bench.consumer.queues).toEqual([queue, other])
    bench.deliver(['1'])
    expect(await bench.settles(1)).toEqual(['ack 1'])
    await bench.consumer.cancelQueue('other')
    expect(bench.link.all('basic.cancel')[0]?.args.consumerTag).toBe(
      bench.link.all('basic.consume')[1]?.args.consumerTag,
    )
    expect(bench.consumer.isConsumingFrom(other)).toBe(false)
    expect(bench.consumer.isConsumingFrom(queue)).toBe(true)
    expect(bench.handled).toEqual([1])
  })

  it('does no harm to messages in work when a queue that is added is refused', async () => {
    let held: Message | undefined
    await using bench = await Bench.open((_, message) => (held = message))
    await bench.consumer.start()
    bench.deliver(['1'])
    await eventually(() => held !== undefined)
    bench.broker.on('queue.declare', ({ channel }, link) => {
      link.closeChannel(channel, 406, "PRECONDITION_FAILED - inequivalent arg 'durable'", 50, 10)
      return SILENT
    })
    const refused = new Queue('refused')
    await expect(bench.consumer.addQueue(refused)).rejects.toMatchObject({ replyCode: 406 })
    expect(bench.consumer.queues).toEqual([queue])
    expect(held?.ack()).toBe(true)
    expect(await bench.settles(1)).toEqual(['ack 1'])
  })

  it('knows a queue that the broker named by its name', async () => {
    const mine = new Queue('', { exclusive: true })
    await using bench = await Bench.open(() => {}, {}, [mine])
    await bench.consumer.start()
    expect(bench.link.all('basic.consume')[0]?.args.queue).toBe('amq.gen-1')
    expect(bench.consumer.isConsumingFrom('amq.gen-1')).toBe(true)
    await bench.consumer.purge()
    expect(bench.link.all('queue.purge')[0]?.args.queue).toBe('amq.gen-1')
    await bench.consumer.cancelQueue('amq.gen-1')
    expect(bench.consumer.queues).toEqual([])
  })

  it('changes its prefetch by consuming anew before it ends the old', async () => {
    await using bench = await Bench.open((body, message) => {
      bench.handled.push(body)
      message.ack()
    })
    await bench.consumer.start()
    const before = bench.link.all('basic.consume')[0]?.args.consumerTag
    await bench.consumer.setPrefetch(5)
    expect(bench.link.all('basic.qos').map(({ args }) => args.prefetchCount)).toEqual([250, 5])
    const sent = bench.link.methods.map(({ name }) => name).filter((name) => /consume|cancel/.test(name))
    expect(sent).toEqual(['basic.consume', 'basic.consume', 'basic.cancel'])
    expect(bench.link.all('basic.cancel')[0]?.args.consumerTag).toBe(before)
    expect(bench.consumer.isConsumingFrom(queue)).toBe(true)
    bench.deliver(['"late"'])
    expect(await bench.settles(1)).toEqual(['ack 1'])
    await expect(bench.consumer.setPrefetch(65_536)).rejects.toMatchObject({ code: 'E_CONFIG' })
  })

  describe('with settle auto', () => {
    it('acks what returned and what was fulfilled', async () => {
      const later = createDeferred<void>()
      await using bench = await Bench.open((body) => (body === 1 ? later.promise : undefined), {
        settle: 'auto',
      })
      await bench.consumer.start()
      bench.deliver(['1', '2'])
      expect(await bench.settles(1)).toEqual(['ack 2'])
      later.resolve()
      expect(await bench.settles(2)).toEqual(['ack 2', 'ack 1'])
    })

    it.each([
      ['reject', false, 'reject 1'],
      ['requeue', true, 'requeue 1'],
      ['requeue-once', false, 'requeue 1'],
      ['requeue-once', true, 'reject 1'],
    ] as const)('what failed meets %s (redelivered: %s)', async (onHandlerError, redelivered, expected) => {
      for (const handler of [
        () => {
          throw new Error('no good')
        },
        () => Promise.reject(new Error('no good')),
      ]) {
        await using bench = await Bench.open(handler, { settle: 'auto', onHandlerError })
        bench.consumer.on('handler-error', (event) => bench.errors.push(event))
        await bench.consumer.start()
        bench.deliver(['1'], { redelivered })
        expect(await bench.settles(1)).toEqual([expected])
        expect(bench.errors.map(({ error }) => error)).toEqual([new Error('no good')])
        expect(bench.consumer.stats()).toMatchObject({ received: 1, failed: 1, running: 0 })
      }
    })

    it('leaves alone what the handler settled, also together with others', async () => {
      const messages: Message[] = []
      await using bench = await Bench.open(
        (_, message) => {
          messages.push(message)
          if (messages.length === 2) message.ack({ multiple: true })
          if (messages.length === 3) {
            message.requeue()
            throw new Error('after all')
          }
          return messages.length === 1 ? new Promise((resolve) => setImmediate(resolve)) : undefined
        },
        { settle: 'auto' },
      )
      await bench.consumer.start()
      bench.deliver(['1', '2', '3'])
      expect(await bench.settles(2)).toEqual(['ack* 2', 'requeue 3'])
      await eventually(() => bench.consumer.stats().running === 0)
      await bench.consumer.close()
      expect(await bench.settles(2)).toEqual(['ack* 2', 'requeue 3'])
    })
  })

  it('with explicit settling leaves what failed to the listener', async () => {
    await using bench = await Bench.open((body) => {
      if (body === 1) throw new Error('at once')
      return Promise.reject(new Error('later'))
    })
    bench.consumer.on('handler-error', (event) => bench.errors.push(event))
    await bench.consumer.start()
    bench.deliver(['1', '2'])
    await eventually(() => bench.errors.length === 2)
    expect(bench.errors.map(({ message }) => message.state)).toEqual(['received', 'received'])
  })

  it('with explicit settling and nobody listening ends in an uncaught exception', async () => {
    const uncaught: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      await using bench = await Bench.open(() => Promise.reject(new Error('nobody cares')))
      await bench.consumer.start()
      bench.deliver(['1'])
      await eventually(() => uncaught.length > 0)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const other of others) process.on('uncaughtException', other)
    }
    expect(uncaught).toEqual([new Error('nobody cares')])
  })

  it('has so many promises pending at the most, and hands over the rest in order', async () => {
    const jobs: Deferred<void>[] = []
    let most = 0
    await using bench = await Bench.open(
      (body) => {
        bench.handled.push(body)
        const job = createDeferred<void>()
        jobs.push(job)
        most = Math.max(most, bench.consumer.stats().running + 1)
        return job.promise
      },
      { settle: 'auto', concurrency: 2 },
    )
    await bench.consumer.start()
    bench.deliver(['1', '2', '3', '4', '5'])
    await eventually(() => bench.consumer.stats().waiting === 3)
    for (let done = 0; done < 5; done++) {
      await eventually(() => jobs[done] !== undefined)
      jobs[done]?.resolve()
    }
    await eventually(() => bench.settled.join().endsWith('5'))
    expect(bench.handled).toEqual([1, 2, 3, 4, 5])
    expect(most).toBe(2)
  })

  it('does not begin with what waited when the connection is lost', async () => {
    const jobs: Deferred<void>[] = []
    await using bench = await Bench.open(
      (body) => {
        bench.handled.push(body)
        const job = createDeferred<void>()
        jobs.push(job)
        return job.promise
      },
      { settle: 'auto', concurrency: 1 },
    )
    await bench.consumer.start()
    bench.deliver(['"old 1"', '"old 2"'])
    await eventually(() => bench.consumer.stats().waiting === 1)
    const restored = nextEvent(bench.connection, 'restored')
    bench.link.drop()
    await restored
    bench.forgetTags()
    bench.deliver(['"new 1"'])
    await eventually(() => bench.consumer.stats().waiting === 2)
    jobs[0]?.resolve()
    await eventually(() => jobs.length === 2)
    jobs[1]?.resolve()
    expect(await bench.settles(1)).toEqual(['ack 1'])
    expect(bench.handled).toEqual(['old 1', 'new 1'])
    expect(bench.connection.stats().staleSettles).toBe(1)
  })

  it('hands over raw messages without reading them', async () => {
    const bodies: string[] = []
    await using bench = await Bench.open(undefined, {
      onMessage: (message) => {
        bodies.push(message.body.toString())
        message.ack()
      },
    })
    await bench.consumer.start()
    bench.deliver(['{broken'])
    expect(await bench.settles(1)).toEqual(['ack 1'])
    expect(bodies).toEqual(['{broken'])
  })

  describe('a message that cannot be read', () => {
    it.each([
      [undefined, 'reject 1'],
      ['reject', 'reject 1'],
      ['ack', 'ack 1'],
      [() => {}, 'reject 1'],
      [(_: unknown, message: Message): void => void message.requeue(), 'requeue 1'],
      [async (_: unknown, message: Message): Promise<void> => void message.ack(), 'ack 1'],
    ] as const)('with %s is settled with %s', async (onDecodeError, expected) => {
      const reported: string[] = []
      await using bench = await Bench.open(() => {}, { onDecodeError })
      bench.consumer.on('decode-error', ({ error }) => reported.push(error.code))
      await bench.consumer.start()
      bench.deliver(['{broken'])
      expect(await bench.settles(1)).toEqual([expected])
      expect(reported).toEqual(['E_DECODE'])
      expect(bench.consumer.stats()).toMatchObject({ received: 0, undecodable: 1 })
    })

    it('is rejected when the policy fails, which is reported', async () => {
      const onDecodeError = (): void => {
        throw new Error('bad policy')
      }
      await using bench = await Bench.open(() => {}, { onDecodeError })
      bench.consumer.on('handler-error', (event) => bench.errors.push(event))
      await bench.consumer.start()
      bench.deliver(['1'], { contentType: 'application/x-python-serialize' })
      expect(await bench.settles(1)).toEqual(['reject 1'])
      expect(bench.errors.map(({ error }) => error)).toEqual([new Error('bad policy')])
    })
  })

  it('drains: stops, puts back what waits, and waits for what is worked on', async () => {
    const job = createDeferred<void>()
    await using bench = await Bench.open(
      async (_, message) => {
        await job.promise
        message.ack()
      },
      { concurrency: 1 },
    )
    await bench.consumer.start()
    bench.deliver(['1', '2', '3'])
    await eventually(() => bench.consumer.stats().waiting === 2)
    await expect(bench.consumer.drain({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    let drained = false
    const draining = bench.consumer.drain().then(() => (drained = true))
    expect(await bench.settles(2)).toEqual(['requeue 2', 'requeue 3'])
    expect(bench.link.all('basic.cancel')).toHaveLength(1)
    expect(drained).toBe(false)
    job.resolve()
    await draining
    await bench.consumer.close()
    expect(await bench.settles(3)).toEqual(['requeue 2', 'requeue 3', 'ack 1'])
    await expect(bench.consumer.closed).resolves.toEqual({})
  })

  it('drains messages that are settled after their handler returned', async () => {
    const held: Message[] = []
    await using bench = await Bench.open((_, message) => void held.push(message))
    await bench.consumer.start()
    bench.deliver(['1'])
    await eventually(() => held.length === 1)
    const draining = bench.consumer.drain({ timeoutMs: 5_000 })
    await bench.link.method('basic.cancel')
    held[0]?.ack()
    await expect(draining).resolves.toBeUndefined()
  })

  it('when it is closed puts back what waits and closes its channel', async () => {
    await using bench = await Bench.open((): Promise<void> => new Promise(() => {}), { concurrency: 1 })
    await bench.consumer.start()
    bench.deliver(['1', '2'])
    await eventually(() => bench.consumer.stats().waiting === 1)
    await bench.consumer.close()
    await bench.consumer.close()
    expect(await bench.settles(1)).toEqual(['requeue 2'])
    expect(bench.link.all('channel.close').at(-1)?.channel).toBe(bench.link.all('basic.consume')[0]?.channel)
    await expect(bench.consumer.start()).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
    await bench.consumer.cancel()
    await bench.consumer.drain()
  })

  it('ends with its connection, and says why', async () => {
    await using bench = await Bench.open(() => {})
    await bench.consumer.start()
    bench.broker.on('connection.open', (_, link) => {
      link.closeConnection(530, 'NOT_ALLOWED - vhost is gone')
      return SILENT
    })
    bench.link.drop()
    const { error } = await bench.consumer.closed
    expect(error?.code).toBe('E_ACCESS')
  })

  it('reports a queue that it may not consume any more', async () => {
    await using bench = await Bench.open(() => {})
    await bench.consumer.start()
    const ended = createDeferred<ConsumerEvents['subscription-ended']>()
    bench.consumer.on('subscription-ended', ended.resolve)
    bench.broker.on('basic.consume', ({ channel }, link) => {
      link.closeChannel(channel, 403, "ACCESS_REFUSED - access to queue 'jobs' refused", 60, 20)
      return SILENT
    })
    bench.link.drop()
    const event = await ended.promise
    expect(event.queue).toBe(queue)
    expect(event.error).toMatchObject({ code: 'E_CHANNEL', replyCode: 403 })
    expect(bench.consumer.isConsumingFrom(queue)).toBe(false)
  })

  it('has messages delivered anew on request, those that wait included', async () => {
    const held: Message[] = []
    await using bench = await Bench.open(
      (_, message) => {
        held.push(message)
        return new Promise(() => {})
      },
      { concurrency: 1 },
    )
    bench.broker.on('basic.recover', ({ channel }, link) => {
      // The message comes again in the same breath as the answer.
      link.send(channel, 'basic.recover-ok', {})
      if (channel === link.all('basic.consume')[0]?.channel) bench.deliver(['3'], { redelivered: true })
      return SILENT
    })
    await bench.consumer.start()
    bench.deliver(['1', '2'])
    await eventually(() => bench.consumer.stats().waiting === 1)
    await bench.consumer.recover()
    expect(bench.link.all('basic.recover')).toHaveLength(1)
    await eventually(() => bench.consumer.stats().waiting === 1)
    expect(held[0]?.ack()).toBe(false)
  })
})
