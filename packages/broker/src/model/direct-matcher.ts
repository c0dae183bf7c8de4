import type { Binding, Destination } from './binding.ts'
import type { Matcher, Subject } from './matcher.ts'

/** Bindings whose key is the routing key. */
export class DirectMatcher implements Matcher {
  readonly #byKey = new Map<string, Set<Binding>>()

  add(binding: Binding): void {
    const bindings = this.#byKey.get(binding.key)
    if (bindings === undefined) this.#byKey.set(binding.key, new Set([binding]))
    else bindings.add(binding)
  }

  remove(binding: Binding): void {
    const bindings = this.#byKey.get(binding.key)
    if (bindings?.delete(binding) === true && bindings.size === 0) this.#byKey.delete(binding.key)
  }

  match({ keys }: Subject, found: (destination: Destination) => void): void {
    for (const key of keys) {
      for (const { destination } of this.#byKey.get(key) ?? []) found(destination)
    }
  }
}
