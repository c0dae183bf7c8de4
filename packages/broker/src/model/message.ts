/**
 * A message, shared by all queues that hold it. Immutable but for where its bytes lie.
 *
 * Header and body are ranges of the chunks that they came in: no view is made for each message. A message that is
 * still held at the end of its turn is moved to memory of its own, so that it does not pin what it came with.
 */
export class Message {
  /** Byte string. */
  readonly exchange: string
  /** Byte string. */
  readonly routingKey: string
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
  more: readonly Buffer[] | null

  constructor(
    exchange: string,
    routingKey: string,
    header: Buffer,
    headerStart: number,
    headerEnd: number,
    bodySize: number,
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
    this.more = null
  }
}
