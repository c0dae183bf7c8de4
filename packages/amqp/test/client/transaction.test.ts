import { MessagingTimeoutError } from '@hermod/kernel'
import { ManualClock, nextEvent, ScriptedBroker, settled, SILENT, type BrokerLink } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Channel, Connection, Message } from '../../src/index.ts'
import { bodies, fates } from './outcomes.ts'

const TRANSACTIONS = /^tx\.|^basic\.(?:publish|ack|nack|reject)$/
const said = (link: BrokerLink): string[] =>
  link.methods.map(({ name }) => name).filter((name) => TRANSACTIONS.test(name))
const put = (channel: Channel, body: string, mandatory = false): Promise<void> =>
  channel.publish('x', 'key', Buffer.from(body), { mandatory })

async function reconnect(broker: ScriptedBroker, connection: Connection): Promise<BrokerLink> {
  const restored = nextEvent(connection, 'restored')
  broker.link.drop()
  await restored
  return broker.link
}

/** A channel with transactions that has consumed messages 1 to `count`. */
async function consuming(
  broker: ScriptedBroker,
  connection: Connection,
  count: number,
): Promise<{ channel: Channel; messages: Message[] }> {
  const channel = await connection.openChannel({ transactional: true })
  const messages: Message[] = []
  const { consumerTag } = await channel.consume('q', {}, (message) => messages.push(message))
  for (let tag = 1; tag <= count; tag++) broker.link.deliver(channel.number, consumerTag, tag, `m${tag}`)
  await settled()
  return { channel, messages }
}

describe('a transaction', () => {
  it('publishes at once, and resolves with the commit', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const sent = [put(channel, 'a'), put(channel, 'b')]
    let done = 0
    for (const one of sent) void one.then(() => done++)
    await broker.link.published(2)
    await settled()
    expect(done).toBe(0)
    expect(channel.pendingPublishes).toEqual({ unconfirmed: 2, waiting: 0 })
    await channel.commit()
    expect(await fates(sent)).toEqual(['ok', 'ok'])
    expect(said(broker.link)).toEqual(['tx.select', 'basic.publish', 'basic.publish', 'tx.commit'])
    expect(connection.stats()).toMatchObject({ published: 2, confirmed: 2, unconfirmed: 0 })
  })

  it('rejects what was published with the rollback', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const sent = put(channel, 'a')
    await channel.rollback()
    await expect(sent).rejects.toMatchObject({ code: 'E_TRANSACTION', retryable: false })
    const next = put(channel, 'b')
    await channel.commit()
    expect(await fates([next])).toEqual(['ok'])
  })

  it('gives back with the commit what no queue took, and delivers the rest', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.commit', (_, link) => {
      for (const publish of link.publishes) if (String(publish.body) !== 'b') link.giveBack(publish)
    })
    const sent = ['a', 'b', 'c'].map((body) => put(channel, body, true))
    await channel.commit()
    expect(await fates(sent)).toEqual(['E_UNROUTABLE', 'ok', 'E_UNROUTABLE'])
    expect(connection.stats().returned).toBe(2)
  })

  it('settles each message by itself and at once, and never across a commit', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 4)
    messages[0]?.ack()
    messages[1]?.ack()
    const first = channel.commit()
    messages[2]?.ack()
    await first
    messages[3]?.reject()
    await channel.commit()
    expect(said(broker.link)).toEqual([
      'tx.select',
      'basic.ack',
      'basic.ack',
      'tx.commit',
      'basic.ack',
      'basic.reject',
      'tx.commit',
    ])
    expect(broker.link.all('basic.ack').map(({ args }) => args)).toEqual(
      [1, 2, 3].map((deliveryTag) => ({ deliveryTag, multiple: false })),
    )
  })

  it('takes no options that would take one message out of it, and is not committed without that message', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    for (const options of [{ resend: true }, { timeoutMs: 5 }, { signal: AbortSignal.timeout(1e6) }]) {
      const sent = [put(channel, 'a'), channel.publish('x', 'key', Buffer.from('b'), options)]
      expect((await fates(sent.slice(1)))[0]).toBe('E_CONFIG')
      await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
      expect(await fates(sent)).toEqual(['E_TRANSACTION', 'E_CONFIG'])
    }
    expect(broker.link.all('tx.commit')).toHaveLength(0)
    expect(broker.link.all('tx.rollback')).toHaveLength(3)
    const whole = put(channel, 'c')
    await channel.commit()
    expect(await fates([whole])).toEqual(['ok'])
  })

  it.each([
    ['its limit', { headers: {} }, 'E_LIMIT'],
    ['what cannot be written', { headers: { f: (() => {}) as unknown as string } }, 'E_FIELD'],
  ])('is not committed without a message that was refused over %s', async (_, properties, code) => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true, maxUnconfirmed: 2 })
    const sent = [put(channel, 'a')]
    if (code === 'E_LIMIT') sent.push(put(channel, 'b'))
    sent.push(channel.publish('x', 'key', Buffer.from('c'), { properties }))
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION', cause: { code } })
    expect((await fates(sent)).at(-1)).toBe(code)
    expect((await fates(sent))[0]).toBe('E_TRANSACTION')
    expect(said(broker.link).at(-1)).toBe('tx.rollback')
  })

  it('needs a channel that was opened for it', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_CONFIG' })
    await expect(channel.rollback()).rejects.toMatchObject({ code: 'E_CONFIG' })
  })
})

describe('a transaction that is lost', () => {
  it('rejects what was published, then everything up to the next commit, which says so once', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const first = put(channel, 'a')
    await broker.link.published(1)
    const link = await reconnect(broker, connection)
    const second = put(channel, 'b')
    expect(await fates([first, second])).toEqual(['E_TRANSACTION', 'E_TRANSACTION'])
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION', retryable: true })
    const third = put(channel, 'c')
    await channel.commit()
    expect(await fates([third])).toEqual(['ok'])
    expect(said(link)).toEqual(['tx.select', 'basic.publish', 'tx.commit'])
    expect(bodies(link.publishes)).toEqual(['c'])
  })

  it('has nothing to roll back', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const sent = put(channel, 'a')
    await broker.link.published(1)
    const link = await reconnect(broker, connection)
    await channel.rollback()
    const next = put(channel, 'b')
    await channel.commit()
    expect(await fates([sent, next])).toEqual(['E_TRANSACTION', 'ok'])
    expect(said(link)).toEqual(['tx.select', 'basic.publish', 'tx.commit'])
  })

  it('says so without waiting for the connection', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ reconnect: { initialMs: 60_000 } })
    const channel = await connection.openChannel({ transactional: true })
    const sent = put(channel, 'a')
    await broker.link.published(1)
    const lost = nextEvent(connection, 'lost')
    broker.link.drop()
    await lost
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    expect(await fates([sent, put(channel, 'b')])).toEqual(['E_TRANSACTION', 'E_TRANSACTION'])
  })

  it('is uncertain when the connection breaks between the commit and its answer', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.commit', (_, link) => {
      link.drop()
      return SILENT
    })
    const sent = put(channel, 'a')
    await expect(channel.commit()).rejects.toMatchObject({
      code: 'E_TRANSACTION',
      details: { uncertain: true },
    })
    expect(await fates([sent])).toEqual(['E_UNCERTAIN'])
    broker.off('tx.commit')
    const next = put(channel, 'b')
    await nextEvent(connection, 'restored')
    expect(await fates([next])).toEqual(['E_TRANSACTION'])
  })

  it('is rolled back for certain when the connection breaks before the answer to that', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.rollback', (_, link) => {
      link.drop()
      return SILENT
    })
    const sent = put(channel, 'a')
    await channel.rollback()
    expect(await fates([sent])).toEqual(['E_TRANSACTION'])
  })

  it('is not uncertain when the broker refused a message of it before it read the commit', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.commit', ({ channel: number }, link) => {
      link.closeChannel(number, 404, "NOT_FOUND - no exchange 'x' in vhost '/'", 60, 40)
      return SILENT
    })
    const sent = put(channel, 'a')
    const error = await channel.commit().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_TRANSACTION', cause: { replyCode: 404 }, details: {} })
    expect((error as { details: object }).details).not.toHaveProperty('uncertain')
    expect(await fates([sent])).toEqual(['E_TRANSACTION'])
  })

  it('does not take along what is settled after the loss: half of it would be committed', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 1)
    const lost = put(channel, 'result of m1')
    await broker.link.published(1)
    const link = await reconnect(broker, connection)
    const { consumerTag } = (await link.method('basic.consume')).args
    link.deliver(channel.number, consumerTag, 1, 'm1', true)
    await settled()
    // The same work again, but nobody has ended the lost transaction yet.
    const refused = put(channel, 'result of m1')
    expect(messages[1]?.ack()).toBe(true)
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    expect(await fates([lost, refused])).toEqual(['E_TRANSACTION', 'E_TRANSACTION'])
    expect(said(link)).toEqual(['tx.select', 'basic.ack', 'tx.rollback'])
  })

  it('remembers an ack that was given while the one before was being committed', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 2)
    broker.on('tx.commit', () => SILENT)
    messages[0]?.ack()
    const committed = channel.commit()
    await broker.link.method('tx.commit')
    messages[1]?.ack()
    broker.link.send(channel.number, 'tx.commit-ok', {})
    await committed
    broker.off('tx.commit')
    await reconnect(broker, connection)
    // The ack of the second message is lost: what is published now must not be committed as if it were not.
    expect(await fates([put(channel, 'result of m2')])).toEqual(['E_TRANSACTION'])
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
  })

  it('takes what a handler does with the first message after a reconnect', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const sent: Promise<void>[] = []
    await channel.consume('q', {}, (message) => {
      sent.push(put(channel, `result of ${String(message.body)}`))
      message.ack()
    })
    broker.on('basic.consume', ({ channel: number, args }, link) => {
      link.send(number, 'basic.consume-ok', { consumerTag: args.consumerTag })
      link.deliver(number, args.consumerTag, 1, 'm')
      return SILENT
    })
    const link = await reconnect(broker, connection)
    await link.published(1)
    await channel.commit()
    expect(await fates(sent)).toEqual(['ok'])
    expect(said(link)).toEqual(['tx.select', 'basic.publish', 'basic.ack', 'tx.commit'])
  })

  it('rejects with its channel, and never comes back', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const sent = put(channel, 'a')
    await channel.close()
    expect(await fates([sent, put(channel, 'b')])).toEqual(['E_TRANSACTION', 'E_CHANNEL_CLOSED'])
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
  })
})

describe('a broker that does not answer tx.commit', () => {
  it('leaves nothing waiting: the commit and its messages are uncertain after the deadline', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, operationTimeoutMs: 2_000 })
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.commit', () => SILENT)
    const sent = put(channel, 'a')
    const outcome = channel.commit().catch((reason: unknown) => reason)
    await clock.pass(2_000)
    expect(await outcome).toMatchObject({
      code: 'E_TRANSACTION',
      details: { uncertain: true },
      cause: { code: 'E_TIMEOUT' },
    })
    expect((await outcome) as Error).not.toBeInstanceOf(MessagingTimeoutError)
    expect(await fates([sent])).toEqual(['E_UNCERTAIN'])
  })

  it('does not let the next transaction begin, so that a late answer ends the right one', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, operationTimeoutMs: 2_000 })
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.commit', () => SILENT)
    const sent = put(channel, 'a')
    const outcome = channel.commit().catch(() => 'gave up')
    await clock.pass(2_000)
    expect(await outcome).toBe('gave up')
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    expect(await fates([sent, put(channel, 'b')])).toEqual(['E_UNCERTAIN', 'E_TRANSACTION'])
    broker.link.send(channel.number, 'tx.commit-ok', {})
    broker.off('tx.commit')
    await settled()
    // `b` was refused, so that the transaction that it belongs to is not committed without it.
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    const next = put(channel, 'c')
    await channel.commit()
    expect(await fates([next])).toEqual(['ok'])
    expect(bodies(broker.link.publishes)).toEqual(['a', 'c'])
  })

  it('rejects with the reason of a signal', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    broker.on('tx.commit', () => SILENT)
    const sent = put(channel, 'a')
    const giveUp = new AbortController()
    const committed = channel.commit({ signal: giveUp.signal })
    await broker.link.method('tx.commit')
    giveUp.abort('enough')
    await expect(committed).rejects.toBe('enough')
    expect(await fates([sent])).toEqual(['E_UNCERTAIN'])
  })

  it('refuses a second commit while the first is under way', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const sent = put(channel, 'a')
    const [first, second] = [channel.commit(), channel.commit()]
    await expect(second).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    await first
    expect(await fates([sent])).toEqual(['ok'])
  })

  it('begins the next transaction on the next channel, once the lost one is rolled back', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ transactional: true })
    const lost = channel.publish('', 'q', Buffer.from('lost'))
    lost.catch(() => {})
    broker.link.drop()
    await expect(lost).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    await channel.rollback()
    expect(channel.state).toBe('open')
    const published = channel.publish('', 'q', Buffer.from('kept'))
    await channel.commit()
    await published
    expect(broker.link.all('tx.commit')).toHaveLength(1)
  })
})
