import type { ConnectionOptions } from '@hermod/amqp'
import { withDeadline } from '@hermod/kernel'
import { ScriptedBroker } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { ATTACKS, strayErrors } from './hostile-broker.ts'
import { attackOf, CALM, checkError, connect } from './hostile-client.ts'

const ONCE: ConnectionOptions = { ...CALM, reconnect: false }
const SOON = { timeoutMs: 10_000 }

/** What ends a connection, and the words that say why. */
const ENDING: { readonly [attack: string]: RegExp } = {
  'a body longer than announced': /a body has more than the 3 bytes/,
  'a body of 2^63 bytes': /exceeds the limit of/,
  'a header without its method': /content header came without its method/,
  'a body without its header': /body frame came without its content header/,
  'a method in the middle of a content': /in the middle of a content/,
  'a header of another class': /class 50 instead of 60/,
  'a message that nobody asked for': /basic.get-ok came unasked/,
  'a connection.close with garbage': /the broker closed the connection/,
  'a close-ok that nobody waits for': /close/,
  'an update-secret-ok that nobody waits for': /update-secret-ok came unasked/,
  'a recover-ok that nobody waits for': /recover-ok came unasked/,
  'the same consume-ok twice': /consume-ok came unasked/,
  'a second open-ok': /open-ok came on an open connection/,
  'a second tune': /tune came on an open connection/,
  'a second start': /start came on an open connection/,
  'content on channel 0': /content header came on channel 0/,
  'a method of a client': /basic.publish came from the broker/,
  'a method that nobody knows': /unknown method 99.99/,
  'a method cut short': /./,
  'a frame of 4 GiB': /a frame of \d+ bytes exceeds the limit/,
  'a frame of an unknown type': /type 7/,
  'a frame without its end': /./,
  'a heartbeat with a payload': /heartbeat/,
  'an answer to nothing': /queue.bind-ok came unasked/,
  'the wrong answer': /tx.commit-ok came unasked/,
  'text of another protocol': /./,
}

/** What costs a channel, which heals. */
const HEALED = ['a channel.close', 'a channel.close, three times', 'a close of every channel there may be']

/** What waits for its end. */
const OPEN = ['a body without end']

describe('a hostile broker', () => {
  it.each(Object.entries(ENDING))('that says %s ends the connection, which says why', async (name, words) => {
    const stray = await strayErrors(async () => {
      const broker = new ScriptedBroker()
      const connection = await connect(broker, ONCE)
      const channel = await connection.openChannel()
      await channel.consume('q', {}, (message) => void message.ack())
      broker.link.raw(attackOf(name)(channel.number))
      const { error } = await withDeadline(connection.closed, SOON, 'the end')
      checkError(error)
      expect(error?.message).toMatch(words)
      expect(['E_PROTOCOL', 'E_CONN_LOST', 'E_CONN_CLOSED']).toContain(error?.code)
      expect(connection.state).toBe('closed')
      expect((await channel.closed).error).toBeDefined()
    })
    expect(stray).toEqual([])
  })

  const harmless = Object.keys(ATTACKS).filter((name) => !(name in ENDING) && !OPEN.includes(name))
  it.each(harmless)('that says %s is worked with as before', async (name) => {
    const stray = await strayErrors(async () => {
      const broker = new ScriptedBroker()
      const connection = await connect(broker, ONCE)
      const channel = await connection.openChannel()
      await channel.consume('q', {}, (message) => void message.ack())
      const errors: unknown[] = []
      connection.on('channel-error', ({ error }) => void errors.push(error))
      broker.link.raw(attackOf(name)(channel.number))
      await channel.declareQueue('q').catch(() => channel.declareQueue('q'))
      await channel.publish('', 'q', Buffer.from('x'), SOON)
      expect(connection.state).toBe('open')
      expect(errors.length > 0).toBe(HEALED.includes(name))
      for (const error of errors) checkError(error)
      await connection.close()
    })
    expect(stray).toEqual([])
  })
})
