import type { DeadlineOptions } from '@hermod/kernel'
import type { MethodArguments } from '../wire/generated/methods.ts'
import type { CallName, Reply } from './calls.ts'
import type { QueueStatus } from './channel-host.ts'
import type { BindOptions, ExchangeOptions, QueueOptions } from './declaration-options.ts'
import type { Topology } from './topology.ts'

/**
 * What a channel can declare, bind and delete. What is declared on a channel that recovers is recorded, to be
 * declared again after a reconnect.
 */
export abstract class Declarations {
  protected abstract get recovers(): boolean
  protected abstract get topology(): Topology

  /**
   * Sends a method and waits for its answer; while the connection is away it waits for the next one first. The typed
   * methods of a channel are made of this.
   */
  abstract call<Name extends CallName>(
    name: Name,
    args: MethodArguments[Name],
    deadline?: DeadlineOptions,
  ): Promise<Reply<Name>>

  /** Declares an exchange; it is declared again after a reconnect. @throws {ChannelError} 406 when it exists otherwise. */
  async declareExchange(exchange: string, type: string, options: ExchangeOptions = {}): Promise<void> {
    const { durable = true, autoDelete = false, internal = false } = options
    const args = { exchange, type, durable, autoDelete, internal, arguments: options.arguments ?? {} }
    await this.call('exchange.declare', { ...args, passive: false, noWait: false }, options)
    if (this.recovers) this.topology.exchangeDeclared(args)
  }

  /** Deletes an exchange; a missing one is no error. */
  async deleteExchange(
    exchange: string,
    options: DeadlineOptions & { readonly ifUnused?: boolean } = {},
  ): Promise<void> {
    await this.call(
      'exchange.delete',
      { exchange, ifUnused: options.ifUnused === true, noWait: false },
      options,
    )
    this.topology.exchangeDeleted(exchange)
  }

  /** Makes what `source` gets for `routingKey` go to the exchange `destination` too. */
  async bindExchange(
    destination: string,
    source: string,
    routingKey: string,
    options: BindOptions = {},
  ): Promise<void> {
    const args = { destination, source, routingKey, arguments: options.arguments ?? {} }
    await this.call('exchange.bind', { ...args, noWait: false }, options)
    if (this.recovers) this.topology.bound({ kind: 'exchange-binding', args })
  }

  /** Undoes {@link bindExchange}; a missing binding is no error. */
  async unbindExchange(
    destination: string,
    source: string,
    routingKey: string,
    options: BindOptions = {},
  ): Promise<void> {
    const args = { destination, source, routingKey, arguments: options.arguments ?? {} }
    await this.call('exchange.unbind', { ...args, noWait: false }, options)
    this.topology.unbound({ kind: 'exchange-binding', args })
  }

  /**
   * Declares a queue; it is declared again after a reconnect. The empty name lets the broker choose one.
   * @throws {ChannelError} 406 when it exists otherwise, 405 when another connection owns it.
   */
  async declareQueue(queue: string, options: QueueOptions = {}): Promise<QueueStatus> {
    const { durable = true, exclusive = false, autoDelete = false } = options
    const args = { queue, durable, exclusive, autoDelete, arguments: options.arguments ?? {} }
    const { args: status } = await this.call(
      'queue.declare',
      { ...args, passive: false, noWait: false },
      options,
    )
    if (this.recovers) this.topology.queueDeclared(status.queue, args)
    return status
  }

  /** Deletes a queue with its messages; a missing one is no error. @returns how many messages went with it. */
  async deleteQueue(
    queue: string,
    options: DeadlineOptions & { readonly ifUnused?: boolean; readonly ifEmpty?: boolean } = {},
  ): Promise<number> {
    const { ifUnused = false, ifEmpty = false } = options
    const name = this.topology.currentName(queue)
    const method = { queue: name, ifUnused, ifEmpty, noWait: false }
    const { args } = await this.call('queue.delete', method, options)
    this.topology.queueDeleted(name)
    return args.messageCount
  }

  /** Removes the waiting messages of a queue. @returns how many there were. */
  async purgeQueue(queue: string, options: DeadlineOptions = {}): Promise<number> {
    const { args } = await this.call(
      'queue.purge',
      { queue: this.topology.currentName(queue), noWait: false },
      options,
    )
    return args.messageCount
  }

  /** Makes what `exchange` gets for `routingKey` go to `queue`; bound again after a reconnect. */
  async bindQueue(
    queue: string,
    exchange: string,
    routingKey: string,
    options: BindOptions = {},
  ): Promise<void> {
    const args = {
      queue: this.topology.currentName(queue),
      exchange,
      routingKey,
      arguments: options.arguments ?? {},
    }
    await this.call('queue.bind', { ...args, noWait: false }, options)
    if (this.recovers) this.topology.bound({ kind: 'queue-binding', args })
  }

  /** Undoes {@link bindQueue}; a missing binding is no error. */
  async unbindQueue(
    queue: string,
    exchange: string,
    routingKey: string,
    options: BindOptions = {},
  ): Promise<void> {
    const args = {
      queue: this.topology.currentName(queue),
      exchange,
      routingKey,
      arguments: options.arguments ?? {},
    }
    await this.call('queue.unbind', args, options)
    this.topology.unbound({ kind: 'queue-binding', args })
  }
}
