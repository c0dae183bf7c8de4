import type { MethodName } from '@hermod/amqp/wire'
import type { Frame } from '../../packages/broker/test/frame-client.ts'
import type { Held, ModelChannel, Settling } from './broker-model-channel.ts'
import { frameText, letterText, type Letter } from './broker-model-letter.ts'
import type { Operation } from './broker-model-operation.ts'
import type { Entry, ModelQueue } from './broker-model-queue.ts'
import type { Return, World } from './broker-model-world.ts'

type Doing<D extends Operation['do']> = Extract<Operation, { readonly do: D }>

/** The end of a channel, in the middle of what it was to do. */
class Refused extends Error {}

/** What operations mean: how they change the world, and what they are answered with. */
export class ModelSession {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** @throws where a channel was told something else. */
  apply(channel: ModelChannel, operation: Operation): void {
    this.#world.see(operation.do)
    if (!channel.open) {
      // What was on its way when the broker closed the channel is dropped, but for a farewell.
      if (operation.do === 'close') this.#answer(channel, 'channel.close-ok')
      return
    }
    this.#world.newMoment()
    // Who is about to have room had none until now.
    this.#world.noteRoom(channel)
    try {
      this.#apply(channel, operation)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.endChannel(channel)
    }
    this.#world.settle()
  }

  #apply(channel: ModelChannel, operation: Operation): void {
    switch (operation.do) {
      case 'publish':
        return this.#publish(channel, operation)
      case 'consume':
        return this.#consume(channel, operation)
      case 'cancel':
        return this.#cancel(channel, operation.tag)
      case 'get':
        return this.#get(channel, operation)
      case 'ack':
        return this.#settle(channel, 'ack', operation.tag, operation.multiple)
      case 'nack':
        return this.#settle(
          channel,
          operation.requeue ? 'nack' : 'discard',
          operation.tag,
          operation.multiple,
        )
      case 'reject':
        return this.#settle(channel, operation.requeue ? 'reject' : 'discard', operation.tag, false)
      case 'recover':
        this.#answer(channel, 'basic.recover-ok')
        return this.#giveBack(channel.unsettled.splice(0), 'recover')
      case 'qos':
        return this.#qos(channel, operation)
      case 'confirm':
        if (channel.mode === 'tx') throw this.#refuse(channel, 406)
        channel.mode = 'confirm'
        return void this.#answer(channel, 'confirm.select-ok')
      case 'tx':
        if (channel.mode === 'confirm') throw this.#refuse(channel, 406)
        channel.mode = 'tx'
        return void this.#answer(channel, 'tx.select-ok')
      case 'commit':
        return this.#commit(channel)
      case 'rollback':
        return this.#rollback(channel)
      case 'purge': {
        const queue = this.#queue(channel, operation.queue)
        this.#expectCount(this.#answer(channel, 'queue.purge-ok'), queue.ready.length)
        queue.ready = []
        return
      }
      case 'look': {
        const queue = this.#queue(channel, operation.queue)
        return this.#declared(channel, queue)
      }
      case 'delete':
        return this.#delete(channel, operation)
      case 'declare': {
        const known = this.#world.queues.get(operation.queue)
        const queue = known ?? this.#world.declare(operation.queue, channel.connection)
        if (known !== undefined) this.#queue(channel, operation.queue)
        this.#declared(channel, queue)
        if (operation.spec.bound) this.#answer(channel, 'queue.bind-ok')
        return
      }
      case 'close':
        this.#answer(channel, 'channel.close-ok')
        return this.endChannel(channel)
    }
  }

  // ---------------------------------------------------------------- answers

  /** The next answer on a channel, which must be this one. */
  #answer(channel: ModelChannel, name: MethodName): Frame {
    const frame = channel.replies.shift()
    if (frame?.name === name) return frame
    const came = frame === undefined ? 'nothing' : `${frame.name} ${JSON.stringify(frame.args)}`
    throw new Error(`on ${channel.label}: ${came} came in place of ${name}`)
  }

  /** The broker must close the channel. */
  #refuse(channel: ModelChannel, code: number): Refused {
    const { args } = this.#answer(channel, 'channel.close')
    this.#world.see(`closed by ${code}`)
    if (args['replyCode'] !== code)
      throw new Error(`on ${channel.label}: not ${code} but ${JSON.stringify(args)}`)
    return new Refused()
  }

  #expectCount({ name, args }: Frame, count: number): void {
    if (args['messageCount'] !== count) throw new Error(`${name}: not ${count} but ${JSON.stringify(args)}`)
  }

  /** @throws {Refused} 404 where it is missing, 405 where it is another connection's. */
  #queue(channel: ModelChannel, name: string): ModelQueue {
    const queue = this.#world.queues.get(name)
    if (queue === undefined) throw this.#refuse(channel, 404)
    if (queue.owner !== undefined && queue.owner !== channel.connection) throw this.#refuse(channel, 405)
    return queue
  }

  #declared(channel: ModelChannel, queue: ModelQueue): void {
    queue.idleSinceMs = this.#world.nowMs
    const answer = this.#answer(channel, 'queue.declare-ok')
    this.#expectCount(answer, queue.ready.length)
    if (answer.args['consumerCount'] !== queue.consumers.length)
      throw new Error(`${queue.name}: not ${queue.consumers.length} but ${JSON.stringify(answer.args)}`)
  }

  #delete(channel: ModelChannel, { queue: name, ifUnused, ifEmpty }: Doing<'delete'>): void {
    const there = this.#world.queues.has(name)
    const queue = there ? this.#queue(channel, name) : undefined
    const kept = queue && ((ifUnused && queue.consumers.length > 0) || (ifEmpty && queue.ready.length > 0))
    if (kept) throw this.#refuse(channel, 406)
    this.#expectCount(this.#answer(channel, 'queue.delete-ok'), queue?.ready.length ?? 0)
    if (queue !== undefined) this.#world.delete(queue)
  }

  // ---------------------------------------------------------------- publishing

  #publish(channel: ModelChannel, { letter, mandatory }: Doing<'publish'>): void {
    const queues = this.#world.route(letter)
    if (queues === undefined) throw this.#refuse(channel, 404)
    if (channel.mode === 'tx') {
      channel.publications.push({ letter, queues, mandatory })
      return
    }
    const outcome = this.#world.deliver(letter, queues)
    if (mandatory && outcome === 'unrouted') channel.expectedReturns.push(letter)
    if (channel.mode === 'confirm') channel.expectedConfirms.push(outcome === 'refused' ? 'nack' : 'ack')
  }

  #commit(channel: ModelChannel): void {
    if (channel.mode !== 'tx') throw this.#refuse(channel, 406)
    let refused = false
    for (const { letter, queues, mandatory } of channel.publications.splice(0)) {
      const outcome = this.#world.deliver(letter, queues)
      this.#world.see(`${outcome} at a commit`)
      if (mandatory && outcome === 'unrouted') channel.expectedReturns.push(letter)
      refused ||= outcome === 'refused'
    }
    while (channel.settlings.length > 0) {
      this.#world.noteRoom(channel)
      this.#applySettling(channel.settlings.shift() as Settling)
      this.#world.dispatchAll()
    }
    if (refused) throw this.#refuse(channel, 406)
    this.#answer(channel, 'tx.commit-ok')
  }

  #rollback(channel: ModelChannel): void {
    if (channel.mode !== 'tx') throw this.#refuse(channel, 406)
    channel.publications = []
    this.#restore(channel)
    this.#answer(channel, 'tx.rollback-ok')
  }

  #restore(channel: ModelChannel): void {
    channel.unsettled.push(...channel.settlings.splice(0).flatMap(({ held }) => held))
    channel.unsettled.sort((a, b) => a.tag - b.tag)
  }

  // ---------------------------------------------------------------- consuming

  #consume(channel: ModelChannel, operation: Doing<'consume'>): void {
    const queue = this.#queue(channel, operation.queue)
    const { kind, single } = queue.spec
    const exclusive = operation.exclusive && kind === 'classic'
    const taken = queue.consumers.some((consumer) => consumer.exclusive)
    if (taken || (exclusive && (single || queue.consumers.length > 0))) throw this.#refuse(channel, 403)
    this.#answer(channel, 'basic.consume-ok')
    this.#world.consume(queue, channel, { ...operation, exclusive })
  }

  #cancel(channel: ModelChannel, tag: string): void {
    this.#answer(channel, 'basic.cancel-ok')
    const consumer = channel.consumers.get(tag)
    if (consumer !== undefined) this.#world.cancel(consumer)
  }

  #get(channel: ModelChannel, { queue: name, noAck }: Doing<'get'>): void {
    const queue = this.#queue(channel, name)
    if (this.#world.getIsRefused(queue)) throw this.#refuse(channel, 405)
    queue.idleSinceMs = this.#world.nowMs
    const entry = this.#world.take(queue)
    if (entry === undefined) return void this.#answer(channel, 'basic.get-empty')
    const frame = this.#answer(channel, 'basic.get-ok')
    this.#expectLetter(channel, frame, this.#textOf(queue, entry))
    this.#expectCount(frame, queue.ready.length)
    if (noAck) return
    const tag = Number(frame.args['deliveryTag'])
    channel.unsettled.push({ tag, entry, queue, consumer: undefined })
    queue.out++
  }

  #textOf(queue: ModelQueue, entry: Entry): string {
    return letterText(entry.letter, entry.redelivered, this.#world.returnsOf(queue, entry, true))
  }

  #expectLetter(channel: ModelChannel, frame: Frame, expected: string): void {
    const came = frameText(frame)
    if (came !== expected)
      throw new Error(`on ${channel.label}: ${frame.name}\n${came}\nin place of\n${expected}`)
  }

  #qos(channel: ModelChannel, { count, global }: Doing<'qos'>): void {
    this.#answer(channel, 'basic.qos-ok')
    const forAll = global && this.#world.limitsChannels
    if (!forAll) channel.prefetch = count
    channel.limit = forAll ? count : 0
    this.#world.noteRoom(channel)
  }

  #settle(channel: ModelChannel, how: Settling['how'], tag: number, multiple: boolean): void {
    const all = multiple && tag === 0
    if (!all && !channel.unsettled.some((held) => held.tag === tag)) throw this.#refuse(channel, 406)
    const held = channel.unsettled.filter((one) => (multiple ? all || one.tag <= tag : one.tag === tag))
    channel.unsettled = channel.unsettled.filter((one) => !held.includes(one))
    if (channel.mode === 'tx') channel.settlings.push({ how, held })
    else this.#applySettling({ how, held })
  }

  #applySettling({ how, held }: Settling): void {
    // A dead letter is on its way for longer than what waits in the queue.
    if (how === 'discard') this.#world.dispatchAll()
    if (how === 'ack') for (const { queue } of held) queue.out--
    else if (how === 'discard') for (const { queue, entry } of held) this.#world.discard(queue, entry)
    else this.#giveBack(held, how)
  }

  #giveBack(held: readonly Held[], cause: Return): void {
    for (const queue of new Set(held.map((one) => one.queue))) {
      const own = held.filter((one) => one.queue === queue)
      this.#world.giveBack(
        queue,
        own.map(({ entry }) => entry),
        cause,
      )
    }
  }

  // ---------------------------------------------------------------- ends

  /** The channel is closed, whoever did it. */
  endChannel(channel: ModelChannel): void {
    channel.open = false
    channel.publications = []
    this.#restore(channel)
    this.#giveBack(channel.unsettled.splice(0), 'closed')
    for (const consumer of channel.consumers.values()) this.#world.cancel(consumer)
  }

  /** A connection is gone, and what it alone had with it. */
  endConnection(connection: number, channels: readonly ModelChannel[]): void {
    this.#world.newMoment()
    for (const channel of channels) channel.stopped = true
    for (const channel of channels) if (channel.open) this.endChannel(channel)
    for (const queue of this.#world.queues.values()) if (queue.owner === connection) this.#world.delete(queue)
    this.#world.settle()
  }

  /** Nothing may have come on a channel that was not to come, and nothing may be missing. */
  checkHeard(channel: ModelChannel): void {
    const { label, replies, deliveries, open } = channel
    const late = [...replies, ...[...deliveries.values()].flat()].map(
      ({ name, args, properties }) => `${name} ${JSON.stringify(args)} ${JSON.stringify(properties)}`,
    )
    if (late.length > 0) throw new Error(`on ${label}: nobody knows why these came:\n${late.join('\n')}`)
    this.#compare(channel, 'returns', channel.returns.splice(0).map(frameText), this.#returnTexts(channel))
    // A channel that is closed in the same moment need not be told any more.
    if (!open) return
    this.#compare(channel, 'confirms', channel.confirms, channel.expectedConfirms)
    this.#compare(
      channel,
      'cancels',
      channel.cancels.splice(0).toSorted(),
      [...channel.expectedCancels].toSorted(),
    )
    channel.expectedCancels.clear()
  }

  #returnTexts(channel: ModelChannel): readonly string[] {
    return channel.expectedReturns.splice(0).map((letter: Letter) => letterText(letter, undefined))
  }

  #compare(
    channel: ModelChannel,
    what: string,
    came: readonly unknown[],
    expected: readonly unknown[],
  ): void {
    const [seen, due] = [JSON.stringify(came), JSON.stringify(expected)]
    if (seen !== due) throw new Error(`on ${channel.label}: ${what}\n${seen}\nin place of\n${due}`)
  }
}
