import type { FieldTable } from '@hermod/amqp'
import type { MethodArguments, MethodName } from '@hermod/amqp/wire'
import { sleep } from '@hermod/kernel'
import { eventually } from '@hermod/testkit'
import { FENCE_CHANNEL, FramePeer, type Declared, type Publish } from './frame-peer.ts'
import { Transcript } from './transcript.ts'

/** A queue's process answers some questions before what came before them; see {@link Stage.settle}. */
const FENCES = 3

/** How a script opens a connection. */
export interface OpenOptions {
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly virtualHost?: string | undefined
  readonly clientProperties?: FieldTable | undefined
  /** The channels that are open when the script begins; 1 where absent. */
  readonly channels?: readonly number[] | undefined
  readonly tune?: Partial<MethodArguments['connection.tune-ok']> | undefined
}

/** What current clients say that they can do. */
export const CAPABLE: FieldTable = {
  capabilities: {
    'basic.nack': true,
    'connection.blocked': true,
    authentication_failure_close: true,
    consumer_cancel_notify: true,
    publisher_confirms: true,
  },
}

/** PLAIN's response. */
export const plain = (user = 'guest', password = 'guest'): string => `\0${user}\0${password}`

/** One broker as one script meets it: its connections, and the transcript of what they said. */
export class Stage {
  readonly transcript: Transcript = new Transcript()
  readonly #port: number
  readonly #peers: FramePeer[] = []
  readonly #declared: Declared = { queues: new Set(), exchanges: new Set() }

  constructor(port: number) {
    this.#port = port
  }

  /** A connection on which nothing was said. Its name is the next letter. */
  dial(): FramePeer {
    const name = String.fromCharCode(97 + this.#peers.length)
    const peer = new FramePeer(name, this.#port, this.transcript, this.#declared)
    this.#peers.push(peer)
    return peer
  }

  /** A connection that is open, with its channels. */
  async open(options: OpenOptions = {}): Promise<FramePeer> {
    const {
      user,
      password,
      virtualHost = '/',
      clientProperties = CAPABLE,
      channels = [1],
      tune = {},
    } = options
    const peer = this.dial()
    peer.quiet = true
    peer.greet()
    await peer.heard(0, 'connection.start')
    const response = plain(user, password)
    peer.say(0, 'connection.start-ok', { clientProperties, mechanism: 'PLAIN', response, locale: 'en_US' })
    await peer.heard(0, 'connection.tune')
    peer.say(0, 'connection.tune-ok', tune)
    if (tune.frameMax !== undefined && tune.frameMax !== 0) peer.frameMax = tune.frameMax
    peer.say(0, 'connection.open', { virtualHost })
    await peer.heard(0, 'connection.open-ok')
    const most = tune.channelMax ?? 2047
    for (const channel of most < FENCE_CHANNEL ? channels : [FENCE_CHANNEL, ...channels]) {
      peer.say(channel, 'channel.open')
      await peer.heard(channel, 'channel.open-ok')
    }
    if (peer.ended || peer.closing) throw new TypeError(`the broker did not let ${peer.name} in`)
    peer.quiet = false
    peer.beginStep()
    return peer
  }

  /** Says one method, and ends the step. */
  async do<Name extends MethodName>(
    peer: FramePeer,
    channel: number,
    name: Name,
    given: Partial<MethodArguments[Name]> = {},
  ): Promise<void> {
    peer.say(channel, name, given)
    await this.settle()
  }

  /** Opens a channel again if the broker has closed it. */
  async reopen(peer: FramePeer, channel = 1): Promise<void> {
    if (!peer.isLive(channel) && !peer.ended) await this.do(peer, channel, 'channel.open')
  }

  /** Publishes one message, and ends the step. */
  async publish(peer: FramePeer, channel: number, publish: Publish): Promise<void> {
    peer.publish(channel, publish)
    await this.settle()
  }

  /** Says methods in one write after the other, waits until `count` of `name` have come, and ends the step. */
  async until(peer: FramePeer, channel: number, name: MethodName, count = 1): Promise<void> {
    await peer.heard(channel, name, count)
    await this.settle()
  }

  /** Waits until `count` publishes were confirmed, and ends the step. */
  async confirmed(peer: FramePeer, channel: number, count = 1): Promise<void> {
    await peer.confirmed(channel, count)
    await this.settle()
  }

  /** Waits until the broker has hung up, and ends the step. */
  async hungUp(peer: FramePeer): Promise<void> {
    await peer.hungUp()
    await this.settle()
  }

  /** Ends a step that one queue of one connection was asked in; it is asked thrice whether it is done. */
  async settleQueue(peer: FramePeer, queue: string): Promise<void> {
    for (let round = 0; round < FENCES; round++) await peer.ask(queue)
    await this.settle()
  }

  /** Lets time pass, where time is what a script is about. */
  async pause(ms: number): Promise<void> {
    await sleep(ms)
    await this.settle()
  }

  /**
   * Ends a step: all that the broker says to what was said is in the transcript.
   *
   * Every channel is asked for an answer, three times over: RabbitMQ hands a message through three processes, and
   * what takes longer than their answers (disks, timers) a script waits for by name.
   */
  async settle(): Promise<void> {
    for (let round = 0; round < FENCES; round++) {
      for (const peer of this.#peers) await peer.fence()
    }
    for (const peer of this.#peers) if (peer.closing) await peer.hungUp()
    this.transcript.endStep()
    for (const peer of this.#peers) peer.beginStep()
  }

  /** Ends the connections of a script and deletes what it may have left. */
  async clear(): Promise<void> {
    for (const peer of this.#peers) peer.discard()
    const janitor = new Stage(this.#port)
    const { queues, exchanges } = this.#declared
    for (const queue of queues) await eventually(() => janitor.#removed('queue.delete', { queue }))
    for (const exchange of exchanges)
      await eventually(() => janitor.#removed('exchange.delete', { exchange }))
    for (const peer of janitor.#peers) peer.discard()
  }

  /** Whether a queue or an exchange could be deleted; an exclusive queue on its way out cannot. */
  async #removed<Name extends 'queue.delete' | 'exchange.delete'>(
    name: Name,
    args: Partial<MethodArguments[Name]>,
  ): Promise<boolean> {
    if (Object.values(args).some((value) => value === '' || String(value).startsWith('amq.'))) return true
    const peer = this.#peers.at(-1) ?? (await this.open({ channels: [] }))
    peer.quiet = true
    peer.beginStep()
    peer.say(1, 'channel.open')
    await peer.heard(1, 'channel.open-ok')
    peer.say(1, name, args)
    await peer.heard(1, `${name}-ok`)
    if (peer.count(1, `${name}-ok`) === 0) return false
    peer.say(1, 'channel.close')
    await peer.heard(1, 'channel.close-ok')
    return true
  }
}
