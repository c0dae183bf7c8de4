import { ClassicQueue, type QueueIdentity } from './classic-queue.ts'
import type { Field } from './field.ts'
import { headersOf, withProperties } from './message-properties.ts'
import type { Message } from './message.ts'
import type { QueueConsumer, ReturnCause } from './queue.ts'
import { refuseGlobalPrefetch, type QueueSettings, type QueueType } from './queue-arguments.ts'
import type { QueueHost } from './queue-host.ts'
import type { QueuedMessage } from './queued-message.ts'

/**
 * A quorum queue as its clients see it, on one node: what is given back is counted, comes again behind what was given
 * back before, carries the count in `x-delivery-count`, and dies when it came back too often.
 *
 * @source rabbit_quorum_queue, rabbit_fifo
 */
export class QuorumQueue extends ClassicQueue {
  override readonly type: QueueType = 'quorum'

  constructor(host: QueueHost, identity: QueueIdentity, settings: QueueSettings) {
    super(host, identity, settings, 'last', host.profile.activeByPriority ? 'highest-at-once' : 'first')
  }

  override consume(consumer: QueueConsumer): void {
    refuseGlobalPrefetch(this.resource, consumer)
    super.consume(consumer)
  }

  /** What is got says so from the start, unlike what a consumer gets, in RabbitMQ before 4.0. */
  override get(noAck: boolean): QueuedMessage | undefined {
    const queued = super.get(noAck)
    if (queued === undefined || (queued.returns === 0 && !this.host.profile.getSaysZero)) return queued
    if (noAck) queued.message = this.#counted(queued)
    else this.#note(queued)
    return queued
  }

  protected override get refusesGet(): boolean {
    return true
  }

  protected override takesBack(queued: QueuedMessage, cause: ReturnCause): boolean {
    if (cause === 'nack' && !this.host.profile.nackCounts) return true
    queued.returns++
    if (queued.returns > this.settings.deliveryLimit) {
      this.bury(queued)
      return false
    }
    return true
  }

  /** The count is written when somebody is there to read it: much may be given back at once. */
  protected override redelivering(queued: QueuedMessage): void {
    if (queued.returns > 0) this.#note(queued)
  }

  /** Puts the count into the message. */
  #note(queued: QueuedMessage): void {
    const counted = this.#counted(queued)
    this.host.hold(counted)
    this.host.release(queued.message)
    queued.message = counted
  }

  #counted({ message, returns }: QueuedMessage): Message {
    const count: Field = { type: 'long', value: returns }
    const headers = new Map(headersOf(message)).set('x-delivery-count', count)
    return withProperties(message, { headers })
  }
}
