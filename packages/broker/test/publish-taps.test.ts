import { Connection } from '@hermod/amqp'
import { eventually, methodBytes } from '@hermod/testkit'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createBroker, type Broker, type BrokerOptions, type PublishedMessage } from '../src/index.ts'
import { FrameClient } from './frame-client.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

function start(options: BrokerOptions = {}): Broker {
  const broker = createBroker(options)
  open.push(broker)
  return broker
}

async function connected(broker: Broker, way: 'in process' | 'over TCP' = 'in process'): Promise<Connection> {
  const connection =
    way === 'in process'
      ? await Connection.connect('amqp://guest:guest@in-process/', { dial: async () => broker.connect() })
      : await Connection.connect((await broker.listen()).url)
  open.unshift(connection)
  return connection
}

function collected(broker: Broker): PublishedMessage[] {
  const seen: PublishedMessage[] = []
  broker.onPublish((published) => seen.push(published))
  return seen
}

async function framesOf(broker: Broker): Promise<FrameClient> {
  const client = await new FrameClient(broker.connect()).open()
  open.unshift({ [Symbol.asyncDispose]: async () => void client.stream.destroy() })
  await client.call(1, 'channel.open', {})
  return client
}

/** A table in a table, and so on: deeper than any client writes it. */
function nested(depth: number): Buffer {
  const inner =
    depth === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from('\u0001aF', 'latin1'), nested(depth - 1)])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(inner.length)
  return Buffer.concat([size, inner])
}

/** The header frame, on channel 1, of a message without a body and with these headers. */
function emptyContent(headers: Buffer): Buffer {
  const frame = Buffer.alloc(7 + 14 + headers.length + 1)
  frame[0] = 2
  frame.writeUInt16BE(1, 1)
  frame.writeUInt32BE(14 + headers.length, 3)
  frame.writeUInt16BE(60, 7)
  frame.writeUInt16BE(0x2000, 19)
  headers.copy(frame, 21)
  frame[frame.length - 1] = 0xce
  return frame
}

describe.each(['in process', 'over TCP'] as const)('a tap on what is published %s', (way) => {
  it('sees each message before its publisher has the confirm, and where it went', async () => {
    const broker = start()
    const seen = collected(broker)
    const connection = await connected(broker, way)
    const channel = await connection.openChannel()
    await channel.declareQueue('näme')
    await channel.declareQueue('other')
    await channel.bindQueue('näme', 'amq.topic', 'a.*')
    await channel.bindQueue('other', 'amq.topic', '#')
    const headers = { n: 1, text: 'ä', list: [1n, true] }
    await channel.publish('amq.topic', 'a.b', Buffer.from('body'), {
      properties: { headers, messageId: 'm-1' },
    })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      virtualHost: '/',
      exchange: 'amq.topic',
      routingKey: 'a.b',
      properties: { headers: { n: 1, text: 'ä', list: [1, true] }, messageId: 'm-1' },
      body: Buffer.from('body'),
      mandatory: false,
      outcome: 'taken',
      channel: 1,
    })
    expect(seen[0]?.queues.toSorted()).toEqual(['näme', 'other'])
    expect(seen[0]?.connection).toBe(broker.connections()[0])
    await expect(channel.publish('', 'nobody', Buffer.alloc(0), { mandatory: true })).rejects.toMatchObject({
      code: 'E_UNROUTABLE',
    })
    expect(seen[1]).toMatchObject({ routingKey: 'nobody', mandatory: true, outcome: 'unrouted', queues: [] })
  })

  it('sees large bodies whole, and all of many in order', async () => {
    const broker = start()
    const seen = collected(broker)
    const channel = await (await connected(broker, way)).openChannel()
    const large = Buffer.alloc(400_000, 'xyz')
    const sent = Array.from({ length: 2000 }, (_, at) => String(at))
    await Promise.all([
      channel.publish('', 'q', large),
      ...sent.map((text) => channel.publish('', 'q', Buffer.from(text))),
    ])
    expect(seen.shift()?.body.equals(large)).toBe(true)
    expect(seen.map(({ body }) => body.toString())).toEqual(sent)
  })
})

describe('a tap on what is published', () => {
  it('has copies of its own', async () => {
    const broker = start()
    const channel = await (await connected(broker)).openChannel()
    await channel.declareQueue('q')
    broker.onPublish(({ body, properties }) => {
      body.fill('!')
      const bytes = properties.headers?.['bytes'] as Buffer
      bytes.fill('!')
    })
    await channel.publish('', 'q', Buffer.from('as sent'), {
      properties: { headers: { bytes: Buffer.from('as sent') } },
    })
    const got = await channel.get('q')
    expect(got?.body.toString()).toBe('as sent')
    expect(got?.properties.headers?.['bytes']).toEqual(Buffer.from('as sent'))
  })

  it('sees a transaction at its commit, and what was rolled back never', async () => {
    const broker = start()
    const seen = collected(broker)
    const client = await framesOf(broker)
    await client.call(1, 'tx.select', {})
    client.publish(1, '', 'q', 'gone')
    await client.call(1, 'tx.rollback', {})
    client.publish(1, '', 'q', 'one')
    client.publish(1, '', 'q', 'two')
    await client.call(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 1, global: false })
    expect(seen).toEqual([])
    await client.call(1, 'tx.commit', {})
    expect(seen.map(({ body }) => body.toString())).toEqual(['one', 'two'])
  })

  it('sees what a full queue refuses, and neither dead letters nor what closes a channel', async () => {
    const broker = start()
    const seen = collected(broker)
    const connection = await connected(broker)
    const channel = await connection.openChannel()
    await channel.declareQueue('q', {
      arguments: {
        'x-max-length': 1,
        'x-overflow': 'reject-publish',
        'x-dead-letter-exchange': 'amq.fanout',
      },
    })
    await channel.publish('', 'q', Buffer.from('1'))
    await expect(channel.publish('', 'q', Buffer.from('2'))).rejects.toMatchObject({ code: 'E_NACKED' })
    const got = await channel.get('q')
    got?.reject()
    await eventually(() => expect(broker.queues()[0]?.unsettled).toBe(0))
    const other = await connection.openChannel({ recover: false })
    await expect(other.publish('nowhere', 'q', Buffer.from('3'))).rejects.toMatchObject({ replyCode: 404 })
    expect(seen.map(({ body, outcome }) => [body.toString(), outcome])).toEqual([
      ['1', 'taken'],
      ['2', 'refused'],
    ])
  })

  it('may do to the broker what it likes, also close it', async () => {
    const broker = start()
    const channel = await (await connected(broker)).openChannel()
    await channel.declareQueue('q')
    await channel.declareQueue('kept')
    broker.onPublish(({ queues: [queue], connection, body }) => {
      if (body.toString() === 'drop') connection.drop()
      else broker.deleteQueue(queue ?? '')
    })
    await channel.publish('', 'q', Buffer.from('x'))
    expect(broker.queues().map(({ name }) => name)).toEqual(['kept'])
    await expect(channel.publish('', 'kept', Buffer.from('drop'))).rejects.toMatchObject({
      code: 'E_UNCERTAIN',
    })
  })

  it('disturbs neither the broker nor its publisher nor other taps when it throws; the process is told', async () => {
    const uncaught: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const note = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', note)
    onTestFinished(() => {
      process.off('uncaughtException', note)
      for (const listener of listeners) process.on('uncaughtException', listener)
    })
    const broker = start()
    const failure = new Error('of a tap')
    broker.onPublish(() => {
      throw failure
    })
    const seen = collected(broker)
    const channel = await (await connected(broker)).openChannel()
    await channel.declareQueue('q')
    await channel.publish('', 'q', Buffer.from('1'))
    await channel.publish('', 'q', Buffer.from('2'))
    expect(seen).toHaveLength(2)
    expect(uncaught).toEqual([failure, failure])
    expect(broker.queues()[0]?.ready).toBe(2)
  })

  it('ends when it is stopped, disposed of, or its signal aborts', async () => {
    const broker = start()
    const channel = await (await connected(broker)).openChannel()
    const counts = { stopped: 0, disposed: 0, aborted: 0, never: 0, first: 0 }
    const abort = new AbortController()
    const stopped = broker.onPublish(() => counts.stopped++)
    broker.onPublish(() => counts.aborted++, { signal: abort.signal })
    broker.onPublish(() => counts.never++, { signal: AbortSignal.abort() })
    const first = broker.onPublish(() => {
      counts.first++
      first.stop()
    })
    {
      using _ = broker.onPublish(() => counts.disposed++)
      await Promise.all([1, 2].map(() => channel.publish('', 'q', Buffer.from('x'))))
    }
    abort.abort()
    stopped.stop()
    stopped.stop()
    await channel.publish('', 'q', Buffer.from('x'))
    expect(counts).toEqual({ stopped: 2, disposed: 2, aborted: 2, never: 0, first: 1 })
  })

  it('is not shown what was published before it came', async () => {
    const broker = start()
    const channel = await (await connected(broker)).openChannel()
    const late: string[] = []
    broker.onPublish(({ body }) => {
      if (body.toString() === '1') broker.onPublish((published) => late.push(published.body.toString()))
    })
    await Promise.all(['1', '2'].map((text) => channel.publish('', 'q', Buffer.from(text))))
    await channel.publish('', 'q', Buffer.from('3'))
    expect(late).toEqual(['3'])
  })

  it('does without a message that cannot be read, which the log tells', async () => {
    const errors: string[] = []
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_: unknown, text: string) => void errors.push(text),
    }
    const broker = start({ limits: { maxTableDepth: 200 }, logger })
    const seen = collected(broker)
    const client = await framesOf(broker)
    client.raw(
      methodBytes(1, 'basic.publish', { exchange: '', routingKey: 'q', mandatory: false, immediate: false }),
    )
    client.raw(emptyContent(nested(100)))
    client.publish(1, '', 'q', 'next')
    await eventually(() => expect(seen.map(({ body }) => body.toString())).toEqual(['next']))
    expect(errors).toEqual(['a published message cannot be shown'])
  })
})
