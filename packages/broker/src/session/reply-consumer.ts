import type { Message } from '../model/message.ts'
import type { ReplyTarget } from '../model/virtual-host.ts'
import type { ChannelParts } from './channel-host.ts'
import { DeliveryFrames } from './delivery-frames.ts'

/**
 * The consumer of direct replies: what is published under its name goes to the client at once, through no queue.
 *
 * @source rabbit_channel: a reply carries the tag that the next delivery will have, and does not use it up.
 */
export class ReplyConsumer implements ReplyTarget {
  readonly tag: string
  /** Unguessable; whoever knows it may answer. */
  readonly name: string
  readonly #parts: ChannelParts
  readonly #nextTag: () => number
  readonly #frames: DeliveryFrames

  constructor(parts: ChannelParts, tag: string, nextTag: () => number) {
    const { host, number } = parts
    this.#parts = parts
    this.tag = tag
    this.#nextTag = nextTag
    this.#frames = new DeliveryFrames(host.output, number, host.frameMax, tag)
    this.name = host.virtualHost.openReplies(this)
  }

  /** There is no queue to wait in: what a client does not read is lost, as it is when the client is gone. */
  deliver(message: Message): void {
    if (!this.#parts.host.output.full) this.#frames.write(message, this.#nextTag(), false)
  }

  close(): void {
    this.#parts.host.virtualHost.closeReplies(this.name)
  }
}
