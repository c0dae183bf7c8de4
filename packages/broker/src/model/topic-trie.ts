class Node<T> {
  /** Tells nodes apart in {@link TopicTrie} 's memo. */
  readonly id: number
  words: Map<string, Node<T>> | null = null
  star: Node<T> | null = null
  hash: Node<T> | null = null
  /** Nearly always one value stands at a pattern, and a map for each would be most of what ten thousand bindings take. */
  #value: T | undefined
  /** How often it stands here. */
  #count = 0
  /** The same for further values. */
  #more: Map<T, number> | null = null

  constructor(id: number) {
    this.id = id
  }

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
 * number of patterns; and each place of trie and key is looked at once, so that many `#` do not multiply
 * (CVE-2026-67419).
 */
export class TopicTrie<T> {
  #ids = 0
  readonly #root = new Node<T>(this.#ids++)

  add(pattern: string, value: T): void {
    let node = this.#root
    for (const word of normalised(pattern)) node = this.#child(node, word)
    node.add(value)
  }

  #child(node: Node<T>, word: string): Node<T> {
    if (word === '#') return (node.hash ??= new Node(this.#ids++))
    if (word === '*') return (node.star ??= new Node(this.#ids++))
    node.words ??= new Map()
    let child = node.words.get(word)
    if (child === undefined) {
      child = new Node(this.#ids++)
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
    new Walk(wordsOf(key), found).from(this.#root, 0, false)
  }
}

/** One lookup. */
class Walk<T> {
  readonly #words: readonly string[]
  readonly #found: (value: T) => void
  /** Places of trie and key that were looked at. Made when there is more than one way to a place. */
  #seen: Set<number> | undefined

  constructor(words: readonly string[], found: (value: T) => void) {
    this.#words = words
    this.#found = found
  }

  /** Looks for what matches from the word at `at` on. Only behind a `#` there are several ways to a place. */
  from(node: Node<T>, at: number, afterHash: boolean): void {
    const words = this.#words
    if (afterHash && this.#wasHere(node, at)) return
    if (node.hash !== null) {
      for (let next = at; next <= words.length; next++) this.from(node.hash, next, true)
    }
    if (at === words.length) {
      node.each(this.#found)
      return
    }
    const child = node.words?.get(words[at] as string)
    if (child !== undefined) this.from(child, at + 1, afterHash)
    if (node.star !== null) this.from(node.star, at + 1, afterHash)
  }

  #wasHere(node: Node<T>, at: number): boolean {
    const place = node.id * (this.#words.length + 1) + at
    this.#seen ??= new Set()
    if (this.#seen.has(place)) return true
    this.#seen.add(place)
    return false
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
