import { preconditionFailed, notImplemented } from '../amqp-error.ts'
import { REPLY_TO } from '../model/direct-replies.ts'
import type { Message } from '../model/message.ts'
import {
  FLAGS_OFFSET,
  rewriteProperties,
  scanProperties,
  shortStringAt,
} from '../model/message-properties.ts'
import type { PublishOutcome, Route } from '../model/virtual-host.ts'
import type { ByteStringReader } from './byte-string-codec.ts'
import type { ChannelParts } from './channel-host.ts'
import type { Confirms } from './confirms.ts'
import { ContentAssembly } from './content-assembly.ts'
import type { Consuming } from './consuming.ts'
import { writeContent } from './delivery-frames.ts'
import type { Transaction } from './transaction.ts'

/** ticket, two short strings, flags */
const LONGEST_PUBLISH = 2 + 256 + 256 + 1

/** The flag of `reply-to`, in the first byte of the flags. */
const REPLY_TO_FLAG = 0x02

const MANDATORY = 1
const IMMEDIATE = 2

/** The publishing half of a channel: from basic.publish to queues, returns and confirms. */
export class Publishing {
  readonly #parts: ChannelParts
  readonly #consuming: Consuming
  readonly #content: ContentAssembly
  /** The arguments of the last basic.publish as bytes: the next one nearly always has the same. */
  readonly #recent: Buffer = Buffer.alloc(LONGEST_PUBLISH)
  #recentBytes = -1
  #exchange = ''
  #routingKey = ''
  #flags = 0
  #state: 'idle' | 'header' | 'body' = 'idle'

  constructor(parts: ChannelParts, consuming: Consuming) {
    this.#parts = parts
    this.#consuming = consuming
    this.#content = new ContentAssembly(parts.host.profile.maxMessageBytes, (bytes) =>
      parts.host.holdUnderWay(bytes),
    )
  }

  /** What must come next: any method, or the content of one. */
  get awaits(): 'method' | 'header' | 'body' {
    return this.#state === 'idle' ? 'method' : this.#state
  }

  /** basic.publish; the reader stands behind the method id. */
  begin(reader: ByteStringReader): void {
    if (!this.#isRecent(reader)) {
      const { buffer, offset, end } = reader
      this.#recentBytes = -1
      reader.skip(2)
      this.#exchange = reader.shortString()
      this.#routingKey = reader.shortString()
      this.#flags = reader.uint8()
      reader.finish('basic.publish')
      this.#recentBytes = end - offset
      buffer.copy(this.#recent, 0, offset, end)
    }
    this.#state = 'header'
  }

  #isRecent({ buffer, offset, end }: ByteStringReader): boolean {
    const length = this.#recentBytes
    if (end - offset !== length) return false
    const recent = this.#recent
    for (let at = 0; at < length; at++) if (buffer[offset + at] !== recent[at]) return false
    return true
  }

  /** @returns the message when it is complete. */
  header(reader: ByteStringReader): Message | undefined {
    const message = this.#content.header(reader, this.#exchange, this.#routingKey)
    this.#state = message === undefined ? 'body' : 'idle'
    return message
  }

  /** @returns the message when it is complete. */
  body(bytes: Buffer, start: number, end: number): Message | undefined {
    const message = this.#content.body(bytes, start, end)
    if (message !== undefined) this.#state = 'idle'
    return message
  }

  /** Forgets a message of which only a part has come. */
  abandon(): void {
    this.#state = 'idle'
    this.#content.abandon()
  }

  /** A message is complete. */
  publish(message: Message, confirms: Confirms | undefined, transaction: Transaction | undefined): void {
    const { host } = this.#parts
    if ((this.#flags & IMMEDIATE) !== 0) throw notImplemented('immediate=true')
    const flags = message.header[message.headerStart + FLAGS_OFFSET] as number
    if ((flags & REPLY_TO_FLAG) !== 0) this.#nameReplies(message)
    const mandatory = (this.#flags & MANDATORY) !== 0
    host.virtualHost.admit(message, host.user)
    const route = host.virtualHost.route(message)
    if (transaction !== undefined) return transaction.publish(message, route, mandatory)
    const outcome = this.#deliver(message, route, mandatory)
    confirms?.settle(outcome === 'refused')
  }

  /** Puts a message of a transaction into its queues, which RabbitMQ knows by their names alone until the commit. */
  deliver(message: Message, route: Route, mandatory: boolean): PublishOutcome {
    const { virtualHost } = this.#parts.host
    const standing = route.some((queue) => queue.deleted) ? virtualHost.standing(route) : route
    return this.#deliver(message, standing, mandatory)
  }

  #deliver(message: Message, route: Route, mandatory: boolean): PublishOutcome {
    const { host, number } = this.#parts
    const { virtualHost, owner, taps } = host
    const outcome = virtualHost.deliver(message, route)
    if (mandatory && outcome === 'unrouted') this.#return(message)
    if (taps.active) {
      const { name } = virtualHost
      taps.published({ message, route, mandatory, outcome, owner, channel: number, virtualHost: name })
    }
    return outcome
  }

  /** Puts the name of this channel's replies in the place of the name that stands for it. */
  #nameReplies(message: Message): void {
    const { header, headerStart, headerEnd } = message
    // Most requests name a queue of their own, and this costs less than to read their properties.
    const found = header.indexOf(REPLY_TO, headerStart, 'latin1')
    if (found < 0 || found >= headerEnd) return
    const { host } = this.#parts
    const { replyTo } = scanProperties(message, host.tableLimits)
    if (shortStringAt(message, replyTo) !== REPLY_TO) return
    // A missing exchange is the first thing that RabbitMQ complains of.
    if (message.exchange !== '') host.virtualHost.checkExchange(message.exchange)
    const name = this.#consuming.replyName
    if (name === undefined) throw preconditionFailed('fast reply consumer does not exist')
    message.header = rewriteProperties(message, { replyTo: name })
    message.headerStart = 0
    message.headerEnd = message.header.length
  }

  #return(message: Message): void {
    const { host, number } = this.#parts
    const { exchange, routingKey } = message
    this.#parts.write('basic.return', { replyCode: 312, replyText: 'NO_ROUTE', exchange, routingKey })
    writeContent(host.output, number, host.frameMax, message)
    host.output.written()
  }
}
