import type { FramePeer } from '../frame-peer.ts'
import { frame, long, methodPayload, publishMethod, shortString } from '../raw-frames.ts'
import { scriptGroup } from '../script.ts'
import { CAPABLE, plain, type Stage } from '../stage.ts'

/** A connection that was greeted; the start is in the transcript of one script alone. */
async function greeted(stage: Stage): Promise<FramePeer> {
  const peer = stage.dial()
  peer.quiet = true
  peer.greet()
  await peer.heard(0, 'connection.start')
  peer.quiet = false
  peer.beginStep()
  return peer
}

async function loggedIn(stage: Stage): Promise<FramePeer> {
  const peer = await greeted(stage)
  peer.quiet = true
  startOk(peer, 'PLAIN', plain())
  await peer.heard(0, 'connection.tune')
  peer.quiet = false
  peer.beginStep()
  return peer
}

function startOk(
  peer: FramePeer,
  mechanism: string,
  response: string | Uint8Array,
  clientProperties = CAPABLE,
): void {
  peer.say(0, 'connection.start-ok', { clientProperties, mechanism, response, locale: 'en_US' })
}

/** AMQPLAIN's response: a table without its length. */
const amqplain = (user: string, password: string): Buffer =>
  Buffer.concat([
    shortString('LOGIN'),
    Buffer.from('S'),
    long(user),
    shortString('PASSWORD'),
    Buffer.from('S'),
    long(password),
  ])

export const handshake = scriptGroup(
  'handshake',
  (script) => {
    script('what a connection starts with', async (stage) => {
      const a = stage.dial()
      a.greet()
      await stage.until(a, 0, 'connection.start')
    })
    for (const [what, bytes] of [
      ['AMQP 0-8', Buffer.from('AMQP\x01\x01\x08\x00', 'latin1')],
      ['AMQP 0-9', Buffer.from('AMQP\x01\x01\x00\x09', 'latin1')],
      ['AMQP 1.0', Buffer.from('AMQP\x00\x01\x00\x00', 'latin1')],
      ['AMQP 1.0 with SASL', Buffer.from('AMQP\x03\x01\x00\x00', 'latin1')],
      ['AMQP 0-9-2', Buffer.from('AMQP\x00\x00\x09\x02', 'latin1')],
      ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      ['TLS', Buffer.from('16030100a5010000a1', 'hex')],
    ] as const) {
      script(`a greeting in ${what}`, async (stage) => {
        const a = stage.dial()
        a.greet(bytes)
        if (what.startsWith('AMQP 0-') && what !== 'AMQP 0-9-2') await stage.until(a, 0, 'connection.start')
        else await stage.hungUp(a)
      })
    }
    script('PLAIN, tune and open', async (stage) => {
      const a = await loggedIn(stage)
      a.say(0, 'connection.tune-ok')
      a.say(0, 'connection.open', { virtualHost: '/' })
      await stage.until(a, 0, 'connection.open-ok')
    })
    script('AMQPLAIN', async (stage) => {
      const a = await greeted(stage)
      startOk(a, 'AMQPLAIN', amqplain('guest', 'guest'))
      await stage.until(a, 0, 'connection.tune')
    })
    for (const [what, mechanism, response] of [
      ['a wrong password', 'PLAIN', plain('guest', 'sesame')],
      ['an unknown user', 'PLAIN', plain('nobody', 'guest')],
      ['AMQPLAIN with a wrong password', 'AMQPLAIN', amqplain('guest', 'sesame')],
      [
        'AMQPLAIN without a password',
        'AMQPLAIN',
        Buffer.concat([shortString('LOGIN'), Buffer.from('S'), long('guest')]),
      ],
      ['AMQPLAIN that is no table', 'AMQPLAIN', 'guest'],
      ['an empty response of PLAIN', 'PLAIN', ''],
      ['a response of PLAIN with one part', 'PLAIN', 'guest'],
      ['a response of PLAIN with too many parts', 'PLAIN', '\0guest\0guest\0'],
      ['a mechanism that was not offered', 'SCRAM-SHA-256', ''],
      ['EXTERNAL', 'EXTERNAL', ''],
      ['an authorisation identity', 'PLAIN', 'guest\0guest\0guest'],
    ] as const) {
      script(`login: ${what}`, async (stage) => {
        const a = await greeted(stage)
        startOk(a, mechanism, response)
        await stage.hungUp(a)
      })
    }
    script('login: a wrong password of a client that cannot be told', async (stage) => {
      const a = await greeted(stage)
      startOk(a, 'PLAIN', plain('guest', 'sesame'), {})
      await stage.hungUp(a)
    })
    for (const [what, tune] of [
      ['a frame-max of 100', { frameMax: 100 }],
      ['a frame-max of 4095', { frameMax: 4095 }],
      ['a frame-max beyond the offer', { frameMax: 131_073 }],
      ['no frame-max', { frameMax: 0 }],
      ['a channel-max beyond the offer', { channelMax: 2048 }],
      ['no channel-max', { channelMax: 0 }],
    ] as const) {
      script(`tune-ok with ${what}`, async (stage) => {
        const a = await loggedIn(stage)
        a.say(0, 'connection.tune-ok', tune)
        await stage.hungUp(a)
      })
    }
    script('tune-ok with the least', async (stage) => {
      const a = await loggedIn(stage)
      a.say(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4096, heartbeat: 600 })
      a.say(0, 'connection.open', { virtualHost: '/' })
      await stage.until(a, 0, 'connection.open-ok')
      a.say(1, 'channel.open')
      await stage.until(a, 1, 'channel.open-ok')
      a.say(2, 'channel.open')
      await stage.hungUp(a)
    })
    for (const virtualHost of ['nowhere', '', 'a/b']) {
      script(`open of the virtual host '${virtualHost}'`, async (stage) => {
        const a = await loggedIn(stage)
        a.say(0, 'connection.tune-ok')
        a.say(0, 'connection.open', { virtualHost })
        await stage.hungUp(a)
      })
    }
    script('tune-ok before start-ok', async (stage) => {
      const a = await greeted(stage)
      a.say(0, 'connection.tune-ok')
      await stage.hungUp(a)
    })
    script('open before tune-ok', async (stage) => {
      const a = await loggedIn(stage)
      a.say(0, 'connection.open')
      await stage.hungUp(a)
    })
    script('start-ok twice', async (stage) => {
      const a = await loggedIn(stage)
      startOk(a, 'PLAIN', plain())
      await stage.hungUp(a)
    })
    script('secure-ok without a challenge', async (stage) => {
      const a = await greeted(stage)
      a.say(0, 'connection.secure-ok', { response: 'x' })
      await stage.hungUp(a)
    })
    script('a channel before the login', async (stage) => {
      const a = await greeted(stage)
      a.say(1, 'channel.open')
      await stage.hungUp(a)
    })
    script('a channel before open', async (stage) => {
      const a = await loggedIn(stage)
      a.say(0, 'connection.tune-ok')
      a.say(1, 'channel.open')
      await stage.hungUp(a)
    })
    script('a publish before the login', async (stage) => {
      const a = await greeted(stage)
      a.bytes(publishMethod(1), 'basic.publish')
      await stage.hungUp(a)
    })
    script('a content header on channel 0 before the login', async (stage) => {
      const a = await greeted(stage)
      a.bytes(frame(2, 0, Buffer.alloc(14)), 'a content header')
      await stage.hungUp(a)
    })
    script('an unknown method before the login', async (stage) => {
      const a = await greeted(stage)
      a.bytes(frame(1, 0, methodPayload(10, 99)), 'method 10.99')
      await stage.hungUp(a)
    })
    script('a frame of more than 8192 bytes before the login', async (stage) => {
      const a = await greeted(stage)
      a.bytes(frame(1, 0, Buffer.alloc(9000)), 'a frame of 9000 bytes')
      await stage.hungUp(a)
    })
    script('a start-ok that ends too early', async (stage) => {
      const a = await greeted(stage)
      a.bytes(frame(1, 0, methodPayload(10, 11, Buffer.of(0, 0, 0, 9, 1))), 'a broken start-ok')
      await stage.hungUp(a)
    })
    script('a heartbeat before the login', async (stage) => {
      const a = await greeted(stage)
      a.bytes(frame(8, 0, Buffer.alloc(0)), 'a heartbeat')
      startOk(a, 'PLAIN', plain())
      await stage.until(a, 0, 'connection.tune')
    })
    script('close before the login', async (stage) => {
      const a = await greeted(stage)
      a.say(0, 'connection.close')
      await stage.hungUp(a)
    })
    script('close before open', async (stage) => {
      const a = await loggedIn(stage)
      a.say(0, 'connection.tune-ok')
      a.say(0, 'connection.close')
      await stage.hungUp(a)
    })
    script('open twice', async (stage) => {
      const a = await stage.open()
      a.say(0, 'connection.open')
      await stage.hungUp(a)
    })
    script('close', async (stage) => {
      const a = await stage.open()
      a.say(0, 'connection.close')
      await stage.hungUp(a)
    })
    script('close twice', async (stage) => {
      const a = await stage.open()
      a.say(0, 'connection.close')
      a.say(0, 'connection.close')
      await stage.hungUp(a)
    })
    script('close-ok out of the blue', async (stage) => {
      const a = await stage.open()
      a.say(0, 'connection.close-ok')
      await stage.hungUp(a)
    })
    script('update-secret', async (stage) => {
      const a = await stage.open()
      a.say(0, 'connection.update-secret', { newSecret: 'guest', reason: 'rotation' })
      await stage.until(a, 0, 'connection.update-secret-ok')
    })
  },
  { apart: true },
)
