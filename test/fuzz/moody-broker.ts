import type { BasicProperties } from '@hermod/amqp'
import {
  type BrokerLink,
  contentBytes,
  methodBytes,
  type Received,
  type ReceivedPublish,
  type ScriptedBroker,
  SILENT,
} from '@hermod/testkit'
import fc from 'fast-check'
import { METHOD_CODES, type MethodName } from '../../packages/amqp/src/wire/generated/methods.ts'
import { attack, named, type Attack } from './hostile-broker.ts'
import { basicProperties } from './wire-arbitraries.ts'

/** What a broker knows when it does something: where, and on which consumers and publishes. */
interface Moment {
  readonly link: BrokerLink
  readonly channel: number
  /** The consumers that were asked for on this link, with their channels. */
  readonly consumers: readonly { readonly channel: number; readonly tag: string }[]
  readonly publishes: readonly ReceivedPublish[]
  /** Counts up. */
  readonly tag: (channel: number) => number
}

/** Something that a broker does which it may do, or which has the right form at least. */
type Whim = (moment: Moment) => void

/** What a broker does when a method comes for the `nth` time: instead of its answer, before it, or after it. */
export interface Mood {
  readonly at: MethodName | 'publish'
  readonly nth: number
  readonly answers: 'before' | 'after' | 'never' | 'twice' | 'late'
  readonly whims: readonly Whim[]
}

const consumed = ({ consumers, channel }: Moment): { readonly channel: number; readonly tag: string } =>
  consumers.at(-1) ?? { channel, tag: 'hermod.1' }

const texts = fc.constantFrom('{"a":1}', '"x"', 'nonsense', '', '['.repeat(100), '{"__proto__":{"x":1}}')
const labels: fc.Arbitrary<BasicProperties> = fc.oneof(
  fc.constantFrom<BasicProperties[]>(
    {},
    { contentType: 'application/json' },
    { contentType: 'application/json', contentEncoding: 'utf-16' },
    { contentType: 'application/json', headers: { compression: 'application/x-gzip' } },
    { contentType: 'text/plain', replyTo: 'q', correlationId: 'c' },
  ),
  basicProperties,
)

const called = (name: string, act: Whim): Whim => named(name, act)

const delivery: fc.Arbitrary<Whim> = fc
  .tuple(texts, labels, fc.integer({ min: 1, max: 12 }), fc.boolean())
  .map(([body, properties, count, redelivered]) =>
    called(`${count} deliveries of ${body}, ${fc.stringify(properties)}`, (moment) => {
      const { channel, tag: consumerTag } = consumed(moment)
      for (let n = 0; n < count; n++) {
        const deliveryTag = moment.tag(channel)
        const args = { consumerTag, deliveryTag, redelivered, exchange: 'x', routingKey: 'k' }
        moment.link.raw(contentBytes(channel, 'basic.deliver', args, properties, body))
      }
    }),
  )

const got: fc.Arbitrary<Whim> = fc.tuple(texts, labels).map(([body, properties]) =>
  called(`get-ok with ${body}, ${fc.stringify(properties)}`, ({ link, channel, tag }) => {
    const args = { deliveryTag: tag(channel), redelivered: false, exchange: '', routingKey: 'q' }
    link.raw(contentBytes(channel, 'basic.get-ok', { ...args, messageCount: 1 }, properties, body))
  }),
)

const declared: fc.Arbitrary<Whim> = fc
  .constantFrom('q', 'other', '', '__proto__')
  .map((queue) =>
    called(`declare-ok of '${queue}'`, ({ link, channel }) =>
      link.send(channel, 'queue.declare-ok', { queue, messageCount: 0xffff_ffff, consumerCount: 0 }),
    ),
  )

const confirm: fc.Arbitrary<Whim> = fc
  .tuple(fc.integer({ min: 0, max: 20 }), fc.boolean(), fc.boolean())
  .map(([deliveryTag, multiple, acked]) =>
    called(`${acked ? 'ack' : 'nack'} of ${deliveryTag}, ${multiple}`, ({ link, publishes, channel }) => {
      const on = publishes.at(-1)?.channel ?? channel
      if (acked) link.send(on, 'basic.ack', { deliveryTag, multiple })
      else link.send(on, 'basic.nack', { deliveryTag, multiple, requeue: false })
    }),
  )

const giveBack: fc.Arbitrary<Whim> = fc.nat({ max: 20 }).map((which) =>
  called(`return of publish ${which}`, ({ link, publishes }) => {
    const publish = publishes[which % Math.max(1, publishes.length)]
    if (publish !== undefined) link.giveBack(publish)
  }),
)

const cancel: fc.Arbitrary<Whim> = fc.integer({ min: 1, max: 12 }).map((times) =>
  called(`${times} cancels`, (moment) => {
    const { channel, tag: consumerTag } = consumed(moment)
    for (let n = 0; n < times; n++) moment.link.send(channel, 'basic.cancel', { consumerTag, noWait: true })
  }),
)

const answer: fc.Arbitrary<Whim> = fc
  .constantFrom(
    'tx.commit-ok',
    'tx.rollback-ok',
    'tx.select-ok',
    'basic.recover-ok',
    'basic.qos-ok',
    'channel.open-ok',
    'channel.close-ok',
    'connection.update-secret-ok',
    'connection.unblocked',
    'basic.get-empty',
    'queue.bind-ok',
    'confirm.select-ok',
  )
  .map((name) =>
    called(name, ({ link, channel }) => link.send(name.startsWith('connection.') ? 0 : channel, name, {})),
  )

const flow: fc.Arbitrary<Whim> = fc
  .boolean()
  .map((active) =>
    called(`flow ${active}`, ({ link, channel }) => link.send(channel, 'channel.flow', { active })),
  )

const closeChannel: fc.Arbitrary<Whim> = fc
  .tuple(fc.constantFrom(403, 404, 405, 406, 541), fc.constantFrom(...Object.values(METHOD_CODES)))
  .map(([code, blamed]) => {
    const ids = [blamed >>> 16, blamed & 0xffff] as const
    const text = `NO - exchange 'x' in exclusive use`
    return called(`${code} for the channel over ${ids.join('.')}`, ({ link, channel }) =>
      link.closeChannel(channel, code, text, ...ids),
    )
  })

const closeConnection: fc.Arbitrary<Whim> = fc
  .constantFrom(320, 403, 501, 504, 530, 541)
  .map((code) => called(`${code} for the connection`, ({ link }) => link.closeConnection(code, 'FORCED')))

const rest: fc.Arbitrary<Whim> = fc.constantFrom(
  called('blocked', ({ link }) => link.send(0, 'connection.blocked', { reason: 'low on memory' })),
  called('reset', ({ link }) => link.drop()),
  called('end', ({ link }) => link.end()),
  called('silence', ({ link }) => void (link.mute = true)),
  called('stall', ({ link }) => void (link.stalled = true)),
)

const assault: fc.Arbitrary<Whim> = attack.map((one: Attack) =>
  called(`attack: ${fc.stringify(one)}`, ({ link, channel }) => link.raw(one(channel))),
)

const whim: fc.Arbitrary<Whim> = fc.oneof(
  { weight: 6, arbitrary: delivery },
  { weight: 3, arbitrary: confirm },
  { weight: 2, arbitrary: giveBack },
  { weight: 2, arbitrary: cancel },
  { weight: 2, arbitrary: answer },
  { weight: 1, arbitrary: got },
  { weight: 1, arbitrary: declared },
  { weight: 1, arbitrary: flow },
  { weight: 2, arbitrary: closeChannel },
  { weight: 1, arbitrary: closeConnection },
  { weight: 2, arbitrary: rest },
  { weight: 1, arbitrary: assault },
)

const ASKED = [
  'connection.start-ok',
  'connection.open',
  'connection.update-secret',
  'connection.close',
  'channel.open',
  'channel.close',
  'channel.close-ok',
  'channel.flow',
  'exchange.declare',
  'queue.declare',
  'queue.bind',
  'queue.purge',
  'basic.qos',
  'basic.consume',
  'basic.cancel',
  'basic.get',
  'basic.ack',
  'basic.reject',
  'basic.recover',
  'confirm.select',
  'tx.select',
  'tx.commit',
  'tx.rollback',
  'publish',
] as const

/** A broker has several. */
export const mood: fc.Arbitrary<Mood> = fc.record({
  at: fc.constantFrom(...ASKED),
  nth: fc.integer({ min: 0, max: 4 }),
  answers: fc.constantFrom('before', 'before', 'after', 'after', 'never', 'twice', 'late'),
  whims: fc.array(whim, { maxLength: 3 }),
})

/** Gives a broker its moods. */
export function applyMoods(broker: ScriptedBroker, moods: readonly Mood[]): void {
  const times = new Map<string, number>()
  const known = new WeakMap<
    BrokerLink,
    { consumers: { channel: number; tag: string }[]; tags: Map<number, number> }
  >()
  const ofLink = (link: BrokerLink) => {
    let found = known.get(link)
    if (found === undefined) known.set(link, (found = { consumers: [], tags: new Map() }))
    return found
  }
  const react = (at: Mood['at'], channel: number, link: BrokerLink, usual: () => void): unknown => {
    const time = times.get(at) ?? 0
    times.set(at, time + 1)
    const { consumers, tags } = ofLink(link)
    const moment: Moment = {
      link,
      channel,
      consumers,
      publishes: link.publishes,
      tag: (on) => {
        const next = (tags.get(on) ?? 0) + 1
        tags.set(on, next)
        return next
      },
    }
    const now = moods.filter((one) => one.at === at && one.nth === time)
    let silent = false
    for (const { whims, answers } of now) {
      if (answers === 'never' || answers === 'late') silent = true
      if (answers === 'twice') usual()
      if (answers === 'late') setTimeout(usual, 30)
      const act = (): void => {
        for (const one of whims) one(moment)
      }
      if (answers === 'before' || answers === 'never') act()
      else setImmediate(act)
    }
    return silent ? SILENT : undefined
  }
  for (const name of ASKED) {
    if (name === 'publish') continue
    broker.on(name, (received: Received, link) => {
      const { channel } = received
      if (received.name === 'channel.open') ofLink(link).tags.delete(channel)
      if (received.name === 'basic.consume')
        ofLink(link).consumers.push({ channel, tag: received.args.consumerTag })
      return react(name, channel, link, () => link.raw(usualAnswer(received)))
    })
  }
  broker.onPublish = (publish, link) =>
    react('publish', publish.channel, link, () => link.confirm(publish.channel, publish.tag))
}

/** The answer that a broker of good will gives, where it is one without arguments or with those of the question. */
function usualAnswer({ name, channel, args }: Received): Buffer {
  const on = name.startsWith('connection.') ? 0 : channel
  const reply = `${name}-ok` as MethodName
  switch (name) {
    case 'basic.get':
      return methodBytes(on, 'basic.get-empty', {})
    case 'queue.declare':
      return methodBytes(on, 'queue.declare-ok', { queue: args.queue, messageCount: 0, consumerCount: 0 })
    case 'queue.purge':
      return methodBytes(on, 'queue.purge-ok', { messageCount: 1 })
    case 'basic.consume':
    case 'basic.cancel':
      return methodBytes(on, reply, { consumerTag: args.consumerTag })
    case 'channel.flow':
      return methodBytes(on, 'channel.flow-ok', { active: args.active })
    default:
      return reply in METHOD_CODES ? methodBytes(on, reply, {}) : Buffer.alloc(0)
  }
}
