/** What a {@link Target} is made of; everything may be left open. */
export interface TargetParts {
  /** Scopes the topic; absent or empty: the `controlExchange` of the transport. */
  readonly exchange?: string | undefined
  /** What a server serves and what requests are sent to. */
  readonly topic?: string | undefined
  /** Tells methods of the same name apart; absent: the default namespace. */
  readonly namespace?: string | undefined
  /** Of the interface: `major.minor` or `major.minor.revision`. */
  readonly version?: string | undefined
  /** One server of the topic; absent: any of them. */
  readonly server?: string | undefined
  /** To every server of the topic, whatever its name and exchange. */
  readonly fanout?: boolean | undefined
  /**
   * Former namespaces that an endpoint still answers to; undefined among them is the default one. Not carried over by
   * {@link Target.with}.
   */
  readonly legacyNamespaces?: readonly (string | undefined)[] | undefined
}

/**
 * Where messages go to, or come from, and what a server offers there. Immutable.
 *
 * @source oslo.messaging target.py Target
 */
export class Target implements TargetParts {
  readonly exchange: string | undefined
  readonly topic: string | undefined
  readonly namespace: string | undefined
  readonly version: string | undefined
  readonly server: string | undefined
  readonly fanout: boolean
  readonly legacyNamespaces: readonly (string | undefined)[]

  constructor(parts: TargetParts = {}) {
    this.exchange = parts.exchange
    this.topic = parts.topic
    this.namespace = parts.namespace
    this.version = parts.version
    this.server = parts.server
    this.fanout = parts.fanout ?? false
    this.legacyNamespaces = Object.freeze([...(parts.legacyNamespaces ?? [])])
    Object.freeze(this)
  }

  /** The namespaces that requests may name; undefined is the default one. */
  get acceptedNamespaces(): readonly (string | undefined)[] {
    return [this.namespace, ...this.legacyNamespaces]
  }

  /** A copy with some parts changed; a part that is given as undefined is left open. Legacy namespaces do not carry over. */
  with(changes: TargetParts): Target {
    const { exchange, topic, namespace, version, server, fanout } = this
    return new Target({ exchange, topic, namespace, version, server, fanout, ...changes })
  }

  /** Whether every part is the same, legacy namespaces included. */
  equals(other: Target): boolean {
    return JSON.stringify(this) === JSON.stringify(other)
  }

  /** The parts that are set, as Python shows them: `<Target topic=compute, server=node-1>`. */
  toString(): string {
    const parts = Object.entries(this)
      .filter(([, value]) =>
        Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false,
      )
      .map(([name, value]) => `${name}=${String(value)}`)
    return `<Target ${parts.join(', ')}>`
  }
}
