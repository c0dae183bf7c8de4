import { erlangTerm } from './erlang-text.ts'
import type { Exchange } from './exchange.ts'
import type { Fields } from './field.ts'
import type { RoutedQueue } from './queue.ts'

/** Where a binding leads. */
export type Destination = RoutedQueue | Exchange

/** A binding from an exchange to a queue or to another exchange. */
export interface Binding {
  readonly source: Exchange
  readonly destination: Destination
  /** Byte string. */
  readonly key: string
  readonly arguments: Fields
  /** The same for equal bindings of one source: binding twice is binding once. */
  readonly identity: string
}

/** What tells a binding from the others of its source. The order of its arguments does not. */
export function bindingIdentity(kind: 'queue' | 'exchange', name: string, key: string, args: Fields): string {
  // Lengths keep names apart that hold each other's separators.
  const address = `${kind}:${name.length}:${name}:${key.length}:${key}`
  if (args.size === 0) return address
  const sorted = new Map([...args].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return `${address}:${erlangTerm({ type: 'table', value: sorted })}`
}
