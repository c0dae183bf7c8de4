import { createBroker, type Broker } from '@hermod/broker'
import { ManualClock } from '@hermod/testkit'
import { consumeFrom, exchangeNamed } from '../../packages/broker/test/session/session-fixture.ts'
import { FAN, QUEUES, type Act, type ModelCase, type Step } from './broker-model-case.ts'
import type { ModelChannel } from './broker-model-channel.ts'
import type { Letter } from './broker-model-letter.ts'
import { sendOperation, type Operation } from './broker-model-operation.ts'
import { ModelSession } from './broker-model-session.ts'
import { FENCE, ModelWire } from './broker-model-wire.ts'
import { World } from './broker-model-world.ts'

/** Plays a case to a broker and to the model, and holds them against each other after each step. */
export class ModelPlayer {
  readonly #case: ModelCase
  readonly #clock = new ManualClock()
  readonly #broker: Broker
  readonly #world: World
  readonly #session: ModelSession
  readonly #wire: ModelWire
  readonly #faults: unknown[] = []
  #lastId = 0
  #lastTag = 0

  constructor(modelCase: ModelCase) {
    this.#case = modelCase
    const { profile, queues } = modelCase
    const error = (details: unknown): void => void this.#faults.push(details)
    const logger = { debug() {}, info() {}, warn() {}, error }
    this.#broker = createBroker({ profile, clock: this.#clock, heartbeatSeconds: 0, logger })
    this.#wire = new ModelWire(this.#broker, modelCase.sockets)
    this.#world = new World(profile, queues, this.#clock.now())
    this.#session = new ModelSession(this.#world)
  }

  /** How often what happened. */
  get seen(): ReadonlyMap<string, number> {
    return this.#world.seen
  }

  /** Whether the whole case could be played: not where nobody could say what is right. @throws at a difference. */
  async play(): Promise<boolean> {
    try {
      await this.#wire.listen()
      return await this.#whileKnown(async () => {
        const before = this.#broker.stats().memoryBytes
        await this.#begin()
        for (const steps of this.#joined()) await this.#do(steps)
        await this.#drain()
        await this.#end(before)
      })
    } finally {
      for (const connection of this.#broker.connections()) connection.drop()
      await this.#broker.close()
    }
  }

  async #whileKnown(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
    } catch (error) {
      if (!this.#world.unknown) throw error
    }
    return !this.#world.unknown
  }

  async #hangUp(number: number, how: 'drop' | 'close'): Promise<void> {
    if (!this.#wire.numbers.includes(number)) return
    const channels = this.#wire.channelsOf(number)
    await this.#wire.hangUp(number, how)
    this.#session.endConnection(number, channels)
  }

  // ---------------------------------------------------------------- steps

  async #begin(): Promise<void> {
    const client = await this.#wire.client(0)
    client.send(FENCE, 'exchange.declare', exchangeNamed(FAN, 'fanout', { durable: true }))
    await client.expect('exchange.declare-ok')
    const channel = await this.#wire.channel(0, 1)
    await this.#say(
      channel,
      QUEUES.map((queue) => ({ do: 'declare', queue, spec: this.#spec(queue) })),
    )
  }

  /** Steps that leave in one write. */
  #joined(): readonly (readonly Step[])[] {
    const groups: Step[][] = []
    for (const step of this.#case.steps) {
      const last = groups.at(-1)
      const [first] = last ?? []
      const both = first !== undefined && isOperation(first.act) && isOperation(step.act)
      const fits = both && first.connection === step.connection && !LAST.has(last?.at(-1)?.act.do)
      if (step.joined && fits) last?.push(step)
      else groups.push([step])
    }
    return groups
  }

  async #do(steps: readonly Step[]): Promise<void> {
    const [{ act, connection, channel: number }] = steps as readonly [Step, ...Step[]]
    // No two steps are in one moment, whatever their messages' times to live.
    this.#clock.advance(act.do === 'wait' ? act.ms : 1)
    if (act.do === 'hang up') {
      await this.#wire.hearAll()
      this.#pass()
      await this.#hangUp(connection, act.how)
    } else if (act.do === 'consume twice') {
      await this.#consumeTwice(await this.#wire.channel(connection, number))
    } else {
      const said: { channel: ModelChannel; operation: Operation }[] = []
      for (const step of steps) {
        const channel =
          this.#withSomething(connection, step.act) ?? (await this.#wire.channel(connection, step.channel))
        for (const operation of this.#operations(channel, step.act)) said.push({ channel, operation })
      }
      await this.#sayAll(connection, said)
    }
    this.#check()
  }

  #pass(): void {
    this.#world.passTo(this.#clock.monotonicMs())
  }

  async #say(channel: ModelChannel, operations: readonly Operation[]): Promise<void> {
    await this.#sayAll(
      channel.connection,
      operations.map((operation) => ({ channel, operation })),
    )
  }

  async #sayAll(
    connection: number,
    said: readonly { readonly channel: ModelChannel; readonly operation: Operation }[],
  ): Promise<void> {
    const client = await this.#wire.client(connection)
    client.batch(() => {
      for (const { channel, operation } of said) {
        if (operation.do === 'confirm') channel.confirming = true
        if (operation.do === 'publish' && channel.confirming) channel.sent.push(operation.letter.id)
        sendOperation(client, channel.number, operation)
      }
    })
    await this.#wire.hear(connection)
    await this.#wire.hearAll()
    this.#pass()
    for (const { channel, operation } of said) this.#session.apply(channel, operation)
  }

  /** 530, which ends a connection. */
  async #consumeTwice(channel: ModelChannel): Promise<void> {
    const [consumer] = channel.consumers.values()
    const { connection } = channel
    if (consumer === undefined) return
    const client = await this.#wire.client(connection)
    await this.#wire.hearAll()
    this.#pass()
    if (!channel.consumers.has(consumer.tag)) return
    client.send(channel.number, 'basic.consume', consumeFrom(consumer.queue.name, consumer.tag))
    const code = await this.#wire.hear(connection)
    if (code !== 530) throw new Error(`a tag twice is ${code}`)
    await this.#hangUp(connection, 'drop')
  }

  #spec(queue: string): ModelCase['queues'][string] {
    return this.#case.queues[queue] as ModelCase['queues'][string]
  }

  /** For what needs something that a channel has: the first one that does. */
  #withSomething(connection: number, { do: name }: Act): ModelChannel | undefined {
    const channels = this.#wire.channelsOf(connection).filter(({ open }) => open)
    if (name === 'ack' || name === 'nack' || name === 'reject' || name === 'settle twice')
      return channels.find(({ unsettled }) => unsettled.length > 0)
    if (name === 'cancel') return channels.find(({ consumers }) => consumers.size > 0)
    if (name === 'commit' || name === 'rollback') return channels.find(({ mode }) => mode === 'tx')
    return undefined
  }

  /** What an act is for a channel as it is now. */
  #operations(channel: ModelChannel, act: Act): readonly Operation[] {
    const nth = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)]
    switch (act.do) {
      case 'publish':
        return Array.from({ length: act.count }, () => {
          const letter = this.#letter(act)
          return { do: 'publish', letter, mandatory: act.mandatory }
        })
      case 'consume': {
        const { kind, single } = this.#spec(act.queue)
        // A quorum queue closes the connection over a limit for the channel; several priorities are not for one.
        if (kind === 'quorum' && channel.limit > 0) return []
        return [{ ...act, tag: `c${++this.#lastTag}`, priority: single ? 0 : act.priority }]
      }
      case 'cancel': {
        const tag = nth([...channel.consumers.keys()], act.nth)
        return tag === undefined ? [] : [{ do: 'cancel', tag }]
      }
      case 'ack':
      case 'nack':
      case 'reject': {
        const tag = nth(channel.unsettled, act.nth)?.tag
        return tag === undefined ? [] : [{ ...act, tag }]
      }
      case 'commit':
      case 'rollback':
        if (channel.mode === 'confirm') return []
        return [channel.mode === 'tx' ? act : { do: 'tx' }]
      case 'settle twice': {
        const tag = channel.unsettled[0]?.tag ?? 1
        return [
          { do: 'ack', tag, multiple: false },
          { do: 'ack', tag, multiple: false },
        ]
      }
      case 'tx':
        return channel.mode === 'confirm' && this.#lastTag % 4 > 0 ? [] : [act]
      case 'confirm':
        return channel.mode === 'tx' && this.#lastTag % 4 > 0 ? [] : [act]
      case 'declare':
        return [{ ...act, spec: this.#spec(act.queue) }]
      case 'delete': {
        const conditions = this.#spec(act.queue).kind === 'quorum' ? { ifUnused: false, ifEmpty: false } : {}
        return [{ ...act, ...conditions }]
      }
      default:
        return isOperation(act) ? [act as Operation] : []
    }
  }

  #letter({ to, copy, priority, ttlMs, size }: Extract<Act, { do: 'publish' }>): Letter {
    const id = ++this.#lastId
    // Which messages of a quorum queue with priorities are first is not in this model.
    const ranked = this.#case.profile === 'rabbitmq-4.3' && Object.values(this.#case.queues).some(isQuorum)
    return {
      id,
      ...to,
      copies: copy === undefined ? [] : [copy],
      priority: ranked ? undefined : priority,
      ttlMs,
      body: size === 0 ? '' : `${id}`.padEnd(size, '.'),
      deaths: [],
      first: undefined,
      last: undefined,
    }
  }

  /** What the broker says of its queues, and what is left to explain. */
  #check(): void {
    if (this.#world.unknown) throw new Error('nobody knows')
    for (const number of this.#wire.numbers)
      for (const channel of this.#wire.channelsOf(number)) this.#session.checkHeard(channel)
    const facts = this.#broker.queues().map(({ name, ready, readyBytes, unsettled, consumers }) => {
      return { name, ready, readyBytes, unsettled, consumers }
    })
    const model = [...this.#world.queues.values()].map(({ name, ready, bytes, out, consumers }) => {
      return { name, ready: ready.length, readyBytes: bytes, unsettled: out, consumers: consumers.length }
    })
    const [said, due] = [facts, model].map((all) =>
      JSON.stringify(all.toSorted((a, b) => (a.name < b.name ? -1 : 1))),
    )
    if (said !== due) throw new Error(`the broker says\n${said}\nin place of\n${due}`)
    if (this.#faults.length > 0) throw new Error(`the broker has failed: ${JSON.stringify(this.#faults)}`)
  }

  // ---------------------------------------------------------------- the end

  /** Takes out of every queue what is there, in its order, and deletes it. */
  async #drain(): Promise<void> {
    for (const number of this.#wire.numbers) await this.#hangUp(number, 'drop')
    this.#check()
    for (const queue of this.#world.queues.values()) {
      const channel = await this.#wire.channel(0, 1)
      const operations: Operation[] = this.#world.getIsRefused(queue)
        ? [{ do: 'consume', queue: queue.name, tag: 'drain', noAck: true, exclusive: false, priority: 0 }]
        : Array.from({ length: queue.ready.length + 1 }, () => ({
            do: 'get',
            queue: queue.name,
            noAck: true,
          }))
      await this.#say(channel, operations)
      if (queue.ready.length > 0) throw new Error(`${queue.name} is not empty`)
      await this.#say(channel, [
        { do: 'delete', queue: queue.name, ifUnused: false, ifEmpty: false },
        { do: 'close' },
      ])
      this.#check()
    }
  }

  async #end(before: number): Promise<void> {
    await this.#hangUp(0, 'close')
    const { memoryBytes, channels, consumers, unsettled } = this.#broker.stats()
    const left = JSON.stringify({ memoryBytes: memoryBytes - before, channels, consumers, unsettled })
    if (left !== '{"memoryBytes":0,"channels":0,"consumers":0,"unsettled":0}')
      throw new Error(`left: ${left}`)
  }
}

const isQuorum = ({ kind }: { readonly kind: string }): boolean => kind === 'quorum'

/** Whether an act is said on a channel that lives on. */
function isOperation(act: Act): boolean {
  return act.do !== 'hang up' && act.do !== 'wait' && act.do !== 'consume twice'
}

/**
 * Behind its own farewell a client says nothing, and a limit for the channel decides what it may say. Behind what comes
 * back nothing else is to come back: the same message delivered twice over tells nobody who got it first.
 */
const LAST: ReadonlySet<Act['do'] | undefined> = new Set<Act['do']>([
  'close',
  'qos',
  'nack',
  'reject',
  'recover',
  'commit',
  'settle twice',
])
