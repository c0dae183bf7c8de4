import type { Binding, Destination } from './binding.ts'
import type { Matcher, Subject } from './matcher.ts'

/** All bindings, whatever their key. */
export class FanoutMatcher implements Matcher {
  readonly #bindings = new Set<Binding>()

  add(binding: Binding): void {
    this.#bindings.add(binding)
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding)
  }

  match(_subject: Subject, found: (destination: Destination) => void): void {
    for (const { destination } of this.#bindings) found(destination)
  }
}
