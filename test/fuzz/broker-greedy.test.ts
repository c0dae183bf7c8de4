import { PROTOCOL_HEADER } from '@hermod/amqp/wire'
import { sleep } from '@hermod/kernel'
import { contentBytes, eventually, methodBytes } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { FrameClient } from '../../packages/broker/test/frame-client.ts'
import { consumeFrom, exchangeNamed, queueNamed } from '../../packages/broker/test/session/session-fixture.ts'
import { handshake } from './broker-frames.ts'
import { besiege, hungUp, type BrokerStage } from './broker-stage.ts'
import { frameOf, headerFrame, heapBytes } from './hostile-broker.ts'
import { TIMEOUT_MS } from './search.ts'

const MIB = 1 << 20

/** For what comes behind work that takes seconds. */
const AFTER_MUCH = { timeoutMs: 40_000 }

/** `count` times the same bytes. */
const times = (count: number, bytes: Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => bytes))

const publishTo = (
  exchange: string,
  routingKey: string,
): Parameters<typeof methodBytes<'basic.publish'>>[2] => ({
  exchange,
  routingKey,
  mandatory: false,
  immediate: false,
})

const get = methodBytes(1, 'basic.get', { queue: 'q', noAck: false })

/** Memory that is taken while `work` goes on, at its highest. */
async function mostBytes(work: () => Promise<void>): Promise<number> {
  const before = heapBytes()
  let most = before
  let looking: NodeJS.Timeout
  const lookIn = (ms: number): void => {
    looking = setTimeout(() => {
      const startMs = performance.now()
      most = Math.max(most, heapBytes())
      // A look collects all garbage, and the work is to have most of the time.
      lookIn(Math.max(500, 4 * (performance.now() - startMs)))
    }, ms)
  }
  lookIn(500)
  await work().finally(() => clearTimeout(looking))
  return Math.max(most, heapBytes()) - before
}

/** Queues bound to a fanout exchange. */
async function fanout(
  client: FrameClient,
  exchange: string,
  count: number,
  args: object = {},
): Promise<void> {
  await client.call(1, 'exchange.declare', exchangeNamed(exchange, 'fanout'))
  client.batch(() => {
    for (let n = 0; n < count; n++) {
      const queue = `${exchange}.${n}`
      client.send(1, 'queue.declare', queueNamed(queue, { noWait: true, arguments: args as never }))
      client.send(1, 'queue.bind', { queue, exchange, routingKey: '', noWait: true, arguments: {} })
    }
  })
  await settled(client)
}

/** All that was sent before is done. */
async function settled(client: FrameClient): Promise<void> {
  await client.call(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 0, global: false })
}

describe('clients that do not read', { timeout: TIMEOUT_MS }, () => {
  it('and ask for a large message again and again', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      await client.call(1, 'queue.declare', queueNamed('q'))
      client.publish(1, '', 'q', 'x'.repeat(8 * MIB))
      await settled(client)
      client.stream.pause()
      const most = await mostBytes(async () => {
        client.batch(() => {
          for (let tag = 1; tag < 20_000; tag++) {
            client.raw(get)
            client.send(1, 'basic.reject', { deliveryTag: tag, requeue: true })
          }
        })
        await sleep(1000)
      })
      expect(most / MIB).toBeLessThan(64)
    })
  })

  it('and consume: twenty of them', async () => {
    await besiege(async (stage) => {
      const publisher = await stage.client()
      await fanout(publisher, 'x', 20)
      for (let n = 0; n < 20; n++) {
        const consumer = await stage.client()
        await consumer.call(1, 'basic.consume', consumeFrom(`x.${n}`, 'c', { noAck: true }))
        consumer.stream.pause()
      }
      const most = await mostBytes(async () => {
        for (let n = 0; n < 60; n++) {
          publisher.raw(
            times(10, contentBytes(1, 'basic.publish', publishTo('x', ''), {}, 'x'.repeat(10_000))),
          )
          await settled(publisher)
        }
      })
      // The messages, once; and a megabyte for each that does not read.
      expect(most / MIB).toBeLessThan(20 + 20 * 1.5 + 10)
      expect(Math.max(...stage.broker.connections().map(({ outputBytes }) => outputBytes))).toBeLessThan(
        1.5 * MIB,
      )
    })
  })

  it.each<readonly [string, Buffer]>([
    ['ask', methodBytes(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 1, global: true })],
    [
      'publish what comes back',
      contentBytes(
        1,
        'basic.publish',
        { ...publishTo('', 'nowhere'), mandatory: true },
        {},
        'x'.repeat(4000),
      ),
    ],
    [
      'say goodbye',
      methodBytes(0, 'connection.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 }),
    ],
    [
      'close and open a channel',
      Buffer.concat([
        methodBytes(1, 'channel.close', { replyCode: 0, replyText: '', classId: 0, methodId: 0 }),
        methodBytes(1, 'channel.open', {}),
      ]),
    ],
  ])('and %s all the time', async (_, bytes) => {
    await besiege(async (stage) => {
      const client = await stage.client()
      client.stream.pause()
      const flood = times(Math.ceil((12 * MIB) / bytes.length), bytes)
      const most = await mostBytes(async () => {
        client.raw(flood)
        await sleep(1500)
      })
      // What the client itself cannot write is in there, too.
      expect(most / MIB).toBeLessThan(12 + 12)
    })
  })

  it('and are gone half', async () => {
    const limits = { maxOutputBytes: 4 * MIB }
    await besiege(
      async (stage) => {
        const client = await stage.client()
        await client.call(1, 'queue.declare', queueNamed('q'))
        client.publish(1, '', 'q', 'x'.repeat(16 * MIB))
        await settled(client)
        const socket = stage.socket({ allowHalfOpen: true })
        socket.pause()
        socket.write(Buffer.concat([...handshake, methodBytes(1, 'channel.open', {}), get]))
        await eventually(() => stage.broker.queues().some(({ unsettled }) => unsettled === 1))
        const closed = hungUp(socket)
        socket.end()
        await eventually(() => expect(stage.broker.connections()).toHaveLength(2))
        // The broker gives up what nobody takes.
        socket.on('error', () => {})
        await sleep(4000)
        socket.resume()
        await closed
        expect(socket.bytesRead).toBeLessThan(16 * MIB)
      },
      { limits },
    )
  })
})

describe('clients that make much of little', { timeout: TIMEOUT_MS }, () => {
  it('with a small message for two thousand queues, again and again', async () => {
    await besiege(
      async (stage) => {
        const client = await stage.client()
        await fanout(client, 'x', 2000)
        const most = await mostBytes(async () => {
          client.raw(times(5_000, contentBytes(1, 'basic.publish', publishTo('x', ''), {}, '')))
          await sleep(3000)
        })
        expect(most / MIB).toBeLessThan(200)
        await eventually(() => expect(stage.broker.stats().alarms).toEqual(['memory']), AFTER_MUCH)
        // The client that behaves publishes, too, and waits with the others.
        for (const { name } of stage.broker.queues())
          if (name.startsWith('x.')) stage.broker.deleteQueue(name)
      },
      { memoryLimitBytes: 64 * MIB },
      60_000,
    )
  })

  it('with dead letters that become ten at each of many stations', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      for (let station = 0; station < 9; station++) {
        await fanout(client, `x${station}`, 10, {
          'x-max-length': 0,
          'x-dead-letter-exchange': `x${station + 1}`,
        })
      }
      client.publish(1, 'x0', '', 'x')
      await stage.witness.round()
      expect(stage.broker.stats().queues).toBe(91)
      await sleep(3000)
      client.stream.destroy()
    })
  })

  it('with a chain of a thousand queues, each of which sends on what it gets', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      client.batch(() => {
        for (let n = 0; n < 1000; n++) {
          const next = {
            'x-max-length': 0,
            'x-dead-letter-exchange': '',
            'x-dead-letter-routing-key': `q${n + 1}`,
          }
          client.send(1, 'queue.declare', queueNamed(`q${n}`, { noWait: true, arguments: next }))
        }
      })
      await settled(client)
      for (let n = 0; n < 5; n++) client.publish(1, '', 'q0', 'x')
      await settled(client)
      expect(stage.broker.stats().ready).toBe(0)
    })
  })

  it('with rings of exchanges, alternates and dead letters', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      const names = ['a', 'b', 'c', 'd']
      for (const [at, name] of names.entries()) {
        const next = names[(at + 1) % names.length] as string
        const args = { 'alternate-exchange': next }
        await client.call(1, 'exchange.declare', exchangeNamed(name, 'topic', { arguments: args }))
        const dead = { 'x-message-ttl': 0, 'x-dead-letter-exchange': next, 'x-max-length': 1 }
        await client.call(1, 'queue.declare', queueNamed(name, { arguments: dead }))
      }
      for (const destination of names)
        for (const source of names) {
          await client.call(1, 'exchange.bind', {
            destination,
            source,
            routingKey: '#',
            noWait: false,
            arguments: {},
          })
          await client.call(1, 'queue.bind', {
            queue: destination,
            exchange: source,
            routingKey: '#',
            noWait: false,
            arguments: {},
          })
        }
      for (let n = 0; n < 200; n++) client.publish(1, 'a', `k.${n}`, 'x')
      await settled(client)
      await eventually(() => expect(stage.broker.stats().ready).toBe(0))
    })
  })

  it('with the first byte of a body on each of two thousand channels', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      const most = await mostBytes(async () => {
        for (let channel = 2; channel < 2000; channel++) {
          client.raw(methodBytes(channel, 'channel.open', {}))
          client.raw(methodBytes(channel, 'basic.publish', publishTo('', 'q')))
          client.raw(headerFrame(channel, 16_000_000n))
          client.raw(frameOf(3, channel, Buffer.alloc(1)))
        }
        await settledBesides(client)
      })
      expect(most / MIB).toBeLessThan(40)
    })
  })

  it('with consumers of ever new priorities', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      await client.call(1, 'queue.declare', queueNamed('q'))
      const most = await mostBytes(async () => {
        for (let n = 0; n < 5000; n += 1000) {
          client.batch(() => {
            for (let one = n; one < n + 1000; one++) {
              const args = { 'x-priority': one }
              client.send(1, 'basic.consume', consumeFrom('q', 'c', { noWait: true, arguments: args }))
              client.send(1, 'basic.cancel', { consumerTag: 'c', noWait: true })
            }
          })
          await settled(client)
        }
      })
      expect(most / MIB).toBeLessThan(4)
    })
  })

  it('with sixty-five thousand channels', async () => {
    await besiege(async (stage) => {
      const client = await new FrameClient(stage.socket()).open()
      const most = await mostBytes(async () => {
        for (let channel = 1; channel < 65_536; channel++)
          client.raw(methodBytes(channel, 'channel.open', {}))
        for (let n = 0; n < 2047; n++) await client.expect('channel.open-ok')
        const { args } = await client.expect('connection.close')
        expect(args).toMatchObject({ replyCode: 530, classId: 0, methodId: 0 })
      })
      expect(most / MIB).toBeLessThan(40)
    })
  })
})

/** Like `settled`, while other channels may answer. */
async function settledBesides(client: FrameClient): Promise<void> {
  client.send(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 0, global: false })
  for (let frame = await client.next(); ; frame = await client.next()) {
    if (frame === 'end') throw new Error('the connection has ended')
    if (frame.name === 'basic.qos-ok') return
  }
}

describe('clients that leave the others no time', { timeout: TIMEOUT_MS }, () => {
  it.each<readonly [string, object]>([
    ['classic', {}],
    ['quorum', { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 }],
  ])('by giving back all that they get of a %s queue', async (_, args) => {
    await besiege(async (stage) => {
      const publisher = await stage.client()
      await publisher.call(1, 'queue.declare', queueNamed('q', { durable: true, arguments: args as never }))
      publisher.raw(times(20_000, contentBytes(1, 'basic.publish', publishTo('', 'q'), {}, 'x')))
      await settled(publisher)
      const giveBack = methodBytes(1, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: true })
      const consume = methodBytes(1, 'basic.consume', consumeFrom('q', 'c'))
      for (let n = 0; n < 4; n++) {
        // It reads nothing of what it gets, and so has time to do this as often as it can.
        const socket = stage.socket()
        socket.write(Buffer.concat([...handshake, methodBytes(1, 'channel.open', {}), consume]))
        socket.on('data', () => socket.write(giveBack))
      }
      await eventually(() => expect(stage.broker.stats().consumers).toBe(5))
      await stage.witness.round()
      await sleep(2000)
      // A turn of the broker takes 30 ms at the most, and the witness waits for two, and for what its own socket holds back.
      expect(stage.witness.longestBusyMs).toBeLessThan(500)
    })
  })

  it('by sending as fast as they can', async () => {
    await besiege(async (stage) => {
      const flood = contentBytes(1, 'basic.publish', publishTo('', 'nowhere'), {}, 'x'.repeat(200))
      const chunk = times(Math.ceil(MIB / flood.length), flood)
      const clients = await Promise.all(Array.from({ length: 4 }, () => stage.client()))
      const endMs = performance.now() + 3000
      await Promise.all(
        clients.map(async ({ stream }) => {
          while (performance.now() < endMs) await new Promise((resolve) => stream.write(chunk, resolve))
        }),
      )
      expect(stage.witness.longestBusyMs).toBeLessThan(500)
    })
  })

  it('by bindings that are slow to match', async () => {
    await besiege(async (stage) => {
      const client = await stage.client()
      await client.call(1, 'queue.declare', queueNamed('q'))
      await client.call(1, 'exchange.declare', exchangeNamed('h', 'headers'))
      client.batch(() => {
        for (let n = 0; n < 5000; n++) {
          const args = { 'x-match': 'any', a: n, b: n, c: n }
          client.send(1, 'queue.bind', {
            queue: 'q',
            exchange: 'h',
            routingKey: '',
            noWait: true,
            arguments: args,
          })
        }
        for (let n = 0; n < 50; n++) {
          const routingKey = Array.from({ length: 60 }, (_, at) => ((n >> (at % 11)) & 1 ? '#' : 'a')).join(
            '.',
          )
          client.send(1, 'queue.bind', {
            queue: 'q',
            exchange: 'amq.topic',
            routingKey,
            noWait: true,
            arguments: {},
          })
        }
      })
      await settled(client)
      const headers = { a: -1, b: -1, c: -1 }
      client.raw(times(300, contentBytes(1, 'basic.publish', publishTo('h', ''), { headers }, '')))
      for (let n = 0; n < 20; n++) client.publish(1, 'amq.topic', `${'a.'.repeat(100)}b${n}`)
      await settled(client)
      expect(stage.witness.longestBusyMs).toBeLessThan(1000)
    })
  })
})

describe('clients that nobody knows', { timeout: TIMEOUT_MS }, () => {
  const limits = { protocolHeaderTimeoutMs: 1000, handshakeTimeoutMs: 2000, maxUnauthenticated: 64 }

  async function ends(stage: BrokerStage): Promise<void> {
    await eventually(() => expect(stage.broker.connections()).toHaveLength(1), AFTER_MUCH)
    // Whoever behaves comes in again.
    const client = await stage.client()
    client.stream.destroy()
  }

  it.each<readonly [string, (n: number) => readonly Uint8Array[]]>([
    ['say nothing', () => []],
    [
      'say a byte at a time',
      () =>
        handshake
          .slice(0, 3)
          .flatMap((bytes) => [...bytes])
          .map((byte) => Buffer.from([byte])),
    ],
    ['stop within the greeting', () => [PROTOCOL_HEADER.subarray(0, 7)]],
    ['stop before the credentials', () => [PROTOCOL_HEADER]],
    ['stop before they open', () => handshake.slice(0, 3)],
    [
      'guess',
      (n) => [
        PROTOCOL_HEADER,
        methodBytes(0, 'connection.start-ok', {
          clientProperties: {},
          mechanism: 'PLAIN',
          response: `\0guest\0guess${n}`,
          locale: '',
        }),
      ],
    ],
    ['announce a large frame', () => [PROTOCOL_HEADER, Buffer.from([1, 0, 0, 0, 0, 0x1f, 0xf8])]],
    ['speak HTTP', () => [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
  ])('and %s: three hundred of them', async (_, pieces) => {
    await besiege(
      async (stage) => {
        const before = heapBytes()
        for (let n = 0; n < 300; n++) {
          const socket = stage.socket()
          socket.on('data', () => {})
          void (async () => {
            for (const piece of pieces(n)) {
              if (!socket.writable) return
              await new Promise((resolve) => socket.write(piece, resolve))
            }
          })()
          if (n % 50 === 0) await stage.witness.round()
        }
        await ends(stage)
        expect((heapBytes() - before) / MIB).toBeLessThan(16)
      },
      { limits },
    )
  })
})
