import {
  ByteWriter,
  METHOD_CODES,
  PROTOCOL_HEADER,
  writeContentHeader,
  type MethodName,
} from '@hermod/amqp/wire'
import { frameBytes, methodBytes } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { FrameClient, type Frame } from '../frame-client.ts'
import { CLOSE, consumeFrom, exchangeNamed, queueNamed, SessionFixture } from './session-fixture.ts'

const fixture = new SessionFixture()
afterEach(() => fixture.end())

/** What a close says, with the method that it names. */
const told = (frame: Frame | 'end'): string => {
  if (frame === 'end') return 'end'
  const { classId, methodId, replyText } = frame.args as {
    classId: number
    methodId: number
    replyText: string
  }
  const code = classId * 0x1_0000 + methodId
  const method = (Object.keys(METHOD_CODES) as MethodName[]).find((name) => METHOD_CODES[name] === code)
  return `${frame.name}: ${method ?? code}: ${replyText}`
}

const publish = (exchange: string, immediate = false): Buffer =>
  methodBytes(1, 'basic.publish', { exchange, routingKey: 'k', mandatory: false, immediate })

/** type, channel, payload, end */
const frame = (type: number, channel: number, payload: Uint8Array, end = 0xce): Buffer => {
  const head = Buffer.from([type, 0, channel, 0, 0, 0, 0])
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([end])])
}

describe('a handshake', () => {
  it('tells a client that can be told that its credentials are refused', async () => {
    const client = new FrameClient(fixture.broker().connect())
    await client.login({ response: '\0guest\0wrong', capabilities: { authentication_failure_close: true } })
    expect(told(await client.next())).toBe(
      'connection.close: 0: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. ' +
        'For details see the broker logfile.',
    )
    expect(await client.next()).toBe('end')
  })

  it('says nothing to others, and hangs up', async () => {
    const client = new FrameClient(fixture.broker().connect())
    await client.login({ response: '\0guest\0wrong' })
    expect(await client.next()).toBe('end')
  })

  it.each([
    ['an authorisation identity', 'PLAIN', 'guest\0guest\0guest'],
    ['one NUL too many', 'PLAIN', '\0guest\0guest\0'],
    ['no password', 'PLAIN', '\0guest'],
    ['nothing', 'PLAIN', ''],
    ['no table', 'AMQPLAIN', 'xxxxx'],
    ['a mechanism that nobody offered', 'EXTERNAL', ''],
  ])('hangs up over a response with %s', async (_, mechanism, response) => {
    const client = new FrameClient(fixture.broker().connect())
    await client.login({ mechanism, response })
    expect(await client.next()).toBe('end')
  })

  it('refuses a virtual host that is not there, and one that is not the user’s', async () => {
    const broker = fixture.broker({
      virtualHosts: ['/', 'other'],
      users: [{ name: 'u', password: 'p', virtualHosts: ['/'] }],
    })
    const refused = async (virtualHost: string): Promise<string> => {
      const client = new FrameClient(broker.connect())
      await client.login({ response: '\0u\0p' })
      await client.tune()
      client.send(0, 'connection.open', { virtualHost })
      return told(await client.next())
    }
    expect(await refused('nowhere')).toBe(
      'connection.close: connection.open: NOT_ALLOWED - vhost nowhere not found',
    )
    expect(await refused('other')).toBe(
      "connection.close: connection.open: NOT_ALLOWED - access to vhost 'other' refused for user 'u'",
    )
  })

  it.each([
    [{ frameMax: 100 }, 'negotiated frame_max = 100 is lower than the minimum allowed value (4096)'],
    [{ frameMax: 0 }, 'negotiated frame_max = 0 is higher than the maximum allowed value (131072)'],
    [
      { frameMax: 200_000 },
      'negotiated frame_max = 200000 is higher than the maximum allowed value (131072)',
    ],
    [
      { channelMax: 0 },
      'negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)',
    ],
  ])('refuses tune-ok with %o', async (tune, text) => {
    const client = new FrameClient(fixture.broker().connect())
    await client.login()
    await client.tune(tune)
    expect(told(await client.next())).toBe(`connection.close: connection.tune-ok: NOT_ALLOWED - ${text}`)
  })

  it('takes one method after the other and no other', async () => {
    const client = new FrameClient(fixture.broker().connect())
    await client.login()
    await client.expect('connection.tune')
    client.send(0, 'connection.open', { virtualHost: '/' })
    expect(await client.next()).toBe('end')
  })

  it.each([
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01'],
    ['AMQP 1.0', 'AMQP\x03\x01\x00\x00'],
  ])('answers %s with the version that it speaks', async (_, greeting) => {
    const stream = fixture.broker().connect()
    const came: Buffer[] = []
    stream.on('data', (bytes: Buffer) => came.push(bytes))
    stream.write(Buffer.from(greeting, 'latin1'))
    await new Promise((resolve) => stream.once('end', resolve))
    expect(Buffer.concat(came)).toEqual(Buffer.from(PROTOCOL_HEADER))
  })
})

describe('a refusal that costs the channel', () => {
  it.each([
    ['queue.declare', queueNamed('q', { passive: true }), "NOT_FOUND - no queue 'q' in vhost '/'"],
    ['basic.get', { queue: '', noAck: true }, 'NOT_FOUND - no previously declared queue'],
    ['basic.consume', consumeFrom('q', 'c'), "NOT_FOUND - no queue 'q' in vhost '/'"],
    ['basic.ack', { deliveryTag: 7, multiple: false }, 'PRECONDITION_FAILED - unknown delivery tag 7'],
    [
      'basic.nack',
      { deliveryTag: 0, multiple: false, requeue: true },
      'PRECONDITION_FAILED - unknown delivery tag 0',
    ],
    ['tx.commit', {}, 'PRECONDITION_FAILED - channel is not transactional'],
    [
      'exchange.declare',
      exchangeNamed('amq.x', 'topic'),
      "ACCESS_REFUSED - exchange name 'amq.x' contains reserved prefix 'amq.*'",
    ],
  ] as const)('names %s', async (name, args, text) => {
    const client = await fixture.client()
    client.send(1, name, args)
    expect(told(await client.next())).toBe(`channel.close: ${name}: ${text}`)
    // The connection lives, and so does the number once the client has agreed.
    client.send(1, 'channel.close-ok', {})
    await client.call(1, 'channel.open', {})
  })

  it('comes for a body that is too large before the body', async () => {
    const client = await fixture.client()
    client.raw(publish(''))
    client.raw(frameBytes((writer) => writeContentHeader(writer, 1, 17_000_000, {})))
    expect(told(await client.next())).toBe(
      'channel.close: basic.publish: PRECONDITION_FAILED - message size 17000000 is larger than configured max size 16777216',
    )
    // What was on its way is dropped, content too.
    client.raw(frame(3, 1, Buffer.alloc(100)))
    client.publish(1, 'nowhere', 'k')
    client.send(1, 'basic.ack', { deliveryTag: 1, multiple: false })
    client.send(1, 'channel.close-ok', {})
    await client.call(1, 'channel.open', {})
  })

  it('crosses a close of the client', async () => {
    const client = await fixture.client()
    client.send(1, 'queue.declare', queueNamed('q', { passive: true }))
    client.send(1, 'channel.close', CLOSE)
    client.send(1, 'channel.close-ok', {})
    expect(told(await client.next())).toMatch(/^channel.close: queue.declare: NOT_FOUND/)
    await client.expect('channel.close-ok')
    await client.call(1, 'channel.open', {})
  })
})

describe('a refusal that costs the connection', () => {
  const header = (classId: number, weight = 0): Buffer => {
    const writer = new ByteWriter()
    writer.uint16(classId)
    writer.uint16(weight)
    writer.uint64(1)
    writer.uint16(0)
    return frame(2, 1, writer.written())
  }
  it.each([
    [
      'a channel that is not open',
      [methodBytes(2, 'basic.qos', { prefetchSize: 0, prefetchCount: 1, global: false })],
      "basic.qos: CHANNEL_ERROR - expected 'channel.open'",
    ],
    [
      'a channel that is open',
      [methodBytes(1, 'channel.open', {})],
      "channel.open: CHANNEL_ERROR - second 'channel.open' seen",
    ],
    [
      'a consumer tag that is taken',
      [
        methodBytes(1, 'queue.declare', queueNamed('q', { noWait: true })),
        methodBytes(1, 'basic.consume', consumeFrom('q', 't', { noWait: true })),
        methodBytes(1, 'basic.consume', consumeFrom('q', 't')),
      ],
      "basic.consume: NOT_ALLOWED - attempt to reuse consumer tag 't'",
    ],
    [
      'a limit in bytes',
      [methodBytes(1, 'basic.qos', { prefetchSize: 1000, prefetchCount: 1, global: false })],
      'basic.qos: NOT_IMPLEMENTED - prefetch_size!=0 (1000)',
    ],
    [
      'flow',
      [methodBytes(1, 'channel.flow', { active: false })],
      'channel.flow: NOT_IMPLEMENTED - active=false',
    ],
    [
      'recover',
      [methodBytes(1, 'basic.recover', { requeue: false })],
      'basic.recover: NOT_IMPLEMENTED - requeue=false',
    ],
    [
      'a method of servers',
      [methodBytes(1, 'basic.get-empty', {})],
      'basic.get-empty: COMMAND_INVALID - unimplemented method',
    ],
    [
      'immediate',
      [publish('', true), header(60), frame(3, 1, Buffer.from('x'))],
      'basic.publish: NOT_IMPLEMENTED - immediate=true',
    ],
    [
      'a header of nothing',
      [header(60)],
      '0: UNEXPECTED_FRAME - expected method frame, got non method frame instead',
    ],
    [
      'a body of nothing',
      [frame(3, 1, Buffer.from('x'))],
      '0: UNEXPECTED_FRAME - expected method frame, got non method frame instead',
    ],
    [
      'a header of another class',
      [publish(''), header(12)],
      'basic.publish: UNEXPECTED_FRAME - expected content header for class 60, got one for class 12 instead',
    ],
    [
      'a weight',
      [publish(''), header(60, 1)],
      'basic.publish: UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead',
    ],
    [
      'a method for a header',
      [publish(''), publish('')],
      'basic.publish: UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead',
    ],
    [
      'a method for a body',
      [publish(''), header(60), publish('')],
      'basic.publish: UNEXPECTED_FRAME - expected content body, got non content body frame instead',
    ],
    [
      'a body that is longer than it said',
      [publish(''), header(60), frame(3, 1, Buffer.from('xy'))],
      'basic.publish: FRAME_ERROR - content body frame exceeds remaining content size',
    ],
    [
      'content on channel 0',
      [frame(3, 0, Buffer.from('x'))],
      '0: UNEXPECTED_FRAME - type 3, all octets = <<"x">>',
    ],
    [
      'another method on channel 0',
      [methodBytes(0, 'channel.open', {})],
      'channel.open: CHANNEL_ERROR - unexpected method in connection state running',
    ],
    [
      'arguments that break off',
      [frame(1, 1, Buffer.from([0, 50, 0, 10, 0, 0, 5, 113]))],
      'queue.declare: FRAME_ERROR - cannot decode <<0,0,5,113>>',
    ],
    [
      'a method that is too short',
      [frame(1, 1, Buffer.from([0]))],
      '0: FRAME_ERROR - type 1, all octets = <<0>>: unknown_frame',
    ],
    [
      'an unknown method',
      [frame(1, 1, Buffer.from([0, 99, 0, 7]))],
      `${99 * 65_536 + 7}: NOT_IMPLEMENTED - unknown method 99.7`,
    ],
    [
      'an unknown frame',
      [frame(4, 1, Buffer.from([0]))],
      '0: FRAME_ERROR - type 4, all octets = <<>>: unknown_frame',
    ],
    [
      'a wrong end',
      [frame(8, 0, Buffer.alloc(0), 0xcf)],
      '0: FRAME_ERROR - type 8, all octets = <<>>: {invalid_frame_end_marker,207}',
    ],
    [
      'a heartbeat on a channel',
      [frame(8, 1, Buffer.alloc(0))],
      '0: UNEXPECTED_FRAME - type 8, all octets = <<>>',
    ],
    [
      'a frame that is too large',
      [Buffer.from([3, 0, 1, 0, 2, 0, 1])],
      '0: FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,131073,131064}',
    ],
  ])('comes for %s', async (_, frames, text) => {
    const client = await fixture.client()
    for (const bytes of frames) client.raw(bytes)
    expect(told(await client.next())).toBe(`connection.close: ${text}`)
  })

  it('comes for one channel more than was agreed on', async () => {
    const client = await fixture.client(fixture.broker(), { channelMax: 1 })
    client.send(2, 'channel.open', {})
    expect(told(await client.next())).toBe(
      'connection.close: 0: NOT_ALLOWED - number of channels opened (1) has reached the negotiated channel_max (1)',
    )
  })

  it('drops what comes until the client agrees, and then hangs up', async () => {
    const client = await fixture.client()
    client.send(1, 'channel.flow', { active: false })
    await client.expect('connection.close')
    client.send(1, 'queue.declare', queueNamed('q'))
    client.send(0, 'connection.close', CLOSE)
    await client.expect('connection.close-ok')
    client.send(0, 'connection.close-ok', {})
    expect(await client.next()).toBe('end')
  })

  it('comes from the operator as 320', async () => {
    const broker = fixture.broker()
    const client = await fixture.client(broker)
    expect(broker.closeConnection(1, { reason: 'enough' })).toBe(true)
    expect(told(await client.next())).toBe('connection.close: 0: CONNECTION_FORCED - enough')
  })
})
