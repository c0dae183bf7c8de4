import type { FramePeer } from '../frame-peer.ts'
import {
  declareWithArguments,
  frame,
  headerPayload,
  long,
  methodPayload,
  publishMethod,
  shortString,
} from '../raw-frames.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

const NOTHING = Buffer.alloc(0)

/** Sends bytes on an open connection and waits for its end. */
function fatal(what: string, bytes: Buffer, tune = {}): (stage: Stage) => Promise<void> {
  return async (stage) => {
    const a = await stage.open({ tune })
    a.bytes(bytes, what)
    await stage.hungUp(a)
  }
}

const header = (bodyBytes: number | bigint, options = {}): Buffer =>
  frame(2, 1, headerPayload(bodyBytes, options))
const body = (bytes: string | Buffer): Buffer => frame(3, 1, Buffer.from(bytes))

/** Property flags and what follows them. */
const properties = (flags: number, ...values: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.of(flags >>> 8, flags & 0xff), ...values])

export const frameErrors = scriptGroup(
  'errors of frames',
  (script) => {
    const cases: readonly (readonly [title: string, bytes: Buffer])[] = [
      [
        'a method on a channel that is not open',
        frame(1, 7, methodPayload(60, 10, Buffer.of(0, 0, 0, 0, 0, 1, 0))),
      ],
      ['a content header on a channel that is not open', frame(2, 7, headerPayload(0))],
      ['a body on a channel that is not open', frame(3, 7, Buffer.from('x'))],
      ['a channel close-ok on a channel that is not open', frame(1, 7, methodPayload(20, 41))],
      ['a channel.open on channel 0', frame(1, 0, methodPayload(20, 10, Buffer.of(0)))],
      [
        'a queue.declare on channel 0',
        frame(
          1,
          0,
          methodPayload(50, 10, Buffer.concat([Buffer.of(0, 0), shortString('q'), Buffer.of(0), long('')])),
        ),
      ],
      ['a publish on channel 0', publishMethod(0)],
      ['a content header on channel 0', frame(2, 0, headerPayload(0))],
      ['a body on channel 0', frame(3, 0, Buffer.from('x'))],
      [
        'a connection method on a channel',
        frame(
          1,
          1,
          methodPayload(
            10,
            50,
            Buffer.concat([Buffer.of(0, 200), shortString('bye'), Buffer.of(0, 0, 0, 0)]),
          ),
        ),
      ],
      ['an unknown class', frame(1, 1, methodPayload(99, 10))],
      ['an unknown method', frame(1, 1, methodPayload(50, 99))],
      [
        'a method that only brokers send',
        frame(1, 1, methodPayload(50, 11, Buffer.concat([shortString('q'), Buffer.alloc(8)]))),
      ],
      [
        'a basic.deliver from a client',
        Buffer.concat([
          frame(
            1,
            1,
            methodPayload(
              60,
              60,
              Buffer.concat([
                shortString('c'),
                Buffer.alloc(8),
                Buffer.of(0),
                shortString(''),
                shortString('q'),
              ]),
            ),
          ),
          header(0),
        ]),
      ],
      [
        'a start from a client',
        frame(
          1,
          0,
          methodPayload(10, 10, Buffer.concat([Buffer.of(0, 9), long(''), long('PLAIN'), long('en_US')])),
        ),
      ],
      ['a basic.get-empty from a client', frame(1, 1, methodPayload(60, 72, shortString('')))],
      ['a frame with a wrong end', frame(1, 1, methodPayload(60, 10, Buffer.alloc(7)), 0xcf)],
      ['a frame of an unknown type', frame(4, 1, Buffer.from('x'))],
      ['a frame of type 0', frame(0, 0, NOTHING)],
      ['a method frame without a method', frame(1, 1, NOTHING)],
      ['a method frame of two bytes', frame(1, 1, Buffer.of(0, 60))],
      ['a method frame on channel 0 without a method', frame(1, 0, NOTHING)],
      ['a heartbeat on a channel', frame(8, 1, NOTHING)],
      ['a heartbeat with a payload', frame(8, 0, Buffer.from('x'))],
      [
        'arguments that end too early',
        frame(1, 1, methodPayload(50, 10, Buffer.concat([Buffer.of(0, 0, 5), Buffer.from('q')]))),
      ],
      ['arguments with too many bytes', frame(1, 1, methodPayload(60, 10, Buffer.alloc(9)))],
      ['a table longer than its frame', declareWithArguments(1, Buffer.of(0, 0, 0, 99, 1, 0x61))],
      [
        'a table with an unknown type',
        declareWithArguments(1, long(Buffer.concat([shortString('x'), Buffer.from('?')]))),
      ],
      [
        'a table that breaks off in a value',
        declareWithArguments(1, long(Buffer.concat([shortString('x'), Buffer.from('I'), Buffer.of(1)]))),
      ],
      ['a table with a name longer than itself', declareWithArguments(1, long(Buffer.of(200, 0x61)))],
      ['a content header without a publish', header(0)],
      ['a body without a publish', body('x')],
      ['a method instead of a content header', Buffer.concat([publishMethod(1), publishMethod(1)])],
      ['a body instead of a content header', Buffer.concat([publishMethod(1), body('x')])],
      ['a content header of another class', Buffer.concat([publishMethod(1), header(0, { classId: 12 })])],
      ['a content header with a weight', Buffer.concat([publishMethod(1), header(0, { weight: 1 })])],
      ['a content header instead of a body', Buffer.concat([publishMethod(1), header(3), header(3)])],
      ['a method instead of a body', Buffer.concat([publishMethod(1), header(3), publishMethod(1)])],
      ['a body behind an empty one', Buffer.concat([publishMethod(1), header(0), body('x')])],
      ['a content header that is too short', Buffer.concat([publishMethod(1), frame(2, 1, Buffer.alloc(6))])],
      [
        'a content header without properties',
        Buffer.concat([publishMethod(1), frame(2, 1, headerPayload(0).subarray(0, 12))]),
      ],
      ['a frame of 131065 bytes too many', frame(3, 1, Buffer.alloc(262_121))],
      [
        'a frame one byte beyond what RabbitMQ lets pass',
        Buffer.concat([publishMethod(1), header(200_000), frame(3, 1, Buffer.alloc(131_073))]),
      ],
      ['a frame that claims 4 GiB', Buffer.from('0100 01ffffffff'.replaceAll(' ', ''), 'hex')],
    ]
    for (const [title, bytes] of cases) script(title, fatal(title, bytes))
  },
  { apart: true },
)

export const connectionErrors = scriptGroup('errors of connections', (script) => {
  script('a frame of frame-max bytes of payload, eight more than its due', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    a.bytes(
      Buffer.concat([publishMethod(1), header(131_072), frame(3, 1, Buffer.alloc(131_072))]),
      'a publish in one frame',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('frames of the negotiated size', async (stage) => {
    const a = await stage.open({ tune: { frameMax: 4096 } })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: Buffer.alloc(10_000, 'x') })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    a.bytes(
      Buffer.concat([publishMethod(1), header(5000), frame(3, 1, Buffer.alloc(4097))]),
      'a frame of 4097 bytes',
    )
    await stage.hungUp(a)
  })
  for (const parts of [['four'], ['ab', 'cd']]) {
    script(`a body longer than announced, in ${parts.length} frames`, async (stage) => {
      const a = await stage.open()
      a.bytes(
        Buffer.concat([publishMethod(1), header(3), ...parts.map(body)]),
        'three bytes announced, four sent',
      )
      await stage.settle()
    })
  }
  script('properties that do not fit into their frame', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    a.bytes(
      Buffer.concat([publishMethod(1), header(0, { properties: properties(0x8000, Buffer.of(200, 0x61)) })]),
      'a long content type',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('properties with reserved flags', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    a.bytes(
      Buffer.concat([
        publishMethod(1),
        header(0, { properties: properties(0x8002, shortString('text/plain')) }),
      ]),
      'reserved flag 2',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('headers with an unknown type', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    const table = long(Buffer.concat([shortString('x'), Buffer.from('?')]))
    a.bytes(
      Buffer.concat([publishMethod(1), header(0, { properties: properties(0x2000, table) })]),
      'headers',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('a message announced as larger than any may be', async (stage) => {
    const a = await stage.open()
    a.bytes(Buffer.concat([publishMethod(1), header(2n ** 40n)]), 'a content header of 1 TiB')
    await stage.settle()
  })
  script('empty bodies in a message that has some', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    a.bytes(
      Buffer.concat([publishMethod(1), header(4), body(''), body('ab'), body(''), body('cd')]),
      'a publish with empty bodies',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('publishes interleaved on two channels', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    // A queue for each: RabbitMQ's channels race each other.
    for (const queue of ['q', 'p']) await stage.do(a, 1, 'queue.declare', { queue, exclusive: true })
    a.bytes(
      Buffer.concat([
        publishMethod(1),
        publishMethod(2, 'p'),
        header(2),
        frame(2, 2, headerPayload(3)),
        body('a'),
        frame(3, 2, Buffer.from('xyz')),
        body('b'),
      ]),
      'two publishes',
    )
    await stage.settle()
    for (const queue of ['q', 'p']) await stage.do(a, 1, 'basic.get', { queue, noAck: true })
  })

  const methods: readonly (readonly [title: string, say: (a: FramePeer) => void])[] = [
    ['a second channel.open', (a) => a.say(1, 'channel.open')],
    ['immediate', (a) => a.publish(1, { immediate: true, routingKey: 'q' })],
    ['a prefetch size', (a) => a.say(1, 'basic.qos', { prefetchSize: 1000 })],
    ['recover without requeue', (a) => a.say(1, 'basic.recover', { requeue: false })],
    ['recover-async without requeue', (a) => a.say(1, 'basic.recover-async', { requeue: false })],
    ['channel.flow off', (a) => a.say(1, 'channel.flow', { active: false })],
    ['a channel beyond channel-max', (a) => a.say(2048, 'channel.open')],
    ['an exchange type with an empty name', (a) => a.say(1, 'exchange.declare', { exchange: 'x', type: '' })],
  ]
  for (const [title, say] of methods) {
    script(title, async (stage) => {
      const a = await stage.open()
      say(a)
      await stage.settle()
    })
  }
  script('more channels than were agreed on', async (stage) => {
    const a = await stage.open({ tune: { channelMax: 2 } })
    await stage.do(a, 2, 'channel.open')
    a.say(3, 'channel.open')
    await stage.hungUp(a)
  })
  script('a consumer tag twice', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 't' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 't' })
  })
  script('a consumer tag on two channels', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 't' })
    await stage.do(a, 2, 'basic.consume', { queue: 'q', consumerTag: 't' })
  })
  script('what comes behind the end of a connection is not heard', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    a.say(1, 'basic.qos', { prefetchSize: 1 })
    a.say(1, 'queue.declare', { queue: 'q' })
    await stage.hungUp(a)
    await stage.do(b, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a connection that is not told to be closed goes all the same', async (stage) => {
    const a = await stage.open()
    a.answersClose = false
    a.say(1, 'basic.qos', { prefetchSize: 1 })
    await a.heard(0, 'connection.close')
    a.say(1, 'queue.declare', { queue: 'q' })
    a.say(0, 'connection.close-ok')
    await stage.hungUp(a)
  })
  script('two closes that cross', async (stage) => {
    const a = await stage.open()
    a.answersClose = false
    a.say(1, 'basic.qos', { prefetchSize: 1 })
    await a.heard(0, 'connection.close')
    a.say(0, 'connection.close')
    await a.heard(0, 'connection.close-ok')
    a.say(0, 'connection.close-ok')
    await stage.hungUp(a)
  })
})
