/*
 * What this package reads of the messages on `hermod.messaging.*`. The packages that publish them stand above or beside
 * this one and are not imported: a channel is known by its name. A type test holds these shapes to theirs.
 */

/** What is read of a request or notification that leaves, on `hermod.messaging.send.*`. */
export interface ObservedSend {
  readonly kind: 'call' | 'cast' | 'notify'
  readonly driver: string
  readonly exchange: string
  readonly topic: string
  readonly server: string | undefined
  readonly fanout: boolean
  readonly method: string | undefined
  readonly eventType: string | undefined
  readonly priority: string | undefined
  /** Text headers that travel with it; the context is put here. */
  readonly headers: Record<string, string>
  readonly error?: unknown
}

/** What is read of a request or notification that is dispatched, on `hermod.messaging.dispatch.*`. */
export interface ObservedDispatch {
  readonly kind: 'call' | 'cast' | 'notify'
  readonly driver: string
  readonly topic: string
  /** Whatever the peer wrote. */
  readonly method: string | undefined
  /** Whatever the peer wrote. */
  readonly eventType: string | undefined
  readonly priority: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What runs the method; set here, so that its span is active meanwhile. */
  within?: <T>(work: () => T) => T
  readonly error?: unknown
}
