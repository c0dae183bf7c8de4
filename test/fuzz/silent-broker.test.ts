import { Connection, type Channel, type ConnectionOptions, type Subscription } from '@hermod/amqp'
import { isHermodError, type DeadlineOptions } from '@hermod/kernel'
import { ManualClock, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { settledOurs, strayErrors } from './hostile-broker.ts'

/** What every call waits for an answer when it is not told. */
const OPERATION_MS = 30_000
const CONNECT_MS = 10_000
/** However silent the broker is, a connection is closed in this time. */
const CLOSE_MS = 10_000

/** A connection, and what is open on it, with a broker that has just fallen silent. */
interface Silence {
  readonly broker: ScriptedBroker
  readonly clock: ManualClock
  readonly connection: Connection
  readonly channel: Channel
  readonly transacted: Channel
  readonly subscription: Subscription
  /** A publish that is never confirmed. */
  readonly published: Promise<void>
}

const body = Buffer.from('x')

async function silence(options: ConnectionOptions = {}): Promise<Silence> {
  const broker = new ScriptedBroker()
  const clock = new ManualClock()
  const connection = await broker.connect({ clock, ...options })
  const channel = await connection.openChannel()
  const transacted = await connection.openChannel({ transactional: true })
  const subscription = await channel.consume('q', {}, () => {})
  broker.link.deliver(channel.number, subscription.consumerTag, 1)
  await settled()
  broker.link.mute = true
  const published = channel.publish('', 'q', body)
  published.catch(() => {})
  return { broker, clock, connection, channel, transacted, subscription, published }
}

/** What a promise has come to so far: a value, the code of an error of ours, another reason, or nothing. */
function watched(promise: Promise<unknown>): { readonly fate: unknown } {
  const state: { fate: unknown } = { fate: 'pending' }
  promise.then(
    () => (state.fate = 'value'),
    (error: unknown) => (state.fate = isHermodError(error) ? error.code : error),
  )
  return state
}

/** So much happens meanwhile that no deadline may overtake it. */
async function passSlowly(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) await clock.pass(500)
}

async function closesInTime({ connection, clock }: Pick<Silence, 'connection' | 'clock'>): Promise<void> {
  const closed = watched(connection.close())
  await clock.pass(CLOSE_MS)
  await settled()
  expect(closed.fate).toBe('value')
  expect(connection.state).toBe('closed')
  expect(clock.keepingAlive).toBe(0)
}

/** Every operation that takes a deadline. */
const LIMITED: {
  readonly [name: string]: (silence: Silence, deadline: DeadlineOptions) => Promise<unknown>
} = {
  'channel.declareExchange': ({ channel }, deadline) => channel.declareExchange('x', 'topic', deadline),
  'channel.deleteExchange': ({ channel }, deadline) => channel.deleteExchange('x', deadline),
  'channel.bindExchange': ({ channel }, deadline) => channel.bindExchange('x', 'y', 'k', deadline),
  'channel.unbindExchange': ({ channel }, deadline) => channel.unbindExchange('x', 'y', 'k', deadline),
  'channel.declareQueue': ({ channel }, deadline) => channel.declareQueue('q', deadline),
  'channel.deleteQueue': ({ channel }, deadline) => channel.deleteQueue('q', deadline),
  'channel.purgeQueue': ({ channel }, deadline) => channel.purgeQueue('q', deadline),
  'channel.bindQueue': ({ channel }, deadline) => channel.bindQueue('q', 'x', 'k', deadline),
  'channel.unbindQueue': ({ channel }, deadline) => channel.unbindQueue('q', 'x', 'k', deadline),
  'channel.consume': ({ channel }, deadline) => channel.consume('q', deadline, () => {}),
  'channel.get': ({ channel }, deadline) => channel.get('q', deadline),
  'channel.recover': ({ channel }, deadline) => channel.recover(deadline),
  'channel.flow': ({ channel }, deadline) => channel.flow(true, deadline),
  'channel.exchangeExists': ({ channel }, deadline) => channel.exchangeExists('x', deadline),
  'connection.exchangeExists': ({ connection }, deadline) => connection.exchangeExists('x', deadline),
  'connection.queueStatus': ({ connection }, deadline) => connection.queueStatus('q', deadline),
}

/** Those that wait for ever when they are not told how long: for a confirm, or for messages to be settled. */
const PATIENT: typeof LIMITED = {
  'channel.publish': ({ channel }, deadline) => channel.publish('', 'q', body, deadline),
  'channel.drain': ({ channel }, deadline) => channel.drain(deadline),
  'channel.settle': ({ channel }, deadline) => channel.settle(deadline),
}

/** Those that end what they wait for, and say so with an error of their own. */
const ENDINGS: typeof LIMITED = {
  'channel.commit': async ({ transacted }, deadline) => {
    void settledOurs(transacted.publish('', 'q', body))
    await transacted.commit(deadline)
  },
  'channel.rollback': async ({ transacted }, deadline) => {
    void settledOurs(transacted.publish('', 'q', body))
    await transacted.rollback(deadline)
  },
}

describe('a broker that never answers', () => {
  it.each(Object.entries({ ...LIMITED, ...PATIENT, ...ENDINGS }))(
    '%s ends with its own deadline, and with its signal',
    async (name, operation) => {
      const stray = await strayErrors(async () => {
        const given = await silence()
        const limited = watched(operation(given, { timeoutMs: 700 }))
        await given.clock.pass(699)
        expect(limited.fate).toBe('pending')
        await given.clock.pass(1)
        await settled()
        expect(limited.fate).toBe(name === 'channel.commit' ? 'E_TRANSACTION' : 'E_TIMEOUT')
        await closesInTime(given)

        const again = await silence()
        const reason = new Error('enough')
        const giveUp = new AbortController()
        const aborted = watched(operation(again, { signal: giveUp.signal }))
        await again.clock.pass(100)
        expect(aborted.fate).toBe('pending')
        giveUp.abort(reason)
        await settled()
        expect(aborted.fate).toBe(reason)
        await closesInTime(again)
      })
      expect(stray).toEqual([])
    },
  )

  it.each(Object.entries({ ...LIMITED, ...ENDINGS }))(
    '%s ends without a deadline too',
    async (name, operation) => {
      const given = await silence()
      const unlimited = watched(operation(given, {}))
      await given.clock.pass(OPERATION_MS - 1)
      expect(unlimited.fate).toBe('pending')
      await given.clock.pass(1)
      await settled()
      expect(unlimited.fate).toBe(name === 'channel.commit' ? 'E_TRANSACTION' : 'E_TIMEOUT')
      await closesInTime(given)
    },
  )

  it.each<readonly [string, (silence: Silence) => Promise<unknown>, number, string]>([
    ['connection.openChannel', ({ connection }) => connection.openChannel(), OPERATION_MS, 'E_TIMEOUT'],
    ['connection.updateSecret', ({ connection }) => connection.updateSecret('x'), OPERATION_MS, 'E_TIMEOUT'],
    ['connection.drain', ({ connection }) => connection.drain(), OPERATION_MS + CLOSE_MS, 'E_TIMEOUT'],
    [
      'connection.drain with a deadline',
      ({ connection }) => connection.drain({ timeoutMs: 700 }),
      700 + CLOSE_MS,
      'E_TIMEOUT',
    ],
    [
      'disposing of it',
      ({ connection }) => connection[Symbol.asyncDispose](),
      OPERATION_MS + CLOSE_MS,
      'value',
    ],
    ['subscription.cancel', ({ subscription }) => subscription.cancel(), OPERATION_MS, 'E_TIMEOUT'],
    ['channel.close', ({ channel }) => channel.close(), CLOSE_MS, 'value'],
    [
      'disposing of a channel',
      ({ channel }) => channel[Symbol.asyncDispose](),
      OPERATION_MS + CLOSE_MS,
      'value',
    ],
    ['connection.close', ({ connection }) => connection.close(), CLOSE_MS, 'value'],
  ])('%s ends', async (_, operation, withinMs, fate) => {
    const stray = await strayErrors(async () => {
      const given = await silence()
      const ended = watched(operation(given))
      await settled()
      expect(ended.fate).toBe('pending')
      await given.clock.pass(withinMs)
      await settled()
      expect(ended.fate).toBe(fate)
      await closesInTime(given)
      expect(await settledOurs(given.published)).not.toBe('value')
    })
    expect(stray).toEqual([])
  })

  const begin = (given: Silence, all: typeof LIMITED): readonly { readonly fate: unknown }[] =>
    Object.values(all).flatMap((operation) => [
      watched(operation(given, {})),
      watched(operation(given, { timeoutMs: 1e9 })),
    ])
  const left = (waiting: readonly { readonly fate: unknown }[]): readonly unknown[] =>
    waiting.map(({ fate }) => fate).filter((fate) => !/^(?:E_(?!TIMEOUT)|value)/.test(String(fate)))

  it('connection.close ends all that waits, with or without a deadline', async () => {
    const stray = await strayErrors(async () => {
      const given = await silence()
      const waiting = begin(given, { ...LIMITED, ...PATIENT, ...ENDINGS })
      await closesInTime(given)
      expect(left(waiting)).toEqual([])
    })
    expect(stray).toEqual([])
  })

  it('connection.abort ends all that waits, at once', async () => {
    const stray = await strayErrors(async () => {
      const given = await silence()
      const waiting = begin(given, { ...LIMITED, ...PATIENT, ...ENDINGS })
      await settled()
      given.connection.abort()
      await settled()
      expect(given.connection.state).toBe('closed')
      expect(left(waiting)).toEqual([])
      expect(given.clock.keepingAlive).toBe(0)
    })
    expect(stray).toEqual([])
  })

  it.each(['close', 'abort', 'channel'] as const)(
    'a transaction that nobody ends, ends with its %s',
    async (end) => {
      const given = await silence()
      const published = watched(given.transacted.publish('', 'q', body))
      await settled()
      expect(published.fate).toBe('pending')
      if (end === 'abort') given.connection.abort()
      else void (end === 'close' ? given.connection : given.transacted).close()
      await given.clock.pass(CLOSE_MS)
      await settled()
      expect(published.fate).toBe('E_TRANSACTION')
      await closesInTime(given)
    },
  )

  it('leaves no timer behind when it blocks and unblocks before', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const connection = await broker.connect({ clock })
    for (let n = 0; n < 5; n++) {
      broker.link.send(0, 'connection.blocked', { reason: 'mood' })
      broker.link.send(0, 'connection.unblocked', {})
    }
    await settled()
    expect(clock.armed).toBe(0)
    broker.link.send(0, 'connection.blocked', { reason: 'mood' })
    broker.link.mute = true
    await settled()
    expect(connection.state).toBe('blocked')
    await closesInTime({ connection, clock })
    expect(clock.armed).toBe(0)
  })

  it('channel.close ends all that waits on it', async () => {
    const stray = await strayErrors(async () => {
      const given = await silence()
      const own = Object.entries({ ...LIMITED, ...PATIENT }).filter(([name]) => !name.includes('Exists'))
      const waiting = begin(
        given,
        Object.fromEntries(own.filter(([name]) => !name.startsWith('connection.'))),
      )
      await settled()
      const closed = watched(given.channel.close())
      await given.clock.pass(CLOSE_MS)
      await settled()
      expect(closed.fate).toBe('value')
      expect(left(waiting)).toEqual([])
      await closesInTime(given)
    })
    expect(stray).toEqual([])
  })

  it.each<readonly [string, ConnectionOptions, (broker: ScriptedBroker) => unknown]>([
    ['dialling', { dial: () => new Promise(() => {}) }, () => {}],
    ['the protocol header', {}, (broker) => broker.on('connection.start', () => SILENT)],
    ['start-ok', {}, (broker) => broker.on('connection.start-ok', () => SILENT)],
    ['open', {}, (broker) => broker.on('connection.open', () => SILENT)],
    ['the first byte: it reads none', {}, (broker) => (broker.onLink = (link) => void (link.stalled = true))],
    ['who we are', { credentials: () => new Promise(() => {}) }, () => {}],
  ])('is given up in %s', async (_, options, prepare) => {
    const stray = await strayErrors(async () => {
      const clock = new ManualClock()
      const broker = new ScriptedBroker()
      prepare(broker)
      const connected = watched(broker.connect({ clock, ...options }))
      await clock.pass(CONNECT_MS - 1)
      expect(connected.fate).toBe('pending')
      await clock.pass(1)
      await settled()
      expect(connected.fate).toBe('E_CONN')
      expect(clock.armed).toBe(0)
    })
    expect(stray).toEqual([])
  })

  it('is given up while it is looked for', async () => {
    const clock = new ManualClock()
    const never = Connection.connect(() => new Promise(() => {}), { clock })
    const connected = watched(never)
    await clock.pass(CONNECT_MS)
    await settled()
    expect(connected.fate).toBe('E_TIMEOUT')
    expect(clock.armed).toBe(0)
  })

  it.each(['tcp', 'tls'])('is given up when it takes a connection of %s and says nothing', async (how) => {
    const broker = new ScriptedBroker()
    broker.onLink = (link) => void (link.stalled = true)
    await using listener = await broker.listen()
    const url = how === 'tls' ? listener.url.replace('amqp:', 'amqps:') : listener.url
    expect(await settledOurs(Connection.connect(url, { connectTimeoutMs: 200 }))).toBe('E_CONN')
  })

  it.each([
    'connection.start',
    'connection.open',
    'channel.open',
    'queue.declare',
    'basic.consume',
    'tx.select',
  ] as const)(
    'does not keep a connection from coming back, or from being closed, by its silence to %s',
    async (name) => {
      const stray = await strayErrors(async () => {
        for (const [heals, state] of [
          [true, 'open'],
          [false, 'reconnecting'],
        ] as const) {
          const clock = new ManualClock()
          const broker = new ScriptedBroker()
          const connection = await broker.connect({ clock })
          const channel = await connection.openChannel()
          await connection.openChannel({ transactional: true })
          await channel.declareQueue('q')
          await channel.consume('q', {}, () => {})
          broker.on(name, () => SILENT)
          broker.link.drop()
          await clock.pass(100)
          expect(connection.state).toBe('reconnecting')
          await passSlowly(clock, OPERATION_MS / 2)
          if (heals) broker.off(name)
          await passSlowly(clock, 2 * OPERATION_MS)
          expect(connection.state).toBe(state)
          expect(channel.state === 'open' || !heals).toBe(true)
          await closesInTime({ connection, clock })
        }
      })
      expect(stray).toEqual([])
    },
  )
})
