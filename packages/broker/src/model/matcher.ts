import type { Binding, Destination } from './binding.ts'
import type { Fields } from './field.ts'

/** What the bindings of an exchange are matched with. */
export interface Subject {
  /** Routing key, CC and BCC: byte strings. */
  readonly keys: readonly string[]
  headers(): Fields
}

/** How a type of exchange finds the destinations of a message. It may find one more than once. */
export interface Matcher {
  add(binding: Binding): void
  remove(binding: Binding): void
  match(subject: Subject, found: (destination: Destination) => void): void
}
