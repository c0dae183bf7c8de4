import { inspect } from 'node:util'
import { Connection, type Channel, type ConnectionOptions } from '@hermod/amqp'
import { isHermodError, systemClock, withDeadline, type HermodError } from '@hermod/kernel'
import { type BrokerLink, methodBytes, nextEvent, ScriptedBroker, SILENT } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ambush,
  ambushBroker,
  ATTACKS,
  attack,
  frameOf,
  headerFrame,
  nestedTable,
  PASSWORD,
  settledOurs,
  strayErrors,
  type Ambush,
} from './hostile-broker.ts'
import { attackOf, CALM, checkError, connect, HASTY } from './hostile-client.ts'
import { search, TIMEOUT_MS } from './search.ts'

const PATIENCE_MS = 8_000

/** All that a client does, at once; none of it may hang, or fail with anything but an error of ours. */
async function work(connection: Connection): Promise<readonly string[]> {
  const use = async (channel: Channel): Promise<readonly string[]> => {
    const handler = (message: { ack(): boolean; requeue(): boolean; readonly properties: object }): void => {
      try {
        void message.properties
      } catch (error) {
        if (!isHermodError(error)) throw error
      }
      message.ack()
    }
    const publish = (n: number): Promise<void> =>
      channel.publish('', 'q', Buffer.alloc(n * 9000), { mandatory: n % 2 === 0, timeoutMs: 6000 })
    return Promise.all(
      [
        channel.declareQueue('q'),
        channel.consume('q', { prefetchCount: 10 }, handler),
        publish(0),
        publish(1),
        publish(5),
        channel.get('q'),
        channel.get('q', { noAck: true }),
        channel.bindQueue('q', 'x', '#'),
        channel.drain({ timeoutMs: 6000 }),
      ].map(settledOurs),
    )
  }
  const channel = connection.openChannel()
  const passing = connection.openChannel({ recover: false })
  const uses = [channel, passing].map((opened) => opened.then(use).catch((error: unknown) => [codeOf(error)]))
  const asked = [connection.queueStatus('q'), connection.exchangeExists('x')].map(settledOurs)
  return [...(await Promise.all(uses)).flat(), ...(await Promise.all(asked))]
}

function codeOf(error: unknown): string {
  if (!isHermodError(error)) throw error
  return error.code
}

/** Works against a broker until it is closed. Throws for anything that a hostile broker must not bring about. */
async function survive(broker: ScriptedBroker, options: ConnectionOptions): Promise<void> {
  const connected = connect(broker, options)
  let connection: Connection
  try {
    connection = await connected
  } catch (error) {
    return checkError(error)
  }
  connection.on('lost', ({ error }) => checkError(error))
  await work(connection)
  await connection.close()
  const { error } = await connection.closed
  expect(connection.state).toBe('closed')
  if (error !== undefined) checkError(error)
}

const inTime = (promise: Promise<void>, what: string): Promise<void> =>
  withDeadline(promise, { timeoutMs: PATIENCE_MS }, what)

describe('a hostile broker after the handshake', () => {
  const strikes: Ambush = { after: 9, attacks: [], afterwards: 'as before', answers: true, always: true }

  it.each(Object.entries(ATTACKS))('says %s', { timeout: TIMEOUT_MS }, async (name, one) => {
    const stray = await strayErrors(async () => {
      for (const reconnect of [false, HASTY.reconnect] as const) {
        for (const after of [5, 9, 14]) {
          const broker = ambushBroker({ ...strikes, after, attacks: [one], answers: after !== 9 })
          await inTime(survive(broker, { reconnect }), name)
        }
      }
    })
    expect(stray).toEqual([])
  })

  it(
    'brings nothing down and leaves nothing hanging, whatever it does',
    { timeout: TIMEOUT_MS },
    async () => {
      // Most of the time goes into waiting for brokers that fall silent, so some of them are met at once.
      const several = fc.array(fc.tuple(ambush, fc.boolean()), { minLength: 8, maxLength: 20 })
      let met = 0
      const property = fc.asyncProperty(several, async (brokers) => {
        const stray = await strayErrors(async () => {
          const survived = brokers.map(([given, reconnects]) =>
            inTime(survive(ambushBroker(given), reconnects ? {} : { reconnect: false }), 'the work'),
          )
          await Promise.all(survived)
        })
        expect(stray).toEqual([])
        met += brokers.length
      })
      await fc.assert(property, search(0.5))
      expect(met).toBeGreaterThan(7)
    },
  )
})

describe('a hostile broker during the handshake', () => {
  const start = {
    versionMajor: 0,
    versionMinor: 9,
    serverProperties: {},
    mechanisms: 'PLAIN',
    locales: 'en_US',
  }
  const tune = { channelMax: 2047, frameMax: 131_072, heartbeat: 60 }
  type Answers = (link: BrokerLink) => void

  /** A broker that says these bytes in the place of one of its three answers. */
  function instead(
    name: 'connection.start' | 'connection.start-ok' | 'connection.open',
    say: Answers,
  ): ScriptedBroker {
    return new ScriptedBroker().on(name, (_, link) => {
      say(link)
      return SILENT
    })
  }

  it.each<readonly [string, ScriptedBroker, string]>([
    [
      'frames of one byte',
      instead('connection.start-ok', (l) => l.send(0, 'connection.tune', { ...tune, frameMax: 1 })),
      'E_CONN',
    ],
    [
      'frames of 4095 bytes',
      instead('connection.start-ok', (l) => l.send(0, 'connection.tune', { ...tune, frameMax: 4095 })),
      'E_CONN',
    ],
    [
      'a megabyte of properties',
      instead('connection.start', (l) =>
        l.raw(frameOf(1, 0, Buffer.concat([Buffer.from([0, 10, 0, 10, 0, 9]), nestedTable(150_000)]))),
      ),
      'E_CONN',
    ],
    [
      'properties nested 10 000 deep',
      instead('connection.start', (l) =>
        l.raw(frameOf(1, 0, Buffer.concat([Buffer.from([0, 10, 0, 10, 0, 9]), nestedTable(10_000)]))),
      ),
      'E_CONN',
    ],
    [
      'a hundred kilobytes of login mechanisms',
      instead('connection.start', (l) =>
        l.send(0, 'connection.start', { ...start, mechanisms: 'X'.repeat(100_000) }),
      ),
      'E_CONN',
    ],
    [
      'a start for a start-ok',
      instead('connection.start-ok', (l) => l.send(0, 'connection.start', start)),
      'E_CONN',
    ],
    ['a tune for a start', instead('connection.start', (l) => l.send(0, 'connection.tune', tune)), 'E_CONN'],
    [
      'an open-ok for a start',
      instead('connection.start', (l) => l.send(0, 'connection.open-ok', {})),
      'E_CONN',
    ],
    [
      'an open-ok for a tune',
      instead('connection.start-ok', (l) => l.send(0, 'connection.open-ok', {})),
      'E_CONN',
    ],
    ['a second tune', instead('connection.open', (l) => l.send(0, 'connection.tune', tune)), 'E_CONN'],
    [
      'blocked before it is open',
      instead('connection.open', (l) => l.send(0, 'connection.blocked', { reason: 'mood' })),
      'E_CONN',
    ],
    [
      'a challenge',
      instead('connection.start-ok', (l) => l.send(0, 'connection.secure', { challenge: 'x'.repeat(9000) })),
      'E_CONN',
    ],
    ['content before it is open', instead('connection.open', (l) => l.raw(headerFrame(0, 1n))), 'E_CONN'],
    ['nothing', instead('connection.start', () => {}), 'E_CONN'],
    ['nothing to the credentials', instead('connection.start-ok', () => {}), 'E_CONN'],
    ['nothing to open', instead('connection.open', () => {}), 'E_CONN'],
    ['a reset at once', instead('connection.start', (l) => l.drop()), 'E_CONN'],
    ['a reset after the credentials', instead('connection.start-ok', (l) => l.drop()), 'E_AUTH'],
    [
      'a refusal in garbage',
      instead('connection.open', (l) => l.closeConnection(530, '\u001b[2J'.repeat(60))),
      'E_ACCESS',
    ],
  ])('says %s', { timeout: TIMEOUT_MS }, async (what, broker, code) => {
    const stray = await strayErrors(async () => {
      const error = await connect(broker, what.startsWith('nothing') ? {} : CALM).then(
        (connection) => connection.close(),
        (reason: unknown) => reason as HermodError,
      )
      checkError(error)
      expect((error as HermodError).code).toBe(code)
      await broker.link.until(() => broker.link.gone, 'the end')
    })
    expect(stray).toEqual([])
  })

  it.each([
    ['no limits', { channelMax: 0, frameMax: 0, heartbeat: 0 }],
    ['the highest limits', { channelMax: 0xffff, frameMax: 0xffff_ffff, heartbeat: 0xffff }],
    ['the smallest limits', { channelMax: 1, frameMax: 4096, heartbeat: 1 }],
  ])('proposes %s, which is its right', async (_, tuned) => {
    const broker = new ScriptedBroker({ tune: tuned })
    // On the hasty clock a heartbeat each second would be twenty.
    await using connection = await connect(broker, { clock: systemClock, heartbeatMs: 60_000 })
    await using channel = await connection.openChannel()
    await channel.publish('', 'q', Buffer.alloc(20_000))
    expect(broker.link.publishes[0]?.body).toHaveLength(20_000)
  })

  it('is not followed in its blocking by the next one', async () => {
    const broker = new ScriptedBroker().on('connection.open', (_, link) => {
      if (broker.links.length !== 2) return undefined
      const open = methodBytes(0, 'connection.open-ok', {})
      const blocked = methodBytes(0, 'connection.blocked', { reason: 'mood' })
      const close = methodBytes(0, 'connection.close', {
        replyCode: 320,
        replyText: 'bye',
        classId: 0,
        methodId: 0,
      })
      link.raw(Buffer.concat([open, blocked, close]))
      return SILENT
    })
    await using connection = await connect(broker, CALM)
    const channel = await connection.openChannel()
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(broker.links).toHaveLength(3)
    expect(connection.state).toBe('open')
    await channel.publish('', 'q', Buffer.from('x'), { timeoutMs: 100_000 })
  })

  it('is not answered for a message that came too late to matter', async () => {
    const broker = new ScriptedBroker().on('basic.get', ({ channel }, link) => {
      setTimeout(() => link.raw(attackOf('a message that nobody asked for')(channel)), 50)
      return SILENT
    })
    const stray = await strayErrors(async () => {
      await using connection = await connect(broker, CALM)
      const channel = await connection.openChannel()
      for (const noAck of [true, false])
        expect(await settledOurs(channel.get('q', { noAck, timeoutMs: 200 }))).toBe('E_TIMEOUT')
      await broker.link.method('basic.reject')
      expect(connection.state).toBe('open')
    })
    expect(stray).toEqual([])
  })

  it('is not asked a hundred times for one queue', async () => {
    const broker = new ScriptedBroker()
    await using connection = await connect(broker, CALM)
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, () => {})
    broker.link.raw(attackOf('a hundred cancels of one consumer')(channel.number))
    await broker.link.method('basic.consume', 1)
    await connection.queueStatus('q')
    expect(broker.link.all('basic.consume')).toHaveLength(2)
    expect(subscription.consumerTag).toBe('hermod.2')
    // And once more, in good order.
    broker.link.send(channel.number, 'basic.cancel', { consumerTag: 'hermod.2', noWait: true })
    await broker.link.method('basic.consume', 2)
  })

  it('never gets further with noise', { timeout: TIMEOUT_MS }, async () => {
    const when = fc.constantFrom('connection.start', 'connection.start-ok', 'connection.open')
    const property = fc.asyncProperty(
      when,
      fc.array(attack, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (name, attacks, answers) => {
        const broker = new ScriptedBroker().on(name, (_, link) => {
          for (const one of attacks) link.raw(one(0))
          return answers ? undefined : SILENT
        })
        const stray = await strayErrors(() =>
          inTime(survive(broker, { connectTimeoutMs: 1000, reconnect: false }), 'the end'),
        )
        expect(stray).toEqual([])
      },
    )
    await fc.assert(property, search(0.5))
  })
})

describe('the password', () => {
  it('is in nothing that can be shown of a connection, open or lost', async () => {
    const shown: unknown[] = []
    const logger = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        (...said: unknown[]) => void shown.push(said),
      ]),
    ) as unknown as NonNullable<ConnectionOptions['logger']>
    const broker = new ScriptedBroker()
    const connection = await connect(broker, { ...CALM, logger })
    for (const name of ['lost', 'retry', 'restored', 'state', 'channel-error'] as const)
      connection.on(name, (event: object) => void shown.push(event))
    const channel = await connection.openChannel()
    broker.link.closeChannel(channel.number, 406, 'PRECONDITION_FAILED')
    const restored = nextEvent(connection, 'restored')
    broker.link.raw(attackOf('a frame of 4 GiB')(0))
    await restored
    shown.push(connection, channel, connection.server, connection.stats())
    await connection.close()
    shown.push(await connection.closed, await connection.openChannel().catch((error: unknown) => error))
    expect(shown.length).toBeGreaterThan(9)
    for (const one of shown) {
      expect(inspect(one, { depth: 10, showHidden: true, getters: true })).not.toContain(PASSWORD)
      expect(JSON.stringify(one) ?? '').not.toContain(PASSWORD)
    }
  })
})
