import { TypedField, type FieldTable } from '@hermod/amqp'
import { scriptGroup } from '../script.ts'

/** Arguments of a declaration, right and wrong. */
const ARGUMENTS: readonly (readonly [title: string, args: FieldTable, flags?: object])[] = [
  ['x-message-ttl', { 'x-message-ttl': 1000 }],
  ['x-message-ttl of 0', { 'x-message-ttl': 0 }],
  ['x-message-ttl below 0', { 'x-message-ttl': -1 }],
  ['x-message-ttl as text', { 'x-message-ttl': '1000' }],
  ['x-message-ttl as a fraction', { 'x-message-ttl': 1.5 }],
  ['x-message-ttl beyond 32 bits', { 'x-message-ttl': 4_294_967_296n }],
  ['x-message-ttl as a byte', { 'x-message-ttl': TypedField.int8(100) }],
  ['x-expires', { 'x-expires': 60_000 }],
  ['x-expires of 0', { 'x-expires': 0 }],
  ['x-expires below 0', { 'x-expires': -5 }],
  ['x-expires as true', { 'x-expires': true }],
  ['x-max-length', { 'x-max-length': 0 }],
  ['x-max-length below 0', { 'x-max-length': -1 }],
  ['x-max-length as text', { 'x-max-length': '1' }],
  ['x-max-length-bytes below 0', { 'x-max-length-bytes': -1 }],
  ['x-max-priority', { 'x-max-priority': 10 }],
  ['x-max-priority of 0', { 'x-max-priority': 0 }],
  ['x-max-priority of 255', { 'x-max-priority': 255 }],
  ['x-max-priority of 256', { 'x-max-priority': 256 }],
  ['x-max-priority below 0', { 'x-max-priority': -1 }],
  ['x-max-priority as text', { 'x-max-priority': 'high' }],
  ['x-dead-letter-exchange', { 'x-dead-letter-exchange': 'nowhere' }],
  ['x-dead-letter-exchange that is no text', { 'x-dead-letter-exchange': 1 }],
  ['x-dead-letter-routing-key', { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'k' }],
  ['x-dead-letter-routing-key without an exchange', { 'x-dead-letter-routing-key': 'k' }],
  [
    'x-dead-letter-routing-key that is no text',
    { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 1 },
  ],
  [
    'x-dead-letter-routing-key of 255 bytes',
    { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'k'.repeat(255) },
  ],
  [
    'x-dead-letter-routing-key of 256 bytes',
    { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'k'.repeat(256) },
  ],
  ['x-dead-letter-strategy', { 'x-dead-letter-exchange': '', 'x-dead-letter-strategy': 'at-least-once' }],
  ['x-overflow', { 'x-overflow': 'reject-publish' }],
  ['x-overflow that nobody knows', { 'x-overflow': 'spill' }],
  ['x-overflow that is no text', { 'x-overflow': 1 }],
  ['x-queue-mode', { 'x-queue-mode': 'lazy' }],
  ['x-queue-mode that nobody knows', { 'x-queue-mode': 'busy' }],
  ['x-queue-version', { 'x-queue-version': 2 }],
  ['x-queue-version that nobody knows', { 'x-queue-version': 3 }],
  ['x-single-active-consumer', { 'x-single-active-consumer': true }],
  ['x-single-active-consumer as text', { 'x-single-active-consumer': 'yes' }],
  ['x-queue-type classic', { 'x-queue-type': 'classic' }],
  ['x-queue-type that nobody knows', { 'x-queue-type': 'round' }],
  ['x-queue-type that is no text', { 'x-queue-type': 1 }],
  ['x-queue-master-locator', { 'x-queue-master-locator': 'min-masters' }],
  ['x-queue-master-locator that is no text', { 'x-queue-master-locator': 1 }],
  ['x-ha-policy', { 'x-ha-policy': 'all' }],
  ['x-delivery-limit on a classic queue', { 'x-delivery-limit': 3 }],
  ['x-max-age on a classic queue', { 'x-max-age': '1h' }],
  ['x-max-in-memory-length on a classic queue', { 'x-max-in-memory-length': 3 }],
  ['x-quorum-initial-group-size on a classic queue', { 'x-quorum-initial-group-size': 3 }],
  ['an argument that means nothing', { 'x-colour': 'red', shape: 1 }],
  ['two wrong arguments', { 'x-message-ttl': -1, 'x-expires': 0 }],
  ['a table', { 'x-message-ttl': {} }],
  ['null', { 'x-message-ttl': null }],
  ['a quorum queue that is not durable', { 'x-queue-type': 'quorum' }],
  ['an exclusive quorum queue', { 'x-queue-type': 'quorum' }, { durable: true, exclusive: true }],
  ['a quorum queue that deletes itself', { 'x-queue-type': 'quorum' }, { durable: true, autoDelete: true }],
  ['a server-named quorum queue', { 'x-queue-type': 'quorum' }, { durable: true, queue: '' }],
  ['a quorum queue with priorities', { 'x-queue-type': 'quorum', 'x-max-priority': 5 }, { durable: true }],
  ['a lazy quorum queue', { 'x-queue-type': 'quorum', 'x-queue-mode': 'lazy' }, { durable: true }],
  [
    'a quorum queue that rejects into a dead-letter exchange',
    { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish-dlx' },
    { durable: true },
  ],
  [
    'a quorum queue with a limit as text',
    { 'x-queue-type': 'quorum', 'x-delivery-limit': '3' },
    { durable: true },
  ],
  [
    'a quorum queue with a limit below 0',
    { 'x-queue-type': 'quorum', 'x-delivery-limit': -1 },
    { durable: true },
  ],
  ['a quorum queue with a max-age', { 'x-queue-type': 'quorum', 'x-max-age': '1h' }, { durable: true }],
  ['a stream that is not durable', { 'x-queue-type': 'stream' }],
  ['an exclusive stream', { 'x-queue-type': 'stream' }, { durable: true, exclusive: true }],
  ['a stream that deletes itself', { 'x-queue-type': 'stream' }, { durable: true, autoDelete: true }],
  ['a stream with a ttl', { 'x-queue-type': 'stream', 'x-message-ttl': 1 }, { durable: true }],
  ['a stream with a max-length', { 'x-queue-type': 'stream', 'x-max-length': 1 }, { durable: true }],
  ['a stream with a wrong max-age', { 'x-queue-type': 'stream', 'x-max-age': 'long' }, { durable: true }],
  [
    'a stream with a max-age of a wrong unit',
    { 'x-queue-type': 'stream', 'x-max-age': '5x' },
    { durable: true },
  ],
  [
    'a stream with a max-age that is no text',
    { 'x-queue-type': 'stream', 'x-max-age': 5 },
    { durable: true },
  ],
]

/** Declarations of one queue, the second of which differs. */
const REDECLARED: readonly (readonly [
  what: string,
  first: FieldTable,
  second: FieldTable,
  flags?: object,
  otherFlags?: object,
])[] = [
  ['the same', {}, {}],
  ['durable', {}, {}, {}, { durable: true }],
  ['not durable', {}, {}, { durable: true }, {}],
  ['autoDelete', {}, {}, {}, { autoDelete: true }],
  ['exclusive', {}, {}, {}, { exclusive: true }],
  ['not exclusive', {}, {}, { exclusive: true }, {}],
  ['durable and autoDelete', {}, {}, {}, { durable: true, autoDelete: true }],
  ['exclusive and durable', {}, {}, {}, { exclusive: true, durable: true }],
  ['durable and arguments', {}, { 'x-message-ttl': 1 }, {}, { durable: true }],
  ['a ttl more', {}, { 'x-message-ttl': 10 }],
  ['a ttl less', { 'x-message-ttl': 10 }, {}],
  ['another ttl', { 'x-message-ttl': 10 }, { 'x-message-ttl': 11 }],
  ['a ttl of another width', { 'x-message-ttl': 10 }, { 'x-message-ttl': TypedField.int64(10) }],
  ['a ttl as a byte', { 'x-message-ttl': 10 }, { 'x-message-ttl': TypedField.uint8(10) }],
  ['another ttl as a byte', { 'x-message-ttl': 10 }, { 'x-message-ttl': TypedField.int8(11) }],
  ['a ttl as a double', { 'x-message-ttl': 10 }, { 'x-message-ttl': TypedField.double(10) }],
  ['null in place of a length', { 'x-max-length': 10 }, { 'x-max-length': null }],
  ['a ttl as text', { 'x-message-ttl': 10 }, { 'x-message-ttl': '10' }],
  ['x-queue-type said', {}, { 'x-queue-type': 'classic' }],
  ['x-queue-type not said', { 'x-queue-type': 'classic' }, {}],
  ['another queue type', {}, { 'x-queue-type': 'quorum' }, { durable: true }, { durable: true }],
  ['an argument that means nothing', {}, { colour: 'red' }],
  ['another dead-letter exchange', { 'x-dead-letter-exchange': 'a' }, { 'x-dead-letter-exchange': 'b' }],
  ['an overflow more', {}, { 'x-overflow': 'drop-head' }],
  ['a priority more', {}, { 'x-max-priority': 5 }],
  ['a single active consumer more', {}, { 'x-single-active-consumer': true }],
  ['a mode more', {}, { 'x-queue-mode': 'lazy' }],
  ['two arguments that differ', {}, { 'x-message-ttl': 1, 'x-expires': 60_000 }],
  [
    'two others that differ',
    { 'x-max-length': 1 },
    { 'x-dead-letter-exchange': 'a', 'x-overflow': 'drop-head' },
  ],
  [
    'passively, with all of it different',
    {},
    { 'x-message-ttl': 1, 'x-queue-type': 'quorum' },
    {},
    { passive: true, durable: true, autoDelete: true },
  ],
  ['passively, with arguments that are wrong', {}, { 'x-message-ttl': -1 }, {}, { passive: true }],
  ['passively, exclusive', {}, {}, {}, { passive: true, exclusive: true }],
  ['wrong arguments', {}, { 'x-message-ttl': -1 }],
]

export const queueDeclare = scriptGroup('queue.declare', (script) => {
  script('a passive declaration of a queue that is not there', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a server-named queue', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { exclusive: true })
    await stage.publish(a, 1, { routingKey: a.latest('queue.declare-ok').queue, body: 'x' })
    await stage.do(a, 1, 'basic.get')
    await stage.do(a, 1, 'queue.declare', { exclusive: true })
    await stage.do(a, 1, 'queue.declare', { queue: a.latest('queue.declare-ok').queue, exclusive: true })
  })
  script('reserved names', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'amq.mine' })
    await stage.do(a, 1, 'channel.open')
    await stage.do(a, 1, 'queue.declare', { queue: 'amq.mine', passive: true })
  })
  script('a name with line ends', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q\r\n', exclusive: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: '\nq\r' })
  })
  script('names of 255 bytes and beyond ASCII', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q'.repeat(255), exclusive: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'é', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'é', body: 'x', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'é' })
    await stage.do(a, 1, 'queue.declare', { queue: 'ö', passive: true })
  })
  script('counts of a declaration', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2', '3']) await stage.publish(a, 1, { routingKey: 'q', body })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 2, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 2, 'basic.consume', { queue: 'q' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await stage.do(a, 1, 'queue.purge', { queue: 'q' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await stage.do(a, 1, 'queue.delete', { queue: 'q' })
  })
  script('a declaration without an answer', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, noWait: true })
    await stage.do(a, 1, 'queue.purge', { queue: 'q', noWait: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'amq.fanout', noWait: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true, noWait: true })
    await stage.do(a, 1, 'queue.delete', { queue: 'q', noWait: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true, noWait: true })
  })
  for (const [title, args, flags = {}] of ARGUMENTS) {
    script(`arguments: ${title}`, async (stage) => {
      const a = await stage.open()
      a.say(1, 'queue.declare', { queue: 'q', arguments: args, ...flags })
      await a.heard(1, 'queue.declare-ok')
    })
  }
  for (const [what, first, second, flags = {}, otherFlags = {}] of REDECLARED) {
    script(`declared again: ${what}`, async (stage) => {
      const a = await stage.open()
      await stage.do(a, 1, 'queue.declare', { queue: 'q', arguments: first, ...flags })
      await stage.do(a, 1, 'queue.declare', { queue: 'q', arguments: second, ...otherFlags })
    })
  }
  script('delete if unused and if empty', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 2, 'queue.delete', { queue: 'q', ifEmpty: true })
    await stage.do(a, 2, 'channel.open')
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.do(a, 2, 'queue.delete', { queue: 'q', ifUnused: true })
    await stage.do(a, 2, 'channel.open')
    await stage.do(a, 2, 'queue.delete', { queue: 'q', ifUnused: true, ifEmpty: true })
    await stage.do(a, 2, 'channel.open')
    await stage.do(a, 1, 'basic.cancel')
    await stage.do(a, 2, 'queue.delete', { queue: 'q', ifUnused: true, ifEmpty: true })
    await stage.do(a, 1, 'basic.ack')
  })
  script('delete of a queue that is consumed', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open({ clientProperties: {} })]
    await stage.do(a, 1, 'queue.declare', { queue: 'q' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'told' })
    await stage.do(b, 1, 'basic.consume', { queue: 'q', consumerTag: 'untold' })
    await stage.do(b, 1, 'queue.delete', { queue: 'q' })
    await stage.do(a, 1, 'basic.cancel', { consumerTag: 'told' })
    await stage.do(b, 1, 'basic.cancel', { consumerTag: 'untold' })
  })
  script('a queue that deletes itself', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', autoDelete: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', autoDelete: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'c' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'd' })
    await stage.do(a, 1, 'basic.cancel', { consumerTag: 'c' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await stage.do(a, 1, 'basic.cancel', { consumerTag: 'd' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a queue that deletes itself with the channel of its consumer', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', autoDelete: true })
    await stage.do(a, 2, 'basic.consume', { queue: 'q' })
    await stage.do(a, 2, 'channel.close')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('purge leaves what was delivered', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2', '3']) await stage.publish(a, 1, { routingKey: 'q', body })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'queue.purge', { queue: 'q' })
    await stage.do(a, 1, 'basic.nack')
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
})

export const exclusiveQueues = scriptGroup('exclusive queues', (script) => {
  script('what another connection may not do to them', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    const refused = async (say: () => void): Promise<void> => {
      say()
      await stage.settle()
      await stage.reopen(b)
    }
    await refused(() => b.say(1, 'queue.declare', { queue: 'q', exclusive: true }))
    await refused(() => b.say(1, 'queue.declare', { queue: 'q' }))
    await refused(() => b.say(1, 'queue.declare', { queue: 'q', durable: true }))
    await refused(() => b.say(1, 'queue.declare', { queue: 'q', passive: true }))
    await refused(() => b.say(1, 'basic.consume', { queue: 'q' }))
    await refused(() => b.say(1, 'basic.get', { queue: 'q' }))
    await refused(() => b.say(1, 'queue.purge', { queue: 'q' }))
    await refused(() => b.say(1, 'queue.delete', { queue: 'q' }))
    await refused(() => b.say(1, 'queue.bind', { queue: 'q', exchange: 'amq.fanout' }))
    await refused(() => b.say(1, 'queue.unbind', { queue: 'q', exchange: 'amq.fanout' }))
    await stage.publish(b, 1, { routingKey: 'q', body: 'but publish', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
  script('they go with their connection', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'channel.close')
    await stage.do(a, 1, 'channel.open')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await stage.do(a, 0, 'connection.close')
    await stage.do(b, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('they go with a connection that the broker closes', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, durable: true })
    await stage.do(a, 1, 'basic.qos', { prefetchSize: 1 })
    await stage.do(b, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('they dead-letter nothing when they go', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(b, 1, 'queue.declare', { queue: 'dead', exclusive: true })
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' },
    })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 0, 'connection.close')
    await stage.do(b, 1, 'basic.get', { queue: 'dead' })
  })
})
