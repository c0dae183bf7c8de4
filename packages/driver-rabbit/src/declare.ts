import { Exchange, type Channel, type Queue } from '@hermod/amqp'
import { Backoff, ChannelError, isHermodError, sleep, type Clock } from '@hermod/kernel'
import type { TopologySettings } from './rabbit-topology.ts'
import { transientQueueRefusal } from './transient-queue-refusal.ts'
import { isDurabilityConflict, otherExchange, otherQueue } from './other-durability.ts'

/** How something is declared. */
export interface DeclareOptions {
  /** Opens the channel of one attempt: a refusal costs it. */
  readonly openChannel: () => Promise<Channel>
  readonly settings: Pick<TopologySettings, 'durableQueues' | 'quorumQueues' | 'transientQuorumQueues'>
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
}

const NOT_FOUND = 404

/** An exchange that vanishes with its last binding can do so between its declaration and ours of a binding. */
const MOST_VANISHED = 10

/**
 * Declares an exchange, or a queue with its exchanges and bindings, however often the connection breaks meanwhile.
 *
 * What exists with the other durability is taken as it is. What vanished while we bound to it is declared again;
 * oslo.messaging deletes the queue then, whoever uses it and whatever it holds, which is not done here.
 *
 * @throws {ChannelError} E_CHANNEL when the broker refuses it for another reason.
 * @throws {ConfigurationError} E_CONFIG when the broker takes no queues that are neither durable nor exclusive.
 * @source oslo.messaging _drivers/impl_rabbit.py Consumer.declare
 */
export async function declareEntity(entity: Exchange | Queue, options: DeclareOptions): Promise<void> {
  const { signal, settings, clock } = options
  const backoff = new Backoff({ initialMs: 50, maxMs: 2_000 })
  let wanted = entity
  let vanished = 0
  for (;;) {
    try {
      await declareOnce(wanted, options)
      return
    } catch (error) {
      if (!isHermodError(error) || signal?.aborted === true) throw error
      const refusal = transientQueueRefusal(error, settings)
      if (refusal !== undefined) throw refusal
      if (isDurabilityConflict(error)) {
        if (wanted !== entity) throw error
        wanted = entity instanceof Exchange ? otherExchange(entity) : otherQueue(entity)
        continue
      }
      const again =
        error instanceof ChannelError
          ? error.replyCode === NOT_FOUND && ++vanished < MOST_VANISHED
          : error.retryable
      if (!again) throw error
    }
    await sleep(backoff.nextMs(), { signal }, clock)
  }
}

async function declareOnce(entity: Exchange | Queue, { openChannel, signal }: DeclareOptions): Promise<void> {
  const channel = await openChannel()
  try {
    await entity.declare(channel, { signal })
  } finally {
    await channel.close()
  }
}
