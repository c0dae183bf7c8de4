class Node<T> {
  words: Map<string, Node<T>> | null = null
  star: Node<T> | null = null
  hash: Node<T> | null = null
  /** Nearly always one value stands at a pattern, and a map for each would be most of what ten thousand bindings take. */
  #value: T | undefined
  /** How often it stands here. */
  #count = 0
  /** The same for further values. */
  #more: Map<T, number> | null = null

  get empty(): boolean {
    return this.words === null && this.star === null && this.hash === null && this.#count === 0
  }

  add(value: T): void {
    if (this.#count === 0) this.#value = value
    if (this.#value === value) {
      this.#count++
    } else {
      this.#more ??= new Map()
      this.#more.set(value, (this.#more.get(value) ?? 0) + 1)
    }
  }

  remove(value: T): void {
    if (this.#count > 0 && this.#value === value) {
      this.#count--
      if (this.#count === 0) this.#promote()
      return
    }
    const count = this.#more?.get(value)
    if (count === undefined) return
    if (count > 1) this.#more?.set(value, count - 1)
    else this.#forget(value)
  }

  /** One of the further values becomes the first. */
  #promote(): void {
    this.#value = undefined
    const next = this.#more?.entries().next().value
    if (next === undefined) return
    ;[this.#value, this.#count] = next
    this.#forget(next[0])
  }

  #forget(value: T): void {
    this.#more?.delete(value)
    if (this.#more?.size === 0) this.#more = null
  }

  each(found: (value: T) => void): void {
    if (this.#count === 0) return
    found(this.#value as T)
    if (this.#more !== null) for (const value of this.#more.keys()) found(value)
  }
}

/**
 * Values under patterns of a topic exchange, found by routing key: `*` stands for one word, `#` for any number.
 *
 * The cost of a lookup grows with the words of the key and the part of the trie that matches so far, not with the
 * number of patterns; and each node is looked at once, with all places of the key that it may stand at, so that many
 * `#` do not multiply (CVE-2026-67419).
 */
export class TopicTrie<T> {
  readonly #root = new Node<T>()

  add(pattern: string, value: T): void {
    let node = this.#root
    for (const word of normalised(pattern)) node = this.#child(node, word)
    node.add(value)
  }

  #child(node: Node<T>, word: string): Node<T> {
    if (word === '#') return (node.hash ??= new Node())
    if (word === '*') return (node.star ??= new Node())
    node.words ??= new Map()
    let child = node.words.get(word)
    if (child === undefined) {
      child = new Node()
      node.words.set(word, child)
    }
    return child
  }

  /** Takes out what was added once; what is not there is not missed. */
  remove(pattern: string, value: T): void {
    const words = normalised(pattern)
    const path = [this.#root]
    for (const word of words) {
      const node = path.at(-1) as Node<T>
      const child = word === '#' ? node.hash : word === '*' ? node.star : node.words?.get(word)
      if (child === null || child === undefined) return
      path.push(child)
    }
    path.at(-1)?.remove(value)
    for (let i = words.length; i > 0 && (path[i] as Node<T>).empty; i--) {
      prune(path[i - 1] as Node<T>, words[i - 1] as string)
    }
  }

  /** Every value whose pattern matches; one may come more than once. */
  match(key: string, found: (value: T) => void): void {
    new Walk(wordsOf(key), found).from(this.#root, 0)
  }
}

/** One lookup. */
class Walk<T> {
  readonly #words: readonly string[]
  readonly #found: (value: T) => void
  #places: Places | undefined

  constructor(words: readonly string[], found: (value: T) => void) {
    this.#words = words
    this.#found = found
  }

  /** Looks for what matches from the word at `at` on: until a `#` there is one such place. */
  from(node: Node<T>, at: number): void {
    const words = this.#words
    if (node.hash !== null) {
      this.#places ??= new Places(words)
      this.#behindHash(node.hash, this.#places.from(1n << BigInt(at)), this.#places)
    }
    if (at === words.length) {
      node.each(this.#found)
      return
    }
    const child = node.words?.get(words[at] as string)
    if (child !== undefined) this.from(child, at + 1)
    if (node.star !== null) this.from(node.star, at + 1)
  }

  /** The same from many places at once. */
  #behindHash(node: Node<T>, places: bigint, key: Places): void {
    if (node.hash !== null) this.#behindHash(node.hash, key.from(places), key)
    if ((places & key.end) !== 0n) node.each(this.#found)
    if (node.words !== null) this.#children(node.words, places, key)
    if (node.star === null) return
    const next = (places & ~key.end) << 1n
    if (next !== 0n) this.#behindHash(node.star, next, key)
  }

  /** Asks for the fewer: the children of the node or the words of the key. */
  #children(children: ReadonlyMap<string, Node<T>>, places: bigint, key: Places): void {
    if (children.size <= key.ofWord.size) {
      for (const [word, child] of children) {
        const next = (places & (key.ofWord.get(word) ?? 0n)) << 1n
        if (next !== 0n) this.#behindHash(child, next, key)
      }
      return
    }
    for (const [word, at] of key.ofWord) {
      const next = (places & at) << 1n
      const child = next === 0n ? undefined : children.get(word)
      if (child !== undefined) this.#behindHash(child, next, key)
    }
  }
}

/** Sets of places in a routing key, as bits: the lowest before its first word, the highest behind its last. */
class Places {
  /** Before which words of the key a word stands. */
  readonly ofWord = new Map<string, bigint>()
  /** Behind the last word. */
  readonly end: bigint

  constructor(words: readonly string[]) {
    this.end = 1n << BigInt(words.length)
    for (const [at, word] of words.entries())
      this.ofWord.set(word, (this.ofWord.get(word) ?? 0n) | (1n << BigInt(at)))
  }

  /** The first of `places`, and all behind it. */
  from(places: bigint): bigint {
    return (this.end << 1n) - (places & -places)
  }
}

function prune<T>(node: Node<T>, word: string): void {
  if (word === '#') node.hash = null
  else if (word === '*') node.star = null
  else {
    node.words?.delete(word)
    if (node.words?.size === 0) node.words = null
  }
}

/** An empty key has no words; every other has one more than it has points. @source rabbit_exchange_type_topic */
function wordsOf(key: string): string[] {
  return key === '' ? [] : key.split('.')
}

/** Within a run of wildcards the stars come first and one `#` is as good as several: less to walk, the same matches. */
function normalised(pattern: string): string[] {
  const words: string[] = []
  let hash = false
  for (const word of wordsOf(pattern)) {
    if (word === '#') {
      hash = true
    } else {
      if (hash && word !== '*') {
        words.push('#')
        hash = false
      }
      words.push(word)
    }
  }
  if (hash) words.push('#')
  return words
}

/** How many `#` a pattern has. */
export function countHashes(pattern: string): number {
  return wordsOf(pattern).filter((word) => word === '#').length
}
