import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually } from '../src/eventually.ts'
import { startFaultProxy } from '../src/fault-proxy.ts'
import { freePort } from '../src/free-port.ts'
import { ProxiedEnds } from './proxied-ends.ts'

describe('a fault proxy without faults', () => {
  it('passes bytes both ways, and counts them', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    client.say('question')
    await broker.heard('question')
    broker.say('answer')
    await client.heard('answer')
    expect(ends.proxy.connections).toBe(1)
    expect(ends.proxy.accepted).toBe(1)
    const { toBroker, toClient } = ends.proxy.stats()
    expect(toBroker).toMatchObject({ receivedBytes: 8, forwardedBytes: 8, vanishedBytes: 0 })
    expect(toClient).toMatchObject({ receivedBytes: 6, forwardedBytes: 6 })
  })

  it('passes many bytes without changing any', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    const sent = Buffer.from(Uint32Array.from({ length: 2 ** 20 }, (_, index) => index * 2654435761).buffer)
    client.socket.write(sent)
    await eventually(() => broker.bytes.length === sent.length)
    expect(broker.bytes.equals(sent)).toBe(true)
  })

  it('passes a half-close on, and what is said after it the other way', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    client.socket.end('last')
    await eventually(() => broker.ended)
    expect(broker.text).toBe('last')
    expect(client.ended).toBe(false)
    broker.say('still here')
    await client.heard('still here')
    broker.socket.end()
    await eventually(() => client.ended)
    await eventually(() => ends.proxy.connections === 0)
    expect(ends.proxy.stats().cut).toBe(0)
  })

  it('passes a reset on', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    broker.socket.resetAndDestroy()
    await eventually(() => client.failure === 'ECONNRESET')
    expect(ends.proxy.stats().cut).toBe(0)
  })

  it('breaks a connection whose target takes none', async () => {
    await using proxy = await startFaultProxy({ host: '127.0.0.1', port: await freePort() })
    const socket = connect(proxy.port, proxy.host)
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    await eventually(() => proxy.connections === 0)
  })

  it('is put into a URL that is otherwise the same', async () => {
    await using ends = await ProxiedEnds.start()
    const url = ends.proxy.urlFor('amqp://us%2Fer:p%40ss@broker.example:5671/a%2Fb?heartbeat=2')
    expect(url).toBe(`amqp://us%2Fer:p%40ss@127.0.0.1:${ends.proxy.port}/a%2Fb?heartbeat=2`)
  })
})

describe('cut', () => {
  it('breaks every open connection towards both sides, and none that comes later', async () => {
    await using ends = await ProxiedEnds.start()
    const pairs = [await ends.pair(), await ends.pair()]
    expect(ends.proxy.cut()).toBe(2)
    for (const end of pairs.flat()) await eventually(() => end.failure === 'ECONNRESET')
    expect(ends.proxy.connections).toBe(0)
    expect(ends.proxy.stats().cut).toBe(2)
    const [client, broker] = await ends.pair()
    client.say('again')
    await broker.heard('again')
  })

  it.each(['to-broker', 'to-client'] as const)(
    'happens behind exactly so many bytes %s',
    async (direction) => {
      await using ends = await ProxiedEnds.start()
      const [client, broker] = await ends.pair()
      const [from, to] = direction === 'to-broker' ? [client, broker] : [broker, client]
      from.say('before')
      await to.heard('before')
      ends.proxy.cutAfter({ direction, bytes: 5 })
      from.say('abc')
      await to.heard('beforeabc')
      from.say('defgh')
      // Node reports a reset that arrives together with bytes as the end of the stream.
      await eventually(() => to.ended || to.socket.destroyed)
      await eventually(() => from.socket.destroyed)
      expect(to.text).toBe('beforeabcde')
      expect(ends.proxy.stats().cut).toBe(1)
      const [next, other] = await ends.pair()
      const [speaker, listener] = direction === 'to-broker' ? [next, other] : [other, next]
      speaker.say('longer than five')
      await listener.heard('longer than five')
    },
  )

  it('does not happen after it was healed', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    {
      using _ = ends.proxy.cutAfter({ direction: 'to-broker', bytes: 3 })
    }
    client.say('longer')
    await broker.heard('longer')
    expect(ends.proxy.stats().cut).toBe(0)
  })
})

describe('half-open', () => {
  it('swallows what is said, and keeps the sockets open', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    const fault = ends.proxy.halfOpen()
    client.say('lost')
    broker.say('lost too')
    await eventually(() => {
      const { toBroker, toClient } = ends.proxy.stats()
      return toBroker.vanishedBytes === 4 && toClient.vanishedBytes === 8
    })
    expect(ends.proxy.connections).toBe(1)
    fault.heal()
    client.say('kept')
    await broker.heard('kept')
    broker.say('kept too')
    await client.heard('kept too')
  })

  it('can concern one direction, also of connections to come', async () => {
    await using ends = await ProxiedEnds.start()
    ends.proxy.halfOpen('to-client')
    const [client, broker] = await ends.pair()
    client.say('question')
    await broker.heard('question')
    broker.say('answer')
    await eventually(() => ends.proxy.stats().toClient.vanishedBytes === 6)
    expect(client.text).toBe('')
  })

  it('hides that a side has hung up until it is healed', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    const [resetting, other] = await ends.pair()
    ends.proxy.halfOpen()
    client.socket.end('bye')
    resetting.socket.resetAndDestroy()
    await eventually(() => ends.proxy.stats().toBroker.vanishedBytes === 3)
    // A connection made later has got through to the other side: so would have what was hung up before it.
    await ends.pair()
    expect([broker.ended, other.socket.destroyed]).toEqual([false, false])
    ends.proxy.heal()
    await eventually(() => broker.ended)
    await eventually(() => other.failure === 'ECONNRESET')
    expect(broker.text).toBe('')
  })
})

describe('corrupt', () => {
  it('flips the bits of one byte, once', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.corrupt({ direction: 'to-broker', afterBytes: 2, change: 0x20 })
    client.say('abcd')
    await broker.heard('abCd')
    client.say('abcd')
    await broker.heard('abCdabcd')
    expect(ends.proxy.stats().toBroker.corruptedBytes).toBe(1)
  })

  it('puts other bytes in place, however the stream is split', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.rechunk({ bytes: 2 })
    ends.proxy.corrupt({ direction: 'to-client', afterBytes: 3, change: Buffer.from('XYZ') })
    broker.say('abcdefgh')
    await client.heard('abcXYZgh')
    client.say('abcdefgh')
    await broker.heard('abcdefgh')
    expect(ends.proxy.stats().toClient.corruptedBytes).toBe(3)
  })

  it('concerns the first connection that gets there', async () => {
    await using ends = await ProxiedEnds.start()
    const [slow, slowBroker] = await ends.pair()
    const [quick, quickBroker] = await ends.pair()
    ends.proxy.corrupt({ direction: 'to-broker', afterBytes: 3, change: Buffer.from('!') })
    slow.say('ab')
    await slowBroker.heard('ab')
    quick.say('abcd')
    await quickBroker.heard('abc!')
    slow.say('cd')
    await slowBroker.heard('abcd')
    expect(ends.proxy.stats().toBroker.corruptedBytes).toBe(1)
  })

  it('refuses a change that changes nothing', async () => {
    await using ends = await ProxiedEnds.start()
    expect(() => ends.proxy.corrupt({ direction: 'to-broker', change: 0 })).toThrow(RangeError)
    expect(() => ends.proxy.cutAfter({ direction: 'to-broker', bytes: 0 })).toThrow('bytes is 0')
  })
})

describe('refuse', () => {
  it('breaks what is new, leaves what is open, and ends', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.refuse()
    const refused = ends.client()
    await eventually(() => refused.failure === 'ECONNRESET')
    client.say('open')
    await broker.heard('open')
    ends.proxy.refuse(false)
    const [next, other] = await ends.pair()
    next.say('taken')
    await other.heard('taken')
    expect(ends.proxy.stats()).toMatchObject({ accepted: 2, refused: 1 })
  })
})
