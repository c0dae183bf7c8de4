import { ConfigurationError, EncodeError } from '@hermod/kernel'
import { jsonSerializer, rawSerializer, textSerializer, type Serializer } from './serializer.ts'

/**
 * The serializers that somebody wants to use, by name and by content type. It is a value: it never changes, and is
 * handed to producers and consumers; kombu's registry is one for the whole process.
 *
 * There is none for formats whose reading can run code (Python's pickle), and there will be none.
 */
export class SerializerRegistry implements Iterable<Serializer> {
  readonly #serializers: readonly Serializer[]
  readonly #byName = new Map<string, Serializer>()

  /** @throws {ConfigurationError} E_CONFIG when two claim the same name or content type. */
  constructor(serializers: Iterable<Serializer>) {
    this.#serializers = [...serializers]
    const issues: string[] = []
    for (const serializer of this.#serializers) {
      for (const name of namesOf(serializer)) {
        if (this.#byName.has(name)) issues.push(`two serializers are called '${name}'`)
        this.#byName.set(name, serializer)
      }
    }
    if (issues.length > 0) throw new ConfigurationError(issues)
  }

  /** The same with one more, which takes the place of those whose name or content type it has. */
  with(serializer: Serializer): SerializerRegistry {
    const taken = new Set(namesOf(serializer))
    const others = this.#serializers.filter((one) => !namesOf(one).some((name) => taken.has(name)))
    return new SerializerRegistry([...others, serializer])
  }

  /** The serializer of a name or a content type. */
  find(nameOrContentType: string): Serializer | undefined {
    return this.#byName.get(nameOrContentType)
  }

  /**
   * The serializer to write with.
   * @throws {EncodeError} E_ENCODE when there is none of this name or content type.
   */
  require(nameOrContentType: string): Serializer {
    const serializer = this.find(nameOrContentType)
    if (serializer !== undefined) return serializer
    throw new EncodeError(
      `there is no serializer '${nameOrContentType.slice(0, 64)}'; there are ${this.names.join(', ')}`,
    )
  }

  /**
   * Every content type of an accept list.
   * @param accept names and content types.
   * @throws {ConfigurationError} E_CONFIG for what no serializer is called by.
   */
  contentTypes(accept: readonly string[]): ReadonlySet<string> {
    const types = new Set<string>()
    const issues: string[] = []
    for (const entry of accept) {
      const serializer = this.find(entry)
      if (serializer === undefined)
        issues.push(`'${entry}' on the accept list is not known; known are ${this.names.join(', ')}`)
      else for (const name of namesOf(serializer)) if (name.includes('/')) types.add(name)
    }
    if (issues.length > 0) throw new ConfigurationError(issues)
    return types
  }

  /** The names, without aliases. */
  get names(): readonly string[] {
    return this.#serializers.map(({ name }) => name)
  }

  [Symbol.iterator](): Iterator<Serializer> {
    return this.#serializers[Symbol.iterator]()
  }
}

/** `json`, `text` and `raw`. Others, msgpack and YAML among them, are added by whoever installs them. */
export const DEFAULT_SERIALIZERS: SerializerRegistry = new SerializerRegistry([
  jsonSerializer,
  textSerializer,
  rawSerializer,
])

function namesOf({ name, contentType, aliases = [] }: Serializer): readonly string[] {
  return [name, contentType, ...aliases]
}
