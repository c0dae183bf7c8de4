import { ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Binding, Exchange, Queue } from '../../src/index.ts'

describe('Queue', () => {
  it('is durable, shared and stays, unless told otherwise', () => {
    expect(new Queue('jobs')).toMatchObject({
      durable: true,
      exclusive: false,
      autoDelete: false,
      noDeclare: false,
      noAck: false,
      bindings: [],
      arguments: {},
      consumerArguments: {},
    })
  })

  it('vanishes with its last consumer when it is exclusive, unless told otherwise', () => {
    expect(new Queue('mine', { exclusive: true }).autoDelete).toBe(true)
    expect(new Queue('mine', { exclusive: true, autoDelete: false }).autoDelete).toBe(false)
  })

  it('puts its one exchange before its other bindings', () => {
    const [nova, neutron] = [new Exchange('nova', 'topic'), new Exchange('neutron', 'topic')]
    const queue = new Queue('both', {
      exchange: nova,
      routingKey: '#',
      bindingArguments: { n: 1 },
      bindings: [new Binding(neutron, 'x.*')],
    })
    expect(
      queue.bindings.map(({ exchange, routingKey, arguments: args }) => [exchange.name, routingKey, args]),
    ).toEqual([
      ['nova', '#', { n: 1 }],
      ['neutron', 'x.*', {}],
    ])
    expect(() => (queue.bindings as Binding[]).push(new Binding(nova))).toThrow(TypeError)
  })

  it('says everything that is wrong with its definition at once', () => {
    const wrong = { exclusive: 1, routingKey: 'a', message_ttl: 3, arguments: new Uint8Array(1) } as never
    const make = (): Queue => new Queue('jobs', wrong)
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).toThrow(/^queue 'jobs': there is no field 'message_ttl'/)
    expect(make).toThrow(/exclusive is neither true nor false/)
    expect(make).toThrow(/arguments is no table/)
    expect(make).toThrow(/routingKey and bindingArguments belong to an exchange/)
  })

  it('declares each exchange once, then itself, then its bindings', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const nova = new Exchange('nova', 'topic')
    const bindings = [
      nova.binding('b'),
      new Binding(new Exchange('')),
      new Exchange('amq.topic').binding('c'),
    ]
    const queue = new Queue('jobs', { exchange: nova, routingKey: 'a', bindings, maxLength: 7 })
    expect(await queue.declare(await connection.openChannel())).toBe('jobs')
    const sent = broker.link.methods.map((method) => method.name).filter((name) => /declare|bind/.test(name))
    expect(sent).toEqual(['exchange.declare', 'queue.declare', 'queue.bind', 'queue.bind', 'queue.bind'])
    expect(broker.link.all('queue.bind').map(({ args }) => [args.exchange, args.routingKey])).toEqual([
      ['nova', 'a'],
      ['nova', 'b'],
      ['amq.topic', 'c'],
    ])
    expect(broker.link.all('queue.declare')[0]?.args.arguments).toEqual({ 'x-max-length': 7 })
  })

  it('declares nothing when told so, and never a name of the broker', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const exchange = new Exchange('nova', 'topic')
    expect(await new Queue('theirs', { exchange, noDeclare: true }).declare(channel)).toBe('theirs')
    expect(broker.link.methods.filter(({ name }) => name.endsWith('.declare'))).toEqual([])
    const named = new Queue('', { exchange, exclusive: true }).named('amq.gen-7')
    expect(await named.declare(channel)).toBe('amq.gen-7')
    expect(broker.link.all('queue.declare')).toEqual([])
    expect(broker.link.all('queue.bind')[0]?.args.queue).toBe('amq.gen-7')
  })

  it('acts under its own name', async () => {
    const broker = new ScriptedBroker()
    for (const name of ['queue.purge', 'queue.delete'] as const) {
      broker.on(name, ({ channel }, link) => {
        link.send(channel, `${name}-ok`, { messageCount: name.length })
        return SILENT
      })
    }
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const queue = new Queue('jobs')
    expect(await queue.purge(channel)).toBe('queue.purge'.length)
    expect(await queue.delete(channel, { ifEmpty: true })).toBe('queue.delete'.length)
    expect(await queue.status(connection)).toMatchObject({ queue: 'jobs', messageCount: 0 })
    await queue.bindTo(channel, new Exchange('nova', 'headers'), '', { arguments: { 'x-match': 'any' } })
    await queue.unbindFrom(channel, 'nova', '', { arguments: { 'x-match': 'any' } })
    const ends = { queue: 'jobs', exchange: 'nova', routingKey: '', arguments: { 'x-match': 'any' } }
    expect(broker.link.all('queue.bind')[0]?.args).toMatchObject(ends)
    expect(broker.link.all('queue.unbind')[0]?.args).toMatchObject(ends)
    expect(broker.link.all('queue.delete')[0]?.args).toMatchObject({ queue: 'jobs', ifEmpty: true })
  })

  it('does nothing under the empty name, which means another queue to the broker', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const queue = new Queue('', { exclusive: true })
    await expect(queue.purge(channel)).rejects.toMatchObject({ code: 'E_CONFIG' })
    await expect(queue.delete(channel)).rejects.toMatchObject({ code: 'E_CONFIG' })
    const named = queue.named(await queue.declare(channel))
    expect(named).toMatchObject({ name: 'amq.gen-1', exclusive: true })
    await named.purge(channel)
    expect(broker.link.all('queue.purge')[0]?.args.queue).toBe('amq.gen-1')
  })

  it('comes back from JSON as it was', () => {
    const exchange = new Exchange('nova', 'headers', { durable: false })
    const queue = new Queue('jobs', {
      exchange,
      routingKey: 'a',
      bindingArguments: { 'x-match': 'all', size: 2n ** 60n },
      bindings: [new Exchange('other', 'topic').binding('#')],
      noAck: true,
      deadLetterExchange: 'dead',
      maxAgeMs: 60_000,
      consumerArguments: { 'x-priority': 7 },
    })
    const again = Queue.fromJSON(JSON.parse(JSON.stringify(queue)))
    expect(JSON.stringify(again)).toBe(JSON.stringify(queue))
    expect(again.arguments).toEqual({ 'x-dead-letter-exchange': 'dead', 'x-max-age': '60s' })
    expect(again.bindings[0]?.exchange).toEqual(exchange)
  })

  it('is written by hand in JSON with its typed fields', () => {
    const record = { name: 'jobs', exchange: { name: 'nova', type: 'topic' }, routingKey: '#', maxLength: 5 }
    const queue = Queue.fromJSON(record)
    expect(queue.arguments).toEqual({ 'x-max-length': 5 })
    expect(queue.bindings[0]).toMatchObject({ routingKey: '#', exchange: { name: 'nova', type: 'topic' } })
  })

  it.each([
    [7, /no object/],
    [{ name: 'jobs', bindings: {} }, /are no list/],
    [{ name: 'jobs', bindings: [7] }, /record of a binding/],
    [{ name: 'jobs', bindings: [{ exchange: { name: 'a' }, key: 'b' }] }, /no field 'key'/],
    [{ name: 'jobs', exchange: 'nova' }, /record of an exchange/],
    [{ name: 'jobs', consumerArguments: 'x' }, /consumerArguments is no table/],
  ])('takes no record %j', (record, text) => {
    const make = (): Queue => Queue.fromJSON(record)
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).toThrow(text)
  })
})
