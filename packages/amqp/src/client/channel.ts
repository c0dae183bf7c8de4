import {
  ConfigurationError,
  UnsupportedFeatureError,
  withDeadline,
  type DeadlineOptions,
} from '@hermod/kernel'
import type { MethodArguments } from '../wire/generated/methods.ts'
import type { CallName, Reply } from './calls.ts'
import type { ChannelEnd, ChannelState } from './channel-options.ts'
import type { ConsumeOptions, MessageHandler, Subscription } from './consumer-subscription.ts'
import { Declarations } from './declarations.ts'
import { isPublishObserved, observePublish } from './diagnostics.ts'
import type { Message } from './message.ts'
import type { PublishOptions } from './publisher.ts'
import type { Topology } from './topology.ts'
import type { WireChannel } from './wire-channel.ts'

/** Brokers that end the connection of who asks them by channel.flow to stop delivering. */
const DELIVERING_ALWAYS: readonly string[] = ['RabbitMQ', 'Hermod']

/**
 * An AMQP channel: declarations, publishing with confirms, consuming with coalesced acks.
 *
 * The broker closes a channel over a single wrong operation. That operation rejects with {@link ChannelError}; the
 * channel then heals itself, unless `recover` is false.
 */
export class Channel extends Declarations {
  readonly #wire: WireChannel

  /** Channels come from `connection.openChannel()`. */
  constructor(wire: WireChannel) {
    super()
    this.#wire = wire
  }

  /** The number on the wire; another one each time the channel is opened again, 0 while it is not open. */
  get number(): number {
    return this.#wire.number
  }

  protected get recovers(): boolean {
    return this.#wire.recovers
  }

  protected get topology(): Topology {
    return this.#wire.host.topology
  }

  /** What the channel is doing now. */
  get state(): ChannelState {
    return this.#wire.state
  }

  /** Resolves, and never rejects, when the channel is over for good. */
  get closed(): Promise<ChannelEnd> {
    return this.#wire.closed
  }

  /** Messages written and not yet confirmed, and messages that wait to be written. */
  get pendingPublishes(): { readonly unconfirmed: number; readonly waiting: number } {
    const { unconfirmed, waiting } = this.#wire.publishing
    return { unconfirmed, waiting }
  }

  /**
   * Publishes a message. At least once, once the promise resolves: the broker has confirmed it (which says nothing
   * about whether a queue took it, unless `mandatory`).
   *
   * The body is the caller's until the promise settles, and is not to change before. A rejection that nobody awaits
   * does not end the process; it is counted and reported as `publish-failed`.
   *
   * @throws {MessageUndeliverableError} E_UNROUTABLE a mandatory message that no queue took.
   * @throws {MessageNackedError} E_NACKED the broker refused it.
   * @throws {PublishUncertainError} E_UNCERTAIN the connection broke before the confirm, and `resend` is false.
   * @throws {ChannelError} E_CHANNEL for example 404: there is no such exchange.
   * @source AMQP 0-9-1 §1.8.3.7; RabbitMQ publisher confirms
   */
  publish(exchange: string, routingKey: string, body: Uint8Array, options?: PublishOptions): Promise<void> {
    const published = this.#wire.publishing.publish(exchange, routingKey, body, options)
    if (isPublishObserved()) {
      const { connectionName: connection } = this.#wire.host
      const { properties = {} } = options ?? {}
      observePublish({ connection, exchange, routingKey, properties, bodyBytes: body.length }, published)
    }
    return published
  }

  /**
   * Consumes a queue: `handler` gets each message, which is to be settled (unless `noAck`). At least once: what is
   * not settled when the channel dies is delivered again.
   *
   * The consumer survives reconnects and, when the queue was deleted, waits for it to come back (declaring it anew if
   * this connection had declared it).
   *
   * @throws {ChannelError} E_CHANNEL 404: there is no such queue; 403: somebody consumes it exclusively.
   */
  async consume(queue: string, options: ConsumeOptions, handler: MessageHandler): Promise<Subscription> {
    const left = await this.#wire.whenReady(options)
    return this.#wire.consumers.start(queue, { ...options, ...left }, handler)
  }

  /** Takes one message out of a queue, if there is one. It is to be settled, unless `noAck`. */
  get(
    queue: string,
    options: DeadlineOptions & { readonly noAck?: boolean } = {},
  ): Promise<Message | undefined> {
    return this.#wire.get(queue, options.noAck === true, options)
  }

  /** Whether an exchange exists. Asked on a channel of its own, because a "no" closes the channel that asks. */
  exchangeExists(exchange: string, deadline: DeadlineOptions = {}): Promise<boolean> {
    return this.#wire.host.exchangeExists(exchange, deadline)
  }

  /** Messages that were delivered here and are not settled yet. */
  get unsettled(): number {
    return this.#wire.deliveries?.unsettled ?? 0
  }

  /**
   * Has the broker put back every message that this channel delivered and that is not settled, and deliver it anew:
   * to consumers of this channel or to others. Settling one of the old ones is stale from now on: it returns false.
   *
   * @source AMQP 0-9-1 §1.8.3.14 basic.recover, with requeue
   */
  async recover(options: DeadlineOptions = {}): Promise<void> {
    await this.#wire.recover(options)
  }

  /**
   * Commits what was published and settled since the last commit or rollback; the next transaction begins.
   *
   * @throws {TransactionError} E_TRANSACTION when the transaction was lost with its channel, or a message of it was
   *   refused: nothing of it was done, and the next one can begin. With `details.uncertain` there was no answer to the
   *   commit, and nobody knows whether it was done.
   * @throws {ConfigurationError} E_CONFIG on a channel that was not opened with `transactional`.
   * @source AMQP 0-9-1 §1.9 tx
   */
  async commit(options: DeadlineOptions = {}): Promise<void> {
    await this.#endTransaction('commit', options)
  }

  /**
   * Takes back what was published and settled since the last commit or rollback: the publishes reject with
   * TransactionError. Messages that were settled stay with this channel, unsettled for the broker, until
   * {@link recover} or the end of the channel puts them back. When it resolves, the next transaction can begin, also after
   * one that was lost with its channel.
   *
   * @throws {ConfigurationError} E_CONFIG on a channel that was not opened with `transactional`.
   */
  async rollback(options: DeadlineOptions = {}): Promise<void> {
    await this.#endTransaction('rollback', options)
    // After a loss there was nothing to roll back, but the next transaction needs a channel.
    await this.#wire.whenReady(options)
  }

  async #endTransaction(how: 'commit' | 'rollback', options: DeadlineOptions): Promise<void> {
    const wire = this.#wire
    const { transaction } = wire
    if (transaction === undefined) {
      throw new ConfigurationError(['the channel has no transactions: open it with `transactional: true`'])
    }
    options.signal?.throwIfAborted()
    // Not a turn later: what is published or settled next belongs to the next transaction.
    const now = wire.state === 'open' || transaction.lost
    const { signal, timeoutMs = wire.host.operationTimeoutMs } = options
    const left = now ? { signal, timeoutMs } : await wire.whenReady(options)
    await transaction.finish(
      how,
      (method) => wire.ask(method, {}),
      (work) => withDeadline(work, left, `tx.${how}`, wire.host.clock),
    )
  }

  /**
   * Asks the broker to stop (`false`) or to go on (`true`) delivering to this channel.
   *
   * @throws {UnsupportedFeatureError} E_UNSUPPORTED for `false` with RabbitMQ and with `@hermod/broker`, which would close the whole connection
   *   over it (540); a small `prefetchCount` is its way to hold deliveries back.
   * @source AMQP 0-9-1 §1.5.2.3 channel.flow
   */
  async flow(active: boolean, options: DeadlineOptions = {}): Promise<void> {
    const left = await this.#wire.whenReady(options)
    if (!active && DELIVERING_ALWAYS.includes(this.#wire.host.brokerProduct())) {
      throw new UnsupportedFeatureError(
        'this broker does not stop deliveries by channel.flow: consume with a small prefetchCount, or cancel the consumer',
      )
    }
    await this.call('channel.flow', { active }, left)
  }

  /** Cancels every consumer and resolves when all that they hold is settled. */
  async settle(options: DeadlineOptions = {}): Promise<void> {
    const work = async (): Promise<void> => {
      await this.#wire.consumers.cancelAll()
      await this.#wire.deliveries?.allSettled()
    }
    await withDeadline(work(), options, 'channel.settle', this.#wire.host.clock)
  }

  /** Resolves when every message published so far is confirmed or refused. In a transaction there is nothing to wait for. */
  async drain(options: DeadlineOptions = {}): Promise<void> {
    await withDeadline(this.#wire.publishing.idle(), options, 'channel.drain', this.#wire.host.clock)
  }

  /** Closes the channel; acks that were given leave before. Consumers end, unconfirmed publishes reject. */
  close(): Promise<void> {
    return this.#wire.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#wire.isOpen) await this.drain({ timeoutMs: this.#wire.host.operationTimeoutMs }).catch(() => {})
    await this.close()
  }

  call<Name extends CallName>(
    name: Name,
    args: MethodArguments[Name],
    deadline: DeadlineOptions = {},
  ): Promise<Reply<Name>> {
    return this.#wire.call(name, args, deadline)
  }
}
