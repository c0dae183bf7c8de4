import { setImmediate as nextTurn } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import type { BasicProperties } from '@hermod/amqp'
import { isHermodError, systemClock, type Clock } from '@hermod/kernel'
import {
  type BrokerLink,
  contentBytes,
  frameBytes,
  methodBytes,
  ScriptedBroker,
  SILENT,
} from '@hermod/testkit'
import fc from 'fast-check'
import { beginFrame, endFrame } from '../../packages/amqp/src/wire/frame-encoder.ts'
import {
  METHOD_CODES,
  type MethodArguments,
  type MethodName,
} from '../../packages/amqp/src/wire/generated/methods.ts'
import { method } from './wire-arbitraries.ts'

/** The user and the password of every connection to a hostile broker; the password is to turn up nowhere. */
export const HOSTILE_URL = 'amqp://user:sesame-hunter2@broker'
export const PASSWORD = 'sesame-hunter2'

/** A clock on which all waits are over twenty times sooner: also those that no option shortens. */
export const hastyClock: Clock = {
  ...systemClock,
  after: (delayMs, callback, options) => systemClock.after(delayMs / 20, callback, options),
}

/** One frame with whatever payload. */
export function frameOf(type: number, channel: number, payload: Uint8Array): Buffer {
  return frameBytes((writer) => {
    const mark = beginFrame(writer, type, channel)
    writer.bytes(payload)
    endFrame(writer, mark)
  })
}

/** A content header that announces `bodyBytes`, with raw bytes for its properties. */
export function headerFrame(
  channel: number,
  bodyBytes: bigint,
  properties: Uint8Array = Buffer.alloc(2),
  classId = 60,
): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(classId)
  head.writeBigUInt64BE(bodyBytes, 4)
  return frameOf(2, channel, Buffer.concat([head, properties]))
}

/** The bytes of a table with so many tables inside each other. */
export function nestedTable(levels: number): Buffer {
  const bytes = Buffer.alloc(4 + levels * 7)
  bytes.writeUInt32BE(levels * 7)
  for (let level = 0; level < levels; level++) {
    const at = 4 + level * 7
    bytes.set([1, 0x6b, 0x46], at)
    bytes.writeUInt32BE((levels - level - 1) * 7, at + 3)
  }
  return bytes
}

const deliver = (consumerTag: string, deliveryTag: number): MethodArguments['basic.deliver'] => ({
  consumerTag,
  deliveryTag,
  redelivered: false,
  exchange: 'x',
  routingKey: 'k',
})

const returned: MethodArguments['basic.return'] = {
  replyCode: 312,
  replyText: 'NO_ROUTE',
  exchange: '',
  routingKey: 'q',
}

const closing = { replyCode: 406, replyText: 'a \u001b[2J text\n of \u0000 garbage', classId: 0, methodId: 0 }

/** Something that no broker of good will says, on a channel of the client's. */
export type Attack = (channel: number) => Buffer

/** Has counterexamples show a name in the place of a function's text. */
export function named<F extends (...args: never[]) => unknown>(name: string, act: F): F {
  return Object.assign(act, { [fc.toStringMethod]: () => name })
}

/** One of each kind. */
export const ATTACKS: { readonly [name: string]: Attack } = {
  'a confirm of a tag that was never sent': (c) =>
    methodBytes(c, 'basic.ack', { deliveryTag: 1e15, multiple: true }),
  'a confirm of everything, twice': (c) =>
    Buffer.concat(
      [1, 2].map(() => methodBytes(c, 'basic.ack', { deliveryTag: Number.MAX_SAFE_INTEGER, multiple: true })),
    ),
  'a refusal of tag 0': (c) =>
    methodBytes(c, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: true }),
  'a return of nothing': (c) => contentBytes(c, 'basic.return', returned, {}, 'nothing'),
  'a delivery for nobody': (c) => contentBytes(c, 'basic.deliver', deliver('nobody', 1), {}, '{}'),
  'a delivery tag out of order': (c) => contentBytes(c, 'basic.deliver', deliver('hermod.1', 1e14), {}, '{}'),
  'the same delivery tag twice': (c) =>
    Buffer.concat([1, 1].map((tag) => contentBytes(c, 'basic.deliver', deliver('hermod.1', tag), {}, '{}'))),
  'a message that nobody asked for': (c) =>
    contentBytes(
      c,
      'basic.get-ok',
      { deliveryTag: 1, redelivered: false, exchange: '', routingKey: '', messageCount: 0 },
      {},
      '{}',
    ),
  'a body longer than announced': (c) =>
    Buffer.concat([
      methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)),
      headerFrame(c, 3n),
      frameOf(3, c, Buffer.from('four')),
    ]),
  'a body without end': (c) =>
    Buffer.concat([
      methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)),
      headerFrame(c, 100_000_000n),
      frameOf(3, c, Buffer.from('four')),
    ]),
  'a body of 2^63 bytes': (c) =>
    Buffer.concat([methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)), headerFrame(c, 2n ** 63n)]),
  'a header without its method': (c) => headerFrame(c, 1n),
  'a body without its header': (c) => frameOf(3, c, Buffer.from('x')),
  'a method in the middle of a content': (c) =>
    Buffer.concat([
      methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)),
      methodBytes(c, 'basic.cancel', { consumerTag: 'hermod.1', noWait: true }),
    ]),
  'a header of another class': (c) =>
    Buffer.concat([
      methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)),
      headerFrame(c, 0n, Buffer.alloc(2), 50),
    ]),
  'garbage for properties': (c) =>
    Buffer.concat([
      methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)),
      headerFrame(c, 0n, Buffer.alloc(90, 0xff)),
    ]),
  'headers nested ten thousand deep': (c) =>
    Buffer.concat([
      methodBytes(c, 'basic.deliver', deliver('hermod.1', 1)),
      headerFrame(c, 0n, Buffer.concat([Buffer.from([0x20, 0]), nestedTable(10_000)])),
    ]),
  'a cancel of nobody': (c) => methodBytes(c, 'basic.cancel', { consumerTag: 'nobody', noWait: false }),
  'a hundred cancels of one consumer': (c) =>
    Buffer.concat(
      Array.from({ length: 100 }, () =>
        methodBytes(c, 'basic.cancel', { consumerTag: 'hermod.1', noWait: true }),
      ),
    ),
  'a channel.close': (c) => methodBytes(c, 'channel.close', closing),
  'a channel.close, three times': (c) =>
    Buffer.concat([0, 0, 0].map(() => methodBytes(c, 'channel.close', closing))),
  'a close of every channel there may be': () =>
    Buffer.concat(Array.from({ length: 2047 }, (_, n) => methodBytes(n + 1, 'channel.close', closing))),
  'a flow that stops and goes': (c) =>
    Buffer.concat(
      Array.from({ length: 100 }, (_, n) => methodBytes(c, 'channel.flow', { active: n % 2 === 1 })),
    ),
  'blocked and unblocked by turns': () =>
    Buffer.concat(
      Array.from({ length: 10 }, (_, n) =>
        n % 2 === 0
          ? methodBytes(0, 'connection.blocked', { reason: 'mood' })
          : methodBytes(0, 'connection.unblocked', {}),
      ),
    ),
  'a connection.close with garbage': () => methodBytes(0, 'connection.close', closing),
  'a close-ok that nobody waits for': () => methodBytes(0, 'connection.close-ok', {}),
  'an update-secret-ok that nobody waits for': () => methodBytes(0, 'connection.update-secret-ok', {}),
  'a recover-ok that nobody waits for': (c) => methodBytes(c, 'basic.recover-ok', {}),
  'the same consume-ok twice': (c) =>
    Buffer.concat([1, 2].map(() => methodBytes(c, 'basic.consume-ok', { consumerTag: 'hermod.1' }))),
  'a second open-ok': () => methodBytes(0, 'connection.open-ok', {}),
  'a second tune': () => methodBytes(0, 'connection.tune', { channelMax: 1, frameMax: 4096, heartbeat: 1 }),
  'a second start': () =>
    methodBytes(0, 'connection.start', {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: {},
      mechanisms: 'PLAIN',
      locales: 'en_US',
    }),
  'frames of channels that are not open': () =>
    Buffer.concat([
      methodBytes(999, 'queue.declare-ok', { queue: 'q', messageCount: 1, consumerCount: 1 }),
      headerFrame(998, 1n),
      frameOf(3, 997, Buffer.from('x')),
    ]),
  'content on channel 0': () => headerFrame(0, 1n),
  'a method of a client': (c) =>
    methodBytes(c, 'basic.publish', { exchange: '', routingKey: '', mandatory: false, immediate: false }),
  'a method that nobody knows': (c) => frameOf(1, c, Buffer.from([0, 99, 0, 99])),
  'a method cut short': (c) => frameOf(1, c, Buffer.from([0, 60])),
  'a frame of 4 GiB': (c) => Buffer.from([1, 0, c, 0xff, 0xff, 0xff, 0xff]),
  'a frame of an unknown type': (c) => frameOf(7, c, Buffer.alloc(3)),
  'a frame without its end': (c) => Buffer.from([1, 0, c, 0, 0, 0, 1, 0, 0]),
  'a heartbeat with a payload': () => frameOf(8, 0, Buffer.from('x')),
  'an answer to nothing': (c) => methodBytes(c, 'queue.bind-ok', {}),
  'the wrong answer': (c) => methodBytes(c, 'tx.commit-ok', {}),
  'text of another protocol': () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
}

/** Content frames with a number in them: a delivery tag, or the channel of a large body. */
export const NUMBERED = {
  delivery: (channel: number, deliveryTag: number): Buffer =>
    Buffer.concat([
      methodBytes(channel, 'basic.deliver', {
        consumerTag: 'hermod.1',
        deliveryTag,
        redelivered: false,
        exchange: '',
        routingKey: '',
      }),
      headerFrame(channel, 0n),
    ]),
  stranger: (channel: number, deliveryTag: number): Buffer =>
    Buffer.concat([
      methodBytes(channel, 'basic.deliver', {
        consumerTag: 'nobody',
        deliveryTag,
        redelivered: false,
        exchange: '',
        routingKey: '',
      }),
      headerFrame(channel, 0n),
    ]),
  announced: (channel: number): Buffer => headerFrame(channel, 100_000_000n),
}

const someMethod: fc.Arbitrary<Attack> = method.map(({ name, args }) =>
  named(`${name} ${fc.stringify(args)}`, (channel: number) =>
    methodBytes(
      name.startsWith('connection.') ? 0 : channel,
      name,
      args as unknown as MethodArguments[typeof name],
    ),
  ),
)

/** A whole frame around nonsense: the channel is right, and so is the method's code. */
const nonsense: fc.Arbitrary<Attack> = fc
  .tuple(
    fc.constantFrom(1, 1, 1, 2, 3),
    fc.constantFrom(...Object.values(METHOD_CODES)),
    fc.uint8Array({ maxLength: 60 }),
  )
  .map(([type, code, rest]) => (channel) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(code)
    return frameOf(type, channel, Buffer.concat([head, rest]))
  })

const attackByName = fc
  .constantFrom(...Object.entries(ATTACKS))
  .map(([name, one]) => named(name, (channel: number) => one(channel)))

const wellFormed: fc.Arbitrary<Attack> = fc.oneof(
  { weight: 4, arbitrary: attackByName },
  { weight: 2, arbitrary: someMethod },
  { weight: 1, arbitrary: nonsense },
)

const damaged: fc.Arbitrary<Attack> = fc
  .tuple(wellFormed, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 3 }))
  .map(([attack, at, octet, cut]) => (channel) => {
    const bytes = Buffer.from(attack(channel))
    if (bytes.length > 0) bytes[at % bytes.length] = octet
    return cut === 0 ? bytes.subarray(0, at % (bytes.length + 1)) : bytes
  })

/** Any attack, whole, damaged, or noise. */
export const attack: fc.Arbitrary<Attack> = fc.oneof(
  { weight: 5, arbitrary: wellFormed },
  { weight: 2, arbitrary: damaged },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => () => Buffer.from(bytes)) },
)

/** What a hostile broker does, and when. */
export interface Ambush {
  /** It strikes when this many methods have come. */
  readonly after: number
  readonly attacks: readonly Attack[]
  /** How it behaves from then on. */
  readonly afterwards: 'as before' | 'mute' | 'hang up' | 'reset' | 'stop reading'
  /** Whether the method that it waited for gets its answer before. */
  readonly answers: boolean
  /** Whether it is the same on each connection. */
  readonly always: boolean
}

export const ambush: fc.Arbitrary<Ambush> = fc.record({
  after: fc.integer({ min: 4, max: 22 }),
  attacks: fc.array(attack, { maxLength: 4 }),
  afterwards: fc.constantFrom(
    'as before',
    'as before',
    'as before',
    'mute',
    'hang up',
    'reset',
    'stop reading',
  ),
  answers: fc.boolean(),
  always: fc.boolean(),
})

/** A broker that behaves until its moment comes. */
export function ambushBroker({ after, attacks, afterwards, answers, always }: Ambush): ScriptedBroker {
  const broker = new ScriptedBroker()
  const strike = (link: BrokerLink, channel: number): void => {
    for (const one of attacks) link.raw(one(channel))
    if (afterwards === 'mute') link.mute = true
    if (afterwards === 'hang up') link.end()
    if (afterwards === 'reset') link.drop()
    if (afterwards === 'stop reading') link.stalled = true
  }
  for (const name of Object.keys(METHOD_CODES) as MethodName[]) {
    broker.on(name, ({ channel }, link) => {
      if (link.methods.length !== after || (!always && broker.links.length > 1)) return undefined
      if (answers) setImmediate(() => strike(link, channel))
      else strike(link, channel)
      return answers ? undefined : SILENT
    })
  }
  return broker
}

/** A broker that lets a tap in and then delivers what it is given. */
export class HostileTapBroker {
  readonly broker: ScriptedBroker = new ScriptedBroker()
  #consumerTag = ''
  #channel = 0
  #link: BrokerLink | undefined
  #tags = 0

  constructor() {
    this.broker.on('basic.consume', ({ channel, args }, link) =>
      this.consumes(channel, args.consumerTag, link),
    )
  }

  /** A consumer is there: what is delivered from now on goes to it. */
  consumes(channel: number, consumerTag: string, link: BrokerLink): void {
    this.#consumerTag = consumerTag
    this.#channel = channel
    this.#link = link
    this.#tags = 0
  }

  /** The channel of the tap's queue. */
  get channel(): number {
    return this.#channel
  }

  /** Delivers a message with these properties and this body. */
  deliver(
    body: string | Uint8Array,
    properties: BasicProperties = {},
    routingKey = 'notifications.info',
  ): void {
    const args = { ...deliver(this.#consumerTag, ++this.#tags), exchange: 'nova', routingKey }
    const link = this.#link as BrokerLink
    link.raw(contentBytes(this.#channel, 'basic.deliver', args, properties, body))
  }

  /** Delivers a message whose property list is these bytes. */
  deliverRaw(propertyList: Uint8Array, body: string): void {
    const args = {
      ...deliver(this.#consumerTag, ++this.#tags),
      exchange: 'nova',
      routingKey: 'notifications.info',
    }
    const bytes = Buffer.from(body)
    this.#link?.raw(
      Buffer.concat([
        methodBytes(this.#channel, 'basic.deliver', args),
        headerFrame(this.#channel, BigInt(bytes.length), propertyList),
        frameOf(3, this.#channel, bytes),
      ]),
    )
  }
}

/** What the process throws that nobody catches, gathered while `work` runs. */
export async function strayErrors(work: () => Promise<void>): Promise<readonly unknown[]> {
  const stray: unknown[] = []
  const note = (error: unknown): void => void stray.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  try {
    await work()
    // Rejections are reported at the end of a turn.
    await nextTurn()
    await nextTurn()
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note)
  }
  return stray
}

/** What a promise came to: `value`, or the code of an error of ours; any other rejection fails the test. */
export async function settledOurs(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'value'
  } catch (error) {
    if (!isHermodError(error)) throw error
    return error.code
  }
}

/** Bytes in use after everything unreachable is gone. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/**
 * A watch that gives how many milliseconds have passed since it was started, or how much of a processor this process
 * took meanwhile, where that is less: what the other processes of this machine take does not count, the garbage
 * collector does.
 */
export function startWatch(): () => number {
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return Math.min(performance.now() - startMs, (user + system) / 1000)
  }
}

/** The longest time by {@link startWatch} for which the event loop did not turn while `work` ran. */
export async function longestTurnMs(work: () => Promise<void>): Promise<number> {
  let longest = 0
  const state = { running: true }
  const watching = (async () => {
    while (state.running) {
      const watch = startWatch()
      await nextTurn()
      longest = Math.max(longest, watch())
    }
  })()
  await work().finally(() => (state.running = false))
  await watching
  return longest
}
