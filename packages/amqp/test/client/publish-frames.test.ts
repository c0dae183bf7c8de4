import { type ReceivedPublish, ScriptedBroker } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { Channel, Connection, PublishOptions } from '../../src/index.ts'
import { bodies, fates, turns } from './outcomes.ts'

describe('the frames of a publish', () => {
  let connection: Connection
  let channel: Channel
  let broker: ScriptedBroker

  async function open(frameMax = 131_072): Promise<void> {
    broker = new ScriptedBroker({ tune: { frameMax } })
    connection = await broker.connect()
    channel = await connection.openChannel()
  }
  const publish = (body: string, options?: PublishOptions): Promise<void> =>
    channel.publish('x', 'key', Buffer.from(body), options)

  afterEach(() => connection.close())

  it.each([
    { bytes: 0, frames: [] },
    { bytes: 1, frames: [1] },
    { bytes: 8192 - 8, frames: [8184] },
    { bytes: 8192 - 7, frames: [8184, 1] },
    { bytes: 3 * 8184, frames: [8184, 8184, 8184] },
    { bytes: 40_000, frames: [8184, 8184, 8184, 8184, 7264] },
    { bytes: 5 * 1024 * 1024, frames: undefined },
  ])('splits a body of $bytes bytes at the frame limit', async ({ bytes, frames: expected }) => {
    await open(8192)
    const body = Buffer.alloc(bytes)
    for (let at = 0; at < bytes; at++) body[at] = at * 31 + (at >>> 8)
    await Promise.all([
      channel.publish('', 'before', Buffer.from('b')),
      channel.publish('', 'q', body),
      channel.publish('', 'after', Buffer.from('a')),
    ])
    const received = broker.link.publishes[1] as ReceivedPublish
    expect(received.body.equals(body)).toBe(true)
    expect(Math.max(0, ...received.frames)).toBeLessThanOrEqual(8184)
    expect(received.frames).toEqual(expected ?? received.frames)
    expect(bodies([broker.link.publishes[0], broker.link.publishes[2]] as ReceivedPublish[])).toEqual([
      'b',
      'a',
    ])
  })

  it('ends the frame that it has begun when the broker closes in the middle of it', async () => {
    await open()
    const { link } = broker
    // Its word is on its way when the body leaves, all of it but the octet that ends its frame.
    link.closeConnection(320, 'CONNECTION_FORCED - shutdown')
    const lost = fates([channel.publish('', 'q', Buffer.alloc(64 * 1024))])
    await link.method('connection.close-ok')
    expect(link.publishes).toHaveLength(1)
    expect(await lost).toEqual(['E_UNCERTAIN'])
  })

  it('rejects what AMQP cannot carry, that message alone, and goes on', async () => {
    await open()
    const deep: Record<string, unknown> = {}
    deep['self'] = deep
    const unwritable = [
      { headers: { bad: Number.NaN } },
      { headers: { fine: 'x'.repeat(3000), bad: (() => {}) as never } },
      { headers: deep as never },
      { headers: { bad: 2n ** 64n } },
      { headers: { ['k'.repeat(256)]: 1 } },
      { messageId: 'm'.repeat(256) },
      { priority: 256 },
      { timestamp: new Date(Number.NaN) },
    ]
    const sent = unwritable.flatMap((properties, at) => [
      publish(`${at}`),
      publish('unwritable', { properties }),
    ])
    sent.push(channel.publish('x', 'k'.repeat(256), Buffer.from('unwritable')))
    sent.push(publish('the last'))
    expect(await fates(sent)).toEqual([...unwritable.flatMap(() => ['ok', 'E_FIELD']), 'E_FIELD', 'ok'])
    expect(bodies(broker.link.publishes)).toEqual([...unwritable.keys()].map(String).concat('the last'))
    expect(connection.stats().publishesFailed).toBe(unwritable.length + 1)
  })

  it('rejects headers that pass the frame limit, over which a broker closes the connection', async () => {
    await open(4096)
    const fits = publish('fits', { properties: { headers: { h: 'x'.repeat(4096 - 64) } } })
    const tooLarge = publish('no', { properties: { headers: { h: 'x'.repeat(4096) } }, resend: true })
    const declared = channel.declareQueue('q', { arguments: { 'x-long': 'x'.repeat(4096) } })
    await expect(declared).rejects.toMatchObject({ code: 'E_LIMIT' })
    expect(await fates([fits, tooLarge])).toEqual(['ok', 'E_LIMIT'])
    await publish('goes on')
    expect(bodies(broker.link.publishes)).toEqual(['fits', 'goes on'])
    expect(broker.links).toHaveLength(1)
  })

  it('waits while the peer does not read, then goes on in order, with memory bounded', async () => {
    await open()
    broker.link.stalled = true
    const body = Buffer.alloc(100_000, 'x')
    const sent = Array.from({ length: 200 }, () => channel.publish('', 'q', body))
    await turns()
    const { unconfirmed, waiting } = channel.pendingPublishes
    expect(unconfirmed * body.length).toBeLessThan(6 * 1024 * 1024)
    expect(unconfirmed + waiting).toBe(200)
    broker.link.stalled = false
    await Promise.all(sent)
    expect(broker.link.publishes).toHaveLength(200)
  })
})
