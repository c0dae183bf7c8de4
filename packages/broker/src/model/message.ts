import type { MessagePage } from './message-page.ts'

/** No keys beside the routing key. */
const NO_KEYS: readonly string[] = Object.freeze([])

/** What a message costs besides its bytes: the objects that stand for it here. An estimate, for the memory limit. */
const OBJECT_BYTES = 256
/** The same of one of its keys. */
const KEY_BYTES = 32

/**
 * A message, shared by all queues that hold it. Immutable but for where its bytes lie.
 *
 * Header and body are ranges of the chunks that they came in: no view is made for each message. A message that is
 * held for longer is moved to memory of its own, so that it does not pin what it came with.
 */
export class Message {
  /** Byte string. */
  readonly exchange: string
  /** Byte string. */
  readonly routingKey: string
  /** Byte strings of the headers CC and BCC. */
  extraKeys: readonly string[] = NO_KEYS
  readonly bodySize: number
  /** Holds the payload of the content header frame (class, weight, body size, flags, properties). */
  header: Buffer
  headerStart: number
  headerEnd: number
  /** Holds the first piece of the body. */
  body: Buffer
  bodyStart: number
  bodyEnd: number
  /** Further pieces of the body, whole buffers; `null` mostly. */
  more: readonly Buffer[] | null = null
  /** The property `priority`; -1 for none. Known once the message was admitted, like the next two. */
  priority = -1
  /** The property `expiration`, ms; -1 for none. */
  expirationMs = -1
  /** Where the table of headers begins, in {@link header} from {@link headerStart}; 0 for none. */
  tableOffset = 0
  /** Whether a dead-letter exchange has sent it on: its `x-death` is this broker's word, and not its publisher's. */
  hasDied = false
  /** How many queues hold it. */
  holders = 0
  /** Where it lies, if it was moved to a place that it shares. */
  page: MessagePage | null = null

  constructor(
    exchange: string,
    routingKey: string,
    bodySize: number,
    header: Buffer,
    headerStart: number,
    headerEnd: number,
  ) {
    this.exchange = exchange
    this.routingKey = routingKey
    this.bodySize = bodySize
    this.header = header
    this.headerStart = headerStart
    this.headerEnd = headerEnd
    this.body = header
    this.bodyStart = headerStart
    this.bodyEnd = headerStart
  }

  /** Gives it its body, before anybody else sees it. */
  setBody(first: Buffer, start: number, end: number, more: readonly Buffer[] | null): void {
    this.body = first
    this.bodyStart = start
    this.bodyEnd = end
    this.more = more
  }

  /** Header and body. */
  get contentBytes(): number {
    return this.headerEnd - this.headerStart + this.bodySize
  }

  /** What it costs while it is held. */
  get costBytes(): number {
    return this.contentBytes + this.routingKey.length + this.#extraKeyBytes + OBJECT_BYTES
  }

  get #extraKeyBytes(): number {
    if (this.extraKeys.length === 0) return 0
    return this.extraKeys.reduce((sum, key) => sum + key.length + KEY_BYTES, 0)
  }

  /** Copies header and body to this place, and forgets where they were. Returns where they end. */
  moveTo(target: Buffer, at: number): number {
    const headerEnd = at + this.header.copy(target, at, this.headerStart, this.headerEnd)
    let end = headerEnd + this.body.copy(target, headerEnd, this.bodyStart, this.bodyEnd)
    for (const piece of this.more ?? []) end += piece.copy(target, end)
    this.header = target
    this.headerStart = at
    this.headerEnd = headerEnd
    this.setBody(target, headerEnd, end, null)
    return end
  }

  /** The same body under another header, and perhaps another address. `header` is a whole buffer, not scanned yet. */
  with(header: Buffer, exchange: string = this.exchange, routingKey: string = this.routingKey): Message {
    const message = new Message(exchange, routingKey, this.bodySize, header, 0, header.length)
    message.setBody(this.body, this.bodyStart, this.bodyEnd, this.more)
    message.priority = this.priority
    message.extraKeys = this.extraKeys
    message.hasDied = this.hasDied
    return message
  }
}
