import type { Binding, Destination } from './binding.ts'
import type { Matcher, Subject } from './matcher.ts'
import { TopicTrie } from './topic-trie.ts'

/** Bindings whose key is a pattern for the routing key. */
export class TopicMatcher implements Matcher {
  readonly #trie = new TopicTrie<Destination>()

  add({ key, destination }: Binding): void {
    this.#trie.add(key, destination)
  }

  remove({ key, destination }: Binding): void {
    this.#trie.remove(key, destination)
  }

  match({ keys }: Subject, found: (destination: Destination) => void): void {
    for (const key of keys) this.#trie.match(key, found)
  }
}
