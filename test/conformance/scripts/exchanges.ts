import type { FieldTable } from '@hermod/amqp'
import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'

type Say = (a: FramePeer) => void

/** Each is said on a channel of its own connection. */
const REFUSED: readonly (readonly [title: string, say: Say])[] = [
  [
    'a type that nobody knows',
    (a) => a.say(1, 'exchange.declare', { exchange: 'x', type: 'x-nobody-knows' }),
  ],
  ['a reserved name', (a) => a.say(1, 'exchange.declare', { exchange: 'amq.mine', type: 'direct' })],
  [
    'a reserved name, passively',
    (a) => a.say(1, 'exchange.declare', { exchange: 'amq.mine', passive: true }),
  ],
  [
    'the default exchange',
    (a) => a.say(1, 'exchange.declare', { exchange: '', type: 'direct', durable: true }),
  ],
  ['the default exchange, passively', (a) => a.say(1, 'exchange.declare', { exchange: '', passive: true })],
  [
    'amq.direct as it is',
    (a) => a.say(1, 'exchange.declare', { exchange: 'amq.direct', type: 'direct', durable: true }),
  ],
  [
    'amq.direct as something else',
    (a) => a.say(1, 'exchange.declare', { exchange: 'amq.direct', type: 'fanout', durable: true }),
  ],
  ['amq.topic as transient', (a) => a.say(1, 'exchange.declare', { exchange: 'amq.topic', type: 'topic' })],
  ['delete of the default exchange', (a) => a.say(1, 'exchange.delete', { exchange: '' })],
  ['delete of amq.direct', (a) => a.say(1, 'exchange.delete', { exchange: 'amq.direct' })],
  [
    'delete of a reserved name that is not there',
    (a) => a.say(1, 'exchange.delete', { exchange: 'amq.mine' }),
  ],
  [
    'an alternate exchange that is no text',
    (a) => a.say(1, 'exchange.declare', { exchange: 'x', arguments: { 'alternate-exchange': 1 } }),
  ],
  [
    'an alternate exchange that is not there',
    (a) => a.say(1, 'exchange.declare', { exchange: 'x', arguments: { 'alternate-exchange': 'nowhere' } }),
  ],
  [
    'an argument that means nothing',
    (a) => a.say(1, 'exchange.declare', { exchange: 'x', arguments: { colour: 'red' } }),
  ],
  ['without an answer', (a) => a.say(1, 'exchange.declare', { exchange: 'x', noWait: true })],
  [
    'without an answer, refused',
    (a) => a.say(1, 'exchange.declare', { exchange: 'x', type: 'x-nobody-knows', noWait: true }),
  ],
  ['a name with line ends', (a) => a.say(1, 'exchange.declare', { exchange: 'x\r\n', type: 'direct' })],
  [
    'bind of exchanges that are not there',
    (a) => a.say(1, 'exchange.bind', { source: 'nowhere', destination: 'neither' }),
  ],
  [
    'bind to an exchange that is not there',
    (a) => a.say(1, 'exchange.bind', { source: 'amq.direct', destination: 'nowhere' }),
  ],
  [
    'bind from an exchange that is not there',
    (a) => a.say(1, 'exchange.bind', { source: 'nowhere', destination: 'amq.direct' }),
  ],
  [
    'bind from the default exchange',
    (a) => a.say(1, 'exchange.bind', { source: '', destination: 'amq.direct', routingKey: 'k' }),
  ],
  [
    'bind to the default exchange',
    (a) => a.say(1, 'exchange.bind', { source: 'amq.direct', destination: '', routingKey: 'k' }),
  ],
  [
    'unbind of what is not there',
    (a) => a.say(1, 'exchange.unbind', { source: 'nowhere', destination: 'neither' }),
  ],
  [
    'unbind of what is not bound',
    (a) => a.say(1, 'exchange.unbind', { source: 'amq.direct', destination: 'amq.fanout' }),
  ],
  [
    'unbind from the default exchange',
    (a) => a.say(1, 'exchange.unbind', { source: '', destination: 'amq.direct' }),
  ],
  [
    'publish to an internal exchange',
    (a) => {
      a.say(1, 'exchange.declare', { exchange: 'x', internal: true })
      a.publish(1, { exchange: 'x', routingKey: 'k' })
    },
  ],
]

/** Declarations of one exchange, the second of which differs. */
const REDECLARED: readonly (readonly [what: string, first: object, second: object])[] = [
  ['the same', {}, {}],
  ['another type', { type: 'direct' }, { type: 'topic' }],
  ['another durability', { durable: true }, { durable: false }],
  ['another autoDelete', { autoDelete: false }, { autoDelete: true }],
  ['another internal', { internal: false }, { internal: true }],
  ['an alternate exchange more', {}, { arguments: { 'alternate-exchange': 'ae' } }],
  ['an alternate exchange less', { arguments: { 'alternate-exchange': 'ae' } }, {}],
  [
    'another alternate exchange',
    { arguments: { 'alternate-exchange': 'ae' } },
    { arguments: { 'alternate-exchange': 'be' } },
  ],
  ['an argument that means nothing', {}, { arguments: { colour: 'red' } }],
  [
    'passively, with all of it different',
    { type: 'direct' },
    { type: 'topic', durable: true, passive: true },
  ],
  ['passively, with a type that nobody knows', { type: 'direct' }, { type: 'x-nobody-knows', passive: true }],
  [
    'everything different',
    { type: 'direct' },
    { type: 'topic', durable: true, autoDelete: true, internal: true },
  ],
]

const MATCHES: readonly (readonly [title: string, binding: FieldTable, headers: FieldTable | undefined])[] = [
  ['all, with all of them', { 'x-match': 'all', a: 1, b: 'two' }, { a: 1, b: 'two', c: 3 }],
  ['all, with one missing', { 'x-match': 'all', a: 1, b: 'two' }, { a: 1 }],
  ['all where nothing is said', { a: 1, b: 'two' }, { a: 1 }],
  ['any, with one of them', { 'x-match': 'any', a: 1, b: 'two' }, { b: 'two' }],
  ['any, with none of them', { 'x-match': 'any', a: 1, b: 'two' }, { c: 3 }],
  ['all of nothing', { 'x-match': 'all' }, { a: 1 }],
  ['any of nothing', { 'x-match': 'any' }, { a: 1 }],
  ['no arguments at all', {}, undefined],
  ['any of nothing without headers', { 'x-match': 'any' }, undefined],
  ['a number that is a text', { a: 1 }, { a: '1' }],
  ['a number of another width', { a: 1 }, { a: 4_294_967_296n }],
  ['a number that is a fraction', { a: 1 }, { a: 1.5 }],
  ['true', { a: true }, { a: true }],
  ['presence alone', { a: null }, { a: 'whatever' }],
  ['presence alone, absent', { a: null }, { b: 1 }],
  ['null in a message', { a: 1 }, { a: null }],
  ['a key that begins with x-', { 'x-a': 1, b: 2 }, { b: 2 }],
  ['all-with-x, absent', { 'x-match': 'all-with-x', 'x-a': 1, b: 2 }, { b: 2 }],
  ['all-with-x', { 'x-match': 'all-with-x', 'x-a': 1, b: 2 }, { 'x-a': 1, b: 2 }],
  ['any-with-x', { 'x-match': 'any-with-x', 'x-a': 1, b: 2 }, { 'x-a': 1 }],
  ['any and a key that begins with x-', { 'x-match': 'any', 'x-a': 1, b: 2 }, { 'x-a': 1 }],
  ['tables', { a: { b: 1 } }, { a: { b: 1 } }],
  ['tables in another order', { a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }],
  ['arrays', { a: [1, 2] }, { a: [1, 2] }],
]

const TOPICS: readonly (readonly [pattern: string, key: string])[] = [
  ['a.b', 'a.b'],
  ['a.*', 'a.b'],
  ['a.*', 'a'],
  ['a.*', 'a.b.c'],
  ['*', 'a'],
  ['*', ''],
  ['#', ''],
  ['#', 'a.b.c'],
  ['a.#', 'a'],
  ['a.#', 'a.b.c'],
  ['#.c', 'c'],
  ['#.c', 'a.b.c'],
  ['#.b.#', 'a.b.c'],
  ['#.b.#', 'b'],
  ['*.#', ''],
  ['#.*', 'a'],
  ['#.#', 'a'],
  ['a..b', 'a..b'],
  ['a.*.b', 'a..b'],
  ['', ''],
  ['.', '.'],
  ['*.*', '.'],
  ['a*', 'ab'],
  ['#a', 'ba'],
  ['a.#.b.#.c', 'a.x.b.y.z.c'],
  ['a.#.b.#.c', 'a.x.c'],
  ['#.a.#.a.#', 'a.a'],
  ['#.a.#.a.#', 'a.b'],
  ['é.*', 'é.b'],
  ['A.b', 'a.b'],
]

export const exchanges = scriptGroup('exchanges', (script) => {
  for (const [title, say] of REFUSED) {
    script(`exchange.declare and its like: ${title}`, async (stage) => {
      const a = await stage.open()
      say(a)
      await stage.settle()
    })
  }
  for (const [what, first, second] of REDECLARED) {
    script(`an exchange declared again: ${what}`, async (stage) => {
      const a = await stage.open()
      await stage.do(a, 1, 'exchange.declare', { exchange: 'x', ...first })
      await stage.do(a, 1, 'exchange.declare', { exchange: 'x', ...second })
    })
  }
  script('delete if unused', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'x', routingKey: 'k' })
    await stage.do(a, 1, 'exchange.delete', { exchange: 'x', ifUnused: true })
    await stage.do(a, 1, 'channel.open')
    await stage.do(a, 1, 'queue.unbind', { queue: 'q', exchange: 'x', routingKey: 'k' })
    await stage.do(a, 1, 'exchange.delete', { exchange: 'x', ifUnused: true })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', passive: true })
  })
  script('delete without an answer', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x' })
    await stage.do(a, 1, 'exchange.delete', { exchange: 'x', noWait: true })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', passive: true })
  })
  script('an exchange that deletes itself', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', autoDelete: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'r', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'x' })
    await stage.do(a, 1, 'queue.bind', { queue: 'r', exchange: 'x' })
    await stage.do(a, 1, 'queue.unbind', { queue: 'q', exchange: 'x' })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', passive: true })
    await stage.do(a, 1, 'queue.delete', { queue: 'r' })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', passive: true })
  })
  script('exchanges that delete themselves in a chain', async (stage) => {
    const a = await stage.open()
    for (const exchange of ['x', 'y', 'z'])
      await stage.do(a, 1, 'exchange.declare', { exchange, type: 'fanout', autoDelete: true })
    await stage.do(a, 1, 'exchange.bind', { source: 'x', destination: 'y' })
    await stage.do(a, 1, 'exchange.bind', { source: 'y', destination: 'z' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'z' })
    await stage.publish(a, 1, { exchange: 'x', body: 'through' })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.do(a, 1, 'exchange.delete', { exchange: 'z' })
    for (const exchange of ['y', 'x']) {
      await stage.do(a, 1, 'exchange.declare', { exchange, passive: true })
      await stage.do(a, 1, 'channel.open')
    }
  })
  script('the same binding twice, unbound once', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (let i = 0; i < 2; i++)
      await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'amq.direct', routingKey: 'conf' })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'conf', body: 'once' })
    await stage.do(a, 1, 'queue.unbind', { queue: 'q', exchange: 'amq.direct', routingKey: 'conf' })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'conf', body: 'never', mandatory: true })
    for (let i = 0; i < 2; i++) await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('bindings that differ by their arguments alone', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    const binding = { queue: 'q', exchange: 'amq.direct', routingKey: 'conf' }
    await stage.do(a, 1, 'queue.bind', { ...binding, arguments: { n: 1 } })
    await stage.do(a, 1, 'queue.bind', { ...binding, arguments: { n: 2 } })
    await stage.do(a, 1, 'queue.unbind', { ...binding, arguments: { n: 1 } })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'conf', body: 'still', mandatory: true })
    await stage.do(a, 1, 'queue.unbind', { ...binding, arguments: { n: 2 } })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'conf', body: 'gone', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('a queue reached by two ways gets one copy', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', type: 'topic' })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'y', type: 'fanout' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'x', routingKey: '#' })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'x', routingKey: 'a.*' })
    await stage.do(a, 1, 'exchange.bind', { source: 'x', destination: 'y', routingKey: 'a.b' })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'y' })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'a.b', body: 'one' })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('exchanges bound in a circle', async (stage) => {
    const a = await stage.open()
    for (const exchange of ['x', 'y']) await stage.do(a, 1, 'exchange.declare', { exchange, type: 'fanout' })
    await stage.do(a, 1, 'exchange.bind', { source: 'x', destination: 'y' })
    await stage.do(a, 1, 'exchange.bind', { source: 'y', destination: 'x' })
    await stage.do(a, 1, 'exchange.bind', { source: 'x', destination: 'x' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'y' })
    await stage.publish(a, 1, { exchange: 'x', body: 'round', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('an internal exchange behind another', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', type: 'fanout' })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'y', type: 'fanout', internal: true })
    await stage.do(a, 1, 'exchange.bind', { source: 'x', destination: 'y' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'y' })
    await stage.publish(a, 1, { exchange: 'x', body: 'in' })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.publish(a, 1, { exchange: 'y', body: 'in' })
  })
  script('an alternate exchange', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'ae', type: 'fanout' })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', arguments: { 'alternate-exchange': 'ae' } })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'r', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'x', routingKey: 'k' })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'other', body: 'nobody yet', mandatory: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'r', exchange: 'ae' })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'k', body: 'matched', mandatory: true })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'other', body: 'unmatched', mandatory: true })
    for (const queue of ['q', 'q', 'r', 'r']) await stage.do(a, 1, 'basic.get', { queue, noAck: true })
    await stage.do(a, 1, 'exchange.delete', { exchange: 'ae' })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'other', body: 'ae is gone', mandatory: true })
  })
  script('the default exchange as an alternate', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', {
      exchange: 'x',
      type: 'fanout',
      arguments: { 'alternate-exchange': '' },
    })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'q', body: 'nowhere', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('an alternate exchange that is the exchange itself', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', arguments: { 'alternate-exchange': 'x' } })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'k', body: 'round', mandatory: true })
  })
  script('an alternate exchange behind a binding of exchanges', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'ae', type: 'fanout' })
    await stage.do(a, 1, 'exchange.declare', { exchange: 'y', arguments: { 'alternate-exchange': 'ae' } })
    await stage.do(a, 1, 'exchange.declare', {
      exchange: 'x',
      type: 'fanout',
      arguments: { 'alternate-exchange': 'ae' },
    })
    await stage.do(a, 1, 'exchange.bind', { source: 'x', destination: 'y' })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'ae' })
    await stage.publish(a, 1, { exchange: 'x', routingKey: 'k', body: 'unmatched behind', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('CC and BCC', async (stage) => {
    const a = await stage.open()
    for (const queue of ['q', 'r', 's']) await stage.do(a, 1, 'queue.declare', { queue, exclusive: true })
    const headers = { CC: ['r', 'nowhere'], BCC: ['s', 'q'], other: 1 }
    await stage.publish(a, 1, { routingKey: 'q', properties: { headers }, body: 'copies' })
    for (const queue of ['q', 'q', 'r', 's']) await stage.do(a, 1, 'basic.get', { queue, noAck: true })
    await stage.publish(a, 1, {
      routingKey: 'nowhere',
      properties: { headers: { BCC: ['s'] } },
      body: 'blind',
      mandatory: true,
    })
    await stage.do(a, 1, 'basic.get', { queue: 's', noAck: true })
    await stage.publish(a, 1, {
      routingKey: 'nowhere',
      properties: { headers: { CC: ['neither'], BCC: ['nobody'] } },
      body: 'x',
      mandatory: true,
    })
  })
  script('a fanout takes any key', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'amq.fanout', routingKey: 'ignored' })
    await stage.publish(a, 1, { exchange: 'amq.fanout', routingKey: 'whatever', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('an x-match that nobody knows', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', {
      queue: 'q',
      exchange: 'amq.headers',
      arguments: { 'x-match': 'some' },
    })
  })
  script('an x-match that is no text', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'amq.match', arguments: { 'x-match': 1 } })
  })
  for (const [title, binding, headers] of MATCHES) {
    script(`headers: ${title}`, async (stage) => {
      const a = await stage.open()
      await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
      await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'amq.headers', arguments: binding })
      await stage.publish(a, 1, {
        exchange: 'amq.headers',
        properties: { headers },
        body: 'x',
        mandatory: true,
      })
      await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    })
  }
  script('topics', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', type: 'topic' })
    for (const [pattern, key] of TOPICS) {
      await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
      await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'x', routingKey: pattern })
      await stage.publish(a, 1, { exchange: 'x', routingKey: key, body: `${key} for ${pattern}` })
      await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
      await stage.do(a, 1, 'queue.delete', { queue: 'q' })
    }
  })
  script('queue.bind and unbind at the default exchange', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: '', routingKey: 'k' })
    await stage.do(a, 2, 'queue.unbind', { queue: 'q', exchange: '', routingKey: 'q' })
  })
  script('queue.unbind of what is not there', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.unbind', { queue: 'q', exchange: 'amq.direct', routingKey: 'k' })
    await stage.do(a, 1, 'queue.unbind', { queue: 'q', exchange: 'nowhere', routingKey: 'k' })
    await stage.reopen(a)
    await stage.do(a, 1, 'queue.unbind', { queue: 'nowhere', exchange: 'amq.direct', routingKey: 'k' })
  })
  script('a name left out of bind is the queue declared last, and so is its key', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { exchange: 'amq.direct' })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'q', body: 'x', mandatory: true })
    await stage.do(a, 1, 'queue.unbind', { exchange: 'amq.direct' })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'q', body: 'x', mandatory: true })
    await stage.do(a, 1, 'queue.bind', { exchange: 'amq.direct', routingKey: 'k' })
    await stage.publish(a, 1, { exchange: 'amq.direct', routingKey: 'k', body: 'x', mandatory: true })
    await stage.do(a, 1, 'queue.purge')
    await stage.do(a, 1, 'queue.delete')
  })
})
