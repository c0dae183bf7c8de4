import { PublishUncertainError } from '@hermod/kernel'
import {
  ManualClock,
  methodBytes,
  nextEvent,
  type ReceivedPublish,
  ScriptedBroker,
  SILENT,
} from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type {
  Channel,
  ChannelOptions,
  Connection,
  ConnectionOptions,
  PublishOptions,
} from '../../src/index.ts'
import { bodies, fates, turns } from './outcomes.ts'
import { propertyBytes } from './property-bytes.ts'

/** Of some messages an expiration that RabbitMQ cannot read. */
const expiring = (at: number): string | undefined => ([4, 5, 30].includes(at) ? 'abc' : undefined)

describe('publishing', () => {
  let connection: Connection
  let channel: Channel
  let broker: ScriptedBroker

  async function open(
    how: { confirms?: boolean } & ChannelOptions & Pick<ConnectionOptions, 'clock'> = {},
  ): Promise<void> {
    const { confirms = false, clock, ...options } = how
    broker = new ScriptedBroker()
    if (!confirms) broker.onPublish = () => SILENT
    connection = await broker.connect({ clock })
    channel = await connection.openChannel(options)
  }
  const publish = (body: string, options?: PublishOptions): Promise<void> =>
    channel.publish('x', 'key', Buffer.from(body), options)
  const publishAll = (count: number, options?: PublishOptions): Promise<void>[] =>
    Array.from({ length: count }, (_, at) => publish(String(at + 1), options))

  afterEach(() => connection.close())

  describe('confirms', () => {
    it('selects them once, before the first publish, and resolves with the confirm', async () => {
      await open()
      let confirmed = false
      const first = publish('one', { properties: { messageId: 'm' }, mandatory: true }).then(
        () => (confirmed = true),
      )
      const [received] = await broker.link.published(1)
      expect(received).toMatchObject({ exchange: 'x', routingKey: 'key', mandatory: true, frames: [3] })
      expect(propertyBytes(received?.properties ?? {})).toBe(propertyBytes({ messageId: 'm' }))
      await turns()
      expect(confirmed).toBe(false)
      broker.link.confirm(1, 1)
      await first
      const second = publish('two')
      await broker.link.published(2)
      broker.link.confirm(1, 2)
      await second
      expect(broker.link.methods.slice(4).map(({ name }) => name)).toEqual([
        'channel.open',
        'confirm.select',
        'basic.publish',
        'basic.publish',
      ])
      expect(channel.pendingPublishes).toEqual({ unconfirmed: 0, waiting: 0 })
    })

    it('takes them in any order, single and multiple, acked and nacked', async () => {
      await open()
      const sent = publishAll(9)
      const { link } = broker
      await link.published(9)
      link.confirm(1, 3)
      link.confirm(1, 3) // twice, and
      link.confirm(1, 77) // never sent: neither settles anything
      link.confirm(1, 78, true)
      link.send(1, 'basic.nack', { deliveryTag: 2, multiple: true, requeue: false })
      link.confirm(1, 5)
      link.send(1, 'basic.nack', { deliveryTag: 9, multiple: false, requeue: false })
      link.confirm(1, 8, true)
      expect(await fates(sent)).toEqual([
        'E_NACKED',
        'E_NACKED',
        ...Array.from({ length: 6 }, () => 'ok'),
        'E_NACKED',
      ])
      expect(channel.pendingPublishes).toEqual({ unconfirmed: 0, waiting: 0 })
      expect(connection.stats().publishesFailed).toBe(3)
    })

    it('never has more out than the window, whatever the order of confirms, and loses nobody', async () => {
      await open({ maxUnconfirmed: 10 })
      const { link } = broker
      let out = 0
      let most = 0
      const unconfirmed: number[] = []
      broker.onPublish = ({ tag }) => {
        most = Math.max(most, ++out)
        unconfirmed.push(tag)
        if (unconfirmed.length < 7) return SILENT
        while (unconfirmed.length > 3) {
          const [next] = unconfirmed.splice((tag * 7) % unconfirmed.length, 1) as [number]
          out--
          link.confirm(1, next)
        }
        return SILENT
      }
      const sent = publishAll(2000)
      expect(channel.pendingPublishes).toEqual({ unconfirmed: 10, waiting: 1990 })
      await link.published(2000)
      link.confirm(1, 2000, true)
      await Promise.all(sent)
      expect(most).toBeLessThanOrEqual(10)
      expect(bodies(link.publishes)).toEqual(Array.from({ length: 2000 }, (_, at) => String(at + 1)))
    })

    it('refuses a window that could never let a message out', async () => {
      await open()
      for (const maxUnconfirmed of [0, -1, 1.5, Number.NaN, Infinity]) {
        await expect(connection.openChannel({ maxUnconfirmed })).rejects.toMatchObject({ code: 'E_CONFIG' })
      }
    })

    it('drains when all is settled', async () => {
      await open({ maxUnconfirmed: 2 })
      await channel.drain()
      const sent = publishAll(4)
      let drained = false
      const draining = channel.drain().then(() => (drained = true))
      await broker.link.published(2)
      broker.link.confirm(1, 2, true)
      await broker.link.published(4)
      await turns()
      expect(drained).toBe(false)
      broker.link.send(1, 'basic.nack', { deliveryTag: 4, multiple: true, requeue: false })
      await draining
      expect(await fates(sent)).toEqual(['ok', 'ok', 'E_NACKED', 'E_NACKED'])
    })
  })

  describe('mandatory', () => {
    it('rejects exactly what came back, out of 500 of which half look the same', async () => {
      await open()
      const { link } = broker
      broker.onPublish = (received) => {
        if (received.properties.messageId !== undefined && Number(received.properties.messageId) % 2 === 1)
          link.giveBack(received)
        if (received.tag % 50 === 0) link.confirm(1, received.tag, true)
        return SILENT
      }
      const sent = Array.from({ length: 500 }, (_, at) =>
        publish('the same body', { mandatory: true, properties: { messageId: String(at) } }),
      )
      const expected = Array.from({ length: 500 }, (_, at) => (at % 2 === 1 ? 'E_UNROUTABLE' : 'ok'))
      expect(await fates(sent)).toEqual(expected)
    })

    it('takes the oldest of those that are the same in everything', async () => {
      await open()
      const sent = [publish('a'), ...Array.from({ length: 4 }, () => publish('a', { mandatory: true }))]
      const [, second, third] = await broker.link.published(5)
      broker.link.giveBack(second as ReceivedPublish)
      broker.link.confirm(1, 2, true)
      broker.link.giveBack(third as ReceivedPublish)
      broker.link.confirm(1, 5, true)
      expect(await fates(sent)).toEqual(['ok', 'E_UNROUTABLE', 'E_UNROUTABLE', 'ok', 'ok'])
    })

    it('tells different exchanges, keys and bodies apart, and ignores a return of nothing', async () => {
      await open()
      const mandatory = { mandatory: true }
      const sent = [
        channel.publish('x', 'k', Buffer.from('b'), mandatory),
        channel.publish('y', 'k', Buffer.from('b'), mandatory),
        channel.publish('x', 'l', Buffer.from('b'), mandatory),
        channel.publish('x', 'k', Buffer.from('c'), mandatory),
        channel.publish('x', 'k', Buffer.alloc(0), mandatory),
      ]
      const received = await broker.link.published(5)
      broker.link.giveBack({ ...(received[0] as ReceivedPublish), body: Buffer.from('nobody sent this') })
      for (const at of [3, 1, 4]) broker.link.giveBack(received[at] as ReceivedPublish)
      broker.link.confirm(1, 5, true)
      expect(await fates(sent)).toEqual(['ok', 'E_UNROUTABLE', 'ok', 'E_UNROUTABLE', 'E_UNROUTABLE'])
    })

    it('does not take a message for routed that came back while the channel closed', async () => {
      await open()
      const sent = publish('lost', { mandatory: true })
      broker.on('channel.close', (_, link) => {
        link.giveBack(link.publishes[0] as ReceivedPublish)
        link.confirm(1, 1)
      })
      await broker.link.published(1)
      await channel.close()
      expect(await fates([sent])).toEqual(['E_UNROUTABLE'])
    })
  })

  describe('giving up', () => {
    it('rejects with the reason of the signal; what was written is not undone, what was not never leaves', async () => {
      await open({ maxUnconfirmed: 1 })
      const reason = new RangeError('enough')
      const controller = new AbortController()
      const { signal } = controller
      const sent = [publish('written', { signal }), publish('waiting', { signal }), publish('last')]
      await expect(publish('never', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await broker.link.published(1)
      controller.abort(reason)
      await expect(sent[0]).rejects.toBe(reason)
      await expect(sent[1]).rejects.toBe(reason)
      broker.link.confirm(1, 1)
      await broker.link.published(2)
      broker.link.confirm(1, 2)
      await sent[2]
      expect(bodies(broker.link.publishes)).toEqual(['written', 'last'])
    })

    it('times out by its own clock and counts it', async () => {
      const clock = new ManualClock()
      await open({ clock, maxUnconfirmed: 1 })
      const failed = nextEvent(connection, 'publish-failed')
      const sent = [publish('1', { timeoutMs: 50 }), publish('2', { timeoutMs: 50 }), publish('3')]
      await broker.link.published(1)
      clock.advance(50)
      expect(await fates(sent.slice(0, 2))).toEqual(['E_TIMEOUT', 'E_TIMEOUT'])
      expect((await failed).error.code).toBe('E_TIMEOUT')
      broker.link.confirm(1, 1)
      await broker.link.published(2)
      broker.link.confirm(1, 2)
      await sent[2]
      expect(bodies(broker.link.publishes)).toEqual(['1', '3'])
      expect(connection.stats().publishesFailed).toBe(2)
    })

    it('never sends again what was given up, and drains without it', async () => {
      const clock = new ManualClock()
      await open({ clock })
      const controller = new AbortController()
      const how = { resend: true }
      const sent = [
        publish('kept 1', how),
        publish('aborted', { ...how, signal: controller.signal }),
        publish('timed out', { ...how, timeoutMs: 50 }),
        publish('kept 2', how),
      ]
      await broker.link.published(4)
      controller.abort()
      clock.advance(50)
      broker.link.drop()
      await nextEvent(connection, 'lost')
      const late = publish('away', { timeoutMs: 50 })
      clock.advance(50)
      expect(await fates([late])).toEqual(['E_TIMEOUT'])
      broker.onPublish = () => {}
      expect((await fates(sent)).filter((fate) => fate === 'ok')).toHaveLength(2)
      expect(bodies(broker.link.publishes)).toEqual(['kept 1', 'kept 2'])
    })

    it('holds nothing of what timed out while the connection was away, and drains at once', async () => {
      const clock = new ManualClock()
      await open({ clock })
      broker.onLink = () => false
      broker.link.drop()
      await nextEvent(connection, 'lost')
      const sent = Array.from({ length: 5000 }, () => publish('x', { timeoutMs: 100 }))
      const draining = channel.drain()
      expect(channel.pendingPublishes.waiting).toBe(5000)
      clock.advance(100)
      expect(new Set(await fates(sent))).toEqual(new Set(['E_TIMEOUT']))
      expect(channel.pendingPublishes).toEqual({ unconfirmed: 0, waiting: 0 })
      await draining
    })

    it('drains when the last one that waited turns out to be unwritable', async () => {
      await open({ confirms: true })
      broker.link.drop()
      await nextEvent(connection, 'lost')
      const sent = publish('x', { properties: { headers: { bad: Number.NaN } } })
      await channel.drain()
      expect(await fates([sent])).toEqual(['E_FIELD'])
    })
  })

  describe('after a reconnect', () => {
    it('sends again, in order and before newer ones, what wants it; the rest is uncertain', async () => {
      await open({ maxUnconfirmed: 6 })
      const sent = Array.from({ length: 10 }, (_, at) => publish(String(at + 1), { resend: at % 2 === 0 }))
      await broker.link.published(6)
      broker.link.confirm(1, 1)
      await sent[0]
      await broker.link.published(7) // the window moved on by one
      broker.onPublish = () => {}
      const lost = nextEvent(connection, 'lost')
      broker.link.drop()
      await lost
      const newer = publish('newer')
      await newer
      expect(bodies(broker.link.publishes)).toEqual(['3', '5', '7', '8', '9', '10', 'newer'])
      expect(await fates(sent)).toEqual(sent.map((_, at) => ([1, 3, 5].includes(at) ? 'E_UNCERTAIN' : 'ok')))
      await expect(sent[1]).rejects.toBeInstanceOf(PublishUncertainError)
      await expect(sent[1]).rejects.toMatchObject({ retryable: true, cause: { code: 'E_CONN_LOST' } })
    })

    it('starts counting anew: a confirm of the old channel means nothing', async () => {
      await open()
      const old = publishAll(3)
      await broker.link.published(3)
      broker.link.raw(
        Buffer.concat([
          methodBytes(1, 'channel.close', {
            replyCode: 404,
            replyText: 'NOT_FOUND',
            classId: 50,
            methodId: 10,
          }),
          methodBytes(1, 'basic.ack', { deliveryTag: 3, multiple: true }),
        ]),
      )
      expect(await fates(old)).toEqual(['E_UNCERTAIN', 'E_UNCERTAIN', 'E_UNCERTAIN'])
      const next = publish('next')
      await broker.link.published(4)
      expect(broker.link.publishes[3]).toMatchObject({ channel: 2, tag: 1 })
      broker.link.confirm(2, 1)
      await next
      expect(broker.link.all('confirm.select').map((method) => method.channel)).toEqual([1, 2])
    })

    it('says of what it never sent that it never sent it, and of the rest that nobody knows', async () => {
      await open({ maxUnconfirmed: 2 })
      const sent = publishAll(3, { resend: true })
      await broker.link.published(2)
      await connection.close()
      expect(await fates(sent)).toEqual(['E_UNCERTAIN', 'E_UNCERTAIN', 'E_CHANNEL_CLOSED'])
      expect(await fates([publish('later')])).toEqual(['E_CHANNEL_CLOSED'])
    })

    it('says the same when the channel alone is closed', async () => {
      await open({ maxUnconfirmed: 1 })
      const sent = [publish('1', { resend: true }), publish('2', { resend: true })]
      await broker.link.published(1)
      await channel.close()
      expect(await fates(sent)).toEqual(['E_UNCERTAIN', 'E_CHANNEL_CLOSED'])
    })
  })

  describe('when the broker closes the channel over a publish', () => {
    const PUBLISH = [60, 40] as const

    it('blames the publish that names the missing exchange, and sends the others again', async () => {
      await open({ confirms: true })
      broker.onPublish = ({ exchange, channel: number }, link) => {
        if (exchange !== 'missing') return
        link.closeChannel(number, 404, "NOT_FOUND - no exchange 'missing' in vhost '/'", ...PUBLISH)
        broker.onPublish = ({ channel: late }) => (late === number ? SILENT : undefined)
        return SILENT
      }
      const sent = [
        publish('1', { resend: true }),
        channel.publish('missing', 'k', Buffer.from('2'), { resend: true }),
        publish('3', { resend: true }),
      ]
      expect(await fates(sent)).toEqual(['ok', 'E_CHANNEL', 'ok'])
      await expect(sent[1]).rejects.toMatchObject({ replyCode: 404, method: 'basic.publish' })
      expect(connection.stats().publishesFailed).toBe(1)
    })

    it('blames the only one that is out', async () => {
      await open({ confirms: true })
      broker.onPublish = ({ channel: number }, link) => {
        link.closeChannel(number, 406, 'PRECONDITION_FAILED - fast reply consumer does not exist', ...PUBLISH)
        return SILENT
      }
      expect(await fates([publish('1', { resend: true })])).toEqual(['E_CHANNEL'])
      expect(await fates([publish('2')])).toEqual(['E_CHANNEL'])
    })

    it('finds the culprit that is not named, sends it no more, and loses no other', async () => {
      await open({ confirms: true })
      const closed = new Set<number>()
      broker.onPublish = ({ channel: number, properties }, link) => {
        if (closed.has(number)) return SILENT // what follows on a closed channel is dropped
        if (properties.expiration !== 'abc') return
        closed.add(number)
        link.closeChannel(
          number,
          406,
          "PRECONDITION_FAILED - invalid expiration 'abc': no_integer",
          ...PUBLISH,
        )
        return SILENT
      }
      let errors = 0
      connection.on('channel-error', () => errors++)
      const sent = Array.from({ length: 40 }, (_, at) =>
        publish(String(at), { resend: true, properties: { expiration: expiring(at) } }),
      )
      expect(await fates(sent)).toEqual(
        sent.map((_, at) => (expiring(at) === undefined ? 'ok' : 'E_CHANNEL')),
      )
      expect(errors).toBeLessThanOrEqual(6)
      const accepted = broker.link.publishes.filter(
        (_, at, all) => all.at(at)?.properties.expiration === undefined,
      )
      expect(new Set(bodies(accepted)).size).toBe(37)
      await publish('the window is wide again')
    })
  })

  it('waits while the broker blocks, and goes on', async () => {
    await open({ confirms: true })
    const blocked = nextEvent(connection, 'blocked')
    broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    expect(await blocked).toEqual({ reason: 'low on memory' })
    expect(connection.state).toBe('blocked')
    const sent = [publish('1')]
    const second = await connection.openChannel()
    sent.push(second.publish('', 'q', Buffer.from('2')))
    await turns()
    expect(broker.link.publishes).toHaveLength(0)
    broker.link.send(0, 'connection.unblocked', {})
    await Promise.all(sent)
    expect(connection.state).toBe('open')
  })
})
