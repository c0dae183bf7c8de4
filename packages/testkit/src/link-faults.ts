/** Which way bytes go. */
export type LinkDirection = 'to-broker' | 'to-client'

/** Bytes arrive late, and in order. */
interface DelayFault {
  readonly delayMs: number
  /** Up to this much more, left to chance. */
  readonly jitterMs: number
}

/** Each connection passes no more than this. */
interface ThrottleFault {
  readonly bytesPerSecond: number
}

/** Bytes are passed in pieces of another size than they came in. */
interface RechunkFault {
  /** The size of a piece, chosen anew for each. */
  readonly minBytes: number
  readonly maxBytes: number
  /** How long the beginning of a piece waits for the rest of it. */
  readonly holdMs: number
}

/** What marks need to know of a link. */
interface PassingLink {
  /** How many bytes it has passed. */
  readonly passed: number
}

/** A place in the byte streams: so many bytes of a link after the moment in which the mark was set. */
export class StreamMark {
  readonly #afterBytes: number
  readonly #passedBefore = new WeakMap<PassingLink, number>()

  constructor(afterBytes: number, links: Iterable<PassingLink>) {
    this.#afterBytes = afterBytes
    for (const link of links) this.#passedBefore.set(link, link.passed)
  }

  /** How many bytes `link` has still to pass until it is there; negative when it is beyond. */
  left(link: PassingLink): number {
    return this.#afterBytes - (link.passed - (this.#passedBefore.get(link) ?? 0))
  }
}

/** Changes bytes from a mark on, on the first connection that gets there. */
export interface CorruptFault {
  readonly mark: StreamMark
  readonly length: number
  /** What stands in place of `byte`, the `index`-th of those that it changes. */
  readonly change: (byte: number, index: number) => number
  link?: PassingLink
}

/** What a proxy has done in one direction, over all its connections. */
export interface LinkStats {
  readonly receivedBytes: number
  readonly forwardedBytes: number
  /** In how many pieces. */
  readonly writes: number
  /** What was swallowed. */
  readonly vanishedBytes: number
  readonly delayedBytes: number
  /** How long bytes waited for their turn under `throttle`. */
  readonly throttledMs: number
  readonly corruptedBytes: number
}

/** What is wrong with one direction of all connections of a proxy, and what came of it. */
export class LinkFaults {
  /** A fault of which there is no more to say is an object of its own, so that it can be undone. */
  vanish: object | undefined
  pause: object | undefined
  delay: DelayFault | undefined
  throttle: ThrottleFault | undefined
  rechunk: RechunkFault | undefined
  readonly cuts: Set<StreamMark> = new Set()
  readonly corruptions: Set<CorruptFault> = new Set()
  readonly stats: { -readonly [Name in keyof LinkStats]: number } = {
    receivedBytes: 0,
    forwardedBytes: 0,
    writes: 0,
    vanishedBytes: 0,
    delayedBytes: 0,
    throttledMs: 0,
    corruptedBytes: 0,
  }

  heal(): void {
    this.vanish = this.pause = this.delay = this.throttle = this.rechunk = undefined
    this.cuts.clear()
    this.corruptions.clear()
  }
}
