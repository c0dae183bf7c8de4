import { ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Exchange, TypedField } from '../../src/index.ts'

describe('Exchange', () => {
  it('is direct, durable, persistent and stays, unless told otherwise', () => {
    expect(new Exchange('jobs')).toMatchObject({
      type: 'direct',
      durable: true,
      autoDelete: false,
      internal: false,
      deliveryMode: 'persistent',
      passive: false,
      noDeclare: false,
    })
  })

  it('writes its alternate exchange as an argument beside others', () => {
    const exchange = new Exchange('jobs', 'topic', {
      alternateExchange: 'unrouted',
      arguments: { 'x-other': 1 },
    })
    expect(exchange.arguments).toEqual({ 'alternate-exchange': 'unrouted', 'x-other': 1 })
  })

  it('cannot be changed', () => {
    const exchange = new Exchange('jobs')
    expect(() => Object.assign(exchange, { name: 'other' })).toThrow(TypeError)
    expect(() => Object.assign(exchange.arguments, { 'x-more': 1 })).toThrow(TypeError)
  })

  it('says everything that is wrong with its definition at once', () => {
    const wrong = {
      durable: 'yes',
      deliveryMode: 2,
      alternateExchange: 'b',
      arguments: { 'alternate-exchange': 'a' },
      auto_delete: true,
    } as never
    const make = (): Exchange => new Exchange('x'.repeat(256), 'topic', wrong)
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).toThrow(/name is longer than 255 bytes/)
    expect(make).toThrow(/there is no field 'auto_delete'/)
    expect(make).toThrow(/durable is neither true nor false/)
    expect(make).toThrow(/deliveryMode is none of persistent, transient/)
    expect(make).toThrow(/alternateExchange and the argument 'alternate-exchange' are the same/)
  })

  it('declares itself with its type as it is, on any connection', async () => {
    const exchange = new Exchange('jobs', 'x-consistent-hash', { arguments: { 'hash-header': 'id' } })
    for (const broker of [new ScriptedBroker(), new ScriptedBroker()]) {
      await using connection = await broker.connect()
      await exchange.declare(await connection.openChannel())
      expect(broker.link.all('exchange.declare')[0]?.args).toMatchObject({
        exchange: 'jobs',
        type: 'x-consistent-hash',
        durable: true,
        passive: false,
        arguments: { 'hash-header': 'id' },
      })
    }
  })

  it.each([
    new Exchange(''),
    new Exchange('amq.topic', 'topic'),
    new Exchange('theirs', 'topic', { noDeclare: true }),
  ])('leaves $name alone', async (exchange) => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    await exchange.declare(await connection.openChannel())
    expect(broker.link.all('exchange.declare')).toEqual([])
  })

  it('looks for a passive one on a channel of its own, which alone dies of the answer', async () => {
    const broker = new ScriptedBroker()
    broker.on('exchange.declare', ({ channel, args }, link) => {
      if (args.passive && args.exchange === 'gone')
        link.closeChannel(channel, 404, "NOT_FOUND - no exchange 'gone' in vhost '/'", 40, 10)
      else link.send(channel, 'exchange.declare-ok', {})
      return SILENT
    })
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const { number } = channel
    await new Exchange('there', 'topic', { passive: true }).declare(channel)
    await expect(new Exchange('gone', 'topic', { passive: true }).declare(channel)).rejects.toMatchObject({
      code: 'E_CHANNEL',
      replyCode: 404,
    })
    expect(channel.number).toBe(number)
    expect(broker.link.all('exchange.declare').every(({ args }) => args.passive)).toBe(true)
  })

  it('binds itself to another and deletes itself', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const [all, some] = [new Exchange('all', 'topic'), new Exchange('some', 'fanout')]
    await some.bindTo(channel, all, 'a.#', { arguments: { n: 1 } })
    await some.unbindFrom(channel, 'all', 'a.#', { arguments: { n: 1 } })
    await some.delete(channel, { ifUnused: true })
    const ends = { destination: 'some', source: 'all', routingKey: 'a.#', arguments: { n: 1 } }
    expect(broker.link.all('exchange.bind')[0]?.args).toMatchObject(ends)
    expect(broker.link.all('exchange.unbind')[0]?.args).toMatchObject(ends)
    expect(broker.link.all('exchange.delete')[0]?.args).toMatchObject({ exchange: 'some', ifUnused: true })
  })

  it('comes back from JSON as it was', () => {
    const exchange = new Exchange('jobs', 'headers', {
      durable: false,
      internal: true,
      deliveryMode: 'transient',
      alternateExchange: 'other',
      arguments: { at: TypedField.uint8(3) },
    })
    expect(Exchange.fromJSON(JSON.parse(JSON.stringify(exchange)))).toEqual(exchange)
  })

  it.each([
    [null, /no object/],
    [['jobs'], /no object/],
    [{}, /the name is missing/],
    [{ name: 7 }, /the name is no text/],
    [{ name: 'jobs', kind: 'topic' }, /there is no field 'kind'/],
    [{ name: 'jobs', type: 7 }, /the type is no text/],
    [{ name: 'jobs', arguments: [] }, /arguments is no table/],
    [{ name: 'jobs', arguments: { a: { $amqp: 'int8', value: '300' } } }, /is not what its '\$amqp' says/],
  ])('takes no record %j', (record, text) => {
    const make = (): Exchange => Exchange.fromJSON(record)
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).toThrow(text)
  })
})
