/** Sends one request; its reply carries the same correlation id. */
export type SendRequest = (correlationId: string) => void

/**
 * Makes `count` calls with at most `inFlight` of them unanswered; each reply lets the next request go at once. The
 * same for every contestant, so that it weighs on each alike.
 */
export class RoundTrips {
  /** Resolves with the last reply; rejects when one is wrong, or with what {@link failed} was told. */
  readonly finished: Promise<void>
  /** For promises of the requests, which say no more than the reply does. */
  readonly failed: (reason: unknown) => void
  readonly #count: number
  readonly #bodySize: number
  readonly #send: SendRequest
  readonly #open = new Set<string>()
  #sent = 0
  #resolve!: () => void

  constructor(count: number, bodySize: number, send: SendRequest) {
    this.#count = count
    this.#bodySize = bodySize
    this.#send = send
    let reject!: (reason: unknown) => void
    this.finished = new Promise((resolve, rejectFinished) => {
      this.#resolve = resolve
      reject = rejectFinished
    })
    this.failed = reject
  }

  /** Sends the first requests. */
  begin(inFlight: number): Promise<void> {
    while (this.#sent < Math.min(inFlight, this.#count)) this.#next()
    return this.finished
  }

  /** A reply has come. */
  replied(correlationId: string | undefined, bodySize: number | undefined): void {
    if (correlationId === undefined || !this.#open.delete(correlationId))
      return this.failed(new Error(`a reply to '${correlationId}', which waits for none`))
    if (bodySize !== this.#bodySize)
      return this.failed(new Error(`a reply has ${bodySize} bytes instead of ${this.#bodySize}`))
    if (this.#sent < this.#count) this.#next()
    else if (this.#open.size === 0) this.#resolve()
  }

  #next(): void {
    const correlationId = String(this.#sent++)
    this.#open.add(correlationId)
    this.#send(correlationId)
  }
}
