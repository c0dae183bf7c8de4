import type { MethodArguments } from '../wire/generated/methods.ts'

/** The arguments of a declaration, without what only the moment of asking decides. */
export type ExchangeDeclaration = Omit<MethodArguments['exchange.declare'], 'passive' | 'noWait'>
export type QueueDeclaration = Omit<MethodArguments['queue.declare'], 'passive' | 'noWait'>
type QueueBinding = Omit<MethodArguments['queue.bind'], 'noWait'>
type ExchangeBinding = Omit<MethodArguments['exchange.bind'], 'noWait'>

/** One thing to declare again. */
export type Declaration =
  | { readonly kind: 'exchange'; readonly args: ExchangeDeclaration }
  | { readonly kind: 'queue'; readonly args: QueueDeclaration; readonly serverNamed: boolean }
  | { readonly kind: 'exchange-binding'; readonly args: ExchangeBinding }
  | { readonly kind: 'queue-binding'; readonly args: QueueBinding }

type BindingDeclaration = Declaration & { readonly kind: 'queue-binding' | 'exchange-binding' }

/**
 * What this connection declared, to be declared again after a reconnect in an order that always works: exchanges,
 * queues, bindings.
 */
export class Topology {
  readonly #exchanges = new Map<string, Declaration & { readonly kind: 'exchange' }>()
  readonly #queues = new Map<string, Declaration & { readonly kind: 'queue' }>()
  readonly #bindings = new Map<string, BindingDeclaration>()
  /** How many consumers of this connection each queue has. */
  readonly #consumers = new Map<string, number>()
  /** Names that the broker had given and gave anew: old to current. */
  readonly #renamed = new Map<string, string>()

  exchangeDeclared(args: ExchangeDeclaration): void {
    if (args.exchange !== '') this.#exchanges.set(args.exchange, { kind: 'exchange', args })
  }

  exchangeDeleted(exchange: string): void {
    this.#exchanges.delete(exchange)
    this.#dropBindings((binding) =>
      binding.kind === 'queue-binding'
        ? binding.args.exchange === exchange
        : binding.args.source === exchange || binding.args.destination === exchange,
    )
  }

  /** @param name the queue's name, also where the broker chose it. */
  queueDeclared(name: string, args: QueueDeclaration): void {
    this.#queues.set(name, { kind: 'queue', args, serverNamed: args.queue === '' })
  }

  queueDeleted(queue: string): void {
    this.#queues.delete(queue)
    this.#dropBindings((binding) => binding.kind === 'queue-binding' && binding.args.queue === queue)
  }

  bound(binding: BindingDeclaration): void {
    this.#bindings.set(bindingKey(binding), binding)
  }

  unbound(binding: BindingDeclaration): void {
    const key = bindingKey(binding)
    this.#dropBindings((candidate) => bindingKey(candidate) === key)
  }

  /** It is not declared again. */
  forget(item: Declaration): void {
    if (item.kind === 'exchange') this.exchangeDeleted(item.args.exchange)
    else if (item.kind !== 'queue') this.unbound(item)
    else for (const [name, queue] of this.#queues) if (queue === item) this.queueDeleted(name)
  }

  consumerStarted(queue: string): void {
    const name = this.currentName(queue)
    this.#consumers.set(name, (this.#consumers.get(name) ?? 0) + 1)
  }

  /** An auto-delete queue goes with its last consumer; to declare it again after a reconnect would leave it behind. */
  consumerEnded(queue: string): void {
    const name = this.currentName(queue)
    const left = (this.#consumers.get(name) ?? 0) - 1
    if (left > 0) return void this.#consumers.set(name, left)
    this.#consumers.delete(name)
    if (left === 0 && this.#queues.get(name)?.args.autoDelete === true) this.queueDeleted(name)
  }

  /** Whether this connection declared the queue. */
  ownsQueue(queue: string): boolean {
    return this.#queues.has(this.currentName(queue))
  }

  /** What a queue that the broker named is called now: it gets another name after each reconnect, and its first one still stands for it. */
  currentName(queue: string): string {
    return this.#renamed.get(queue) ?? queue
  }

  /** The broker gave a server-named queue another name. */
  rename(from: string, to: string): void {
    const queue = this.#queues.get(from)
    if (queue === undefined) return
    this.#queues.delete(from)
    this.#queues.set(to, queue)
    const consumers = this.#consumers.get(from)
    if (consumers !== undefined) {
      this.#consumers.delete(from)
      this.#consumers.set(to, consumers)
    }
    for (const [old, current] of this.#renamed) if (current === from) this.#renamed.set(old, to)
    this.#renamed.set(from, to)
    for (const [key, binding] of this.#bindings) {
      if (binding.kind !== 'queue-binding' || binding.args.queue !== from) continue
      this.#bindings.delete(key)
      this.bound({ kind: 'queue-binding', args: { ...binding.args, queue: to } })
    }
  }

  exchanges(): Declaration[] {
    return [...this.#exchanges.values()]
  }

  /** Name and declaration of every queue. */
  queues(): [string, Declaration & { readonly kind: 'queue' }][] {
    return [...this.#queues]
  }

  bindings(): Declaration[] {
    return [...this.#bindings.values()]
  }

  /** An auto-delete exchange goes with its last binding. */
  #dropBindings(doomed: (binding: BindingDeclaration) => boolean): void {
    const sources = new Set<string>()
    for (const [key, binding] of this.#bindings) {
      if (!doomed(binding)) continue
      this.#bindings.delete(key)
      sources.add(sourceOf(binding))
    }
    for (const binding of this.#bindings.values()) sources.delete(sourceOf(binding))
    for (const source of sources) {
      const exchange = this.#exchanges.get(source)
      if (exchange?.args.autoDelete === true) this.exchangeDeleted(source)
    }
  }
}

function sourceOf(binding: BindingDeclaration): string {
  return binding.kind === 'queue-binding' ? binding.args.exchange : binding.args.source
}

function bindingKey(binding: BindingDeclaration): string {
  const { args } = binding
  const ends = 'queue' in args ? [args.queue, args.exchange] : [args.destination, args.source]
  return JSON.stringify([binding.kind, ...ends, args.routingKey, args.arguments], (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
}
