/** The calls of a bare client that wait for their replies, which is all that it has of remote calls. */
export class OpenCalls {
  readonly #open = new Map<string, { resolve(body: string): void; reject(reason: unknown): void }>()
  #made = 0

  /**
   * @param send sends the request with this id; what it rejects with fails the call.
   * @returns the body of the reply.
   */
  call(send: (correlationId: string) => Promise<unknown> | void): Promise<string> {
    return new Promise((resolve, reject) => {
      const correlationId = String(this.#made++)
      this.#open.set(correlationId, { resolve, reject })
      send(correlationId)?.catch((reason: unknown) => this.#take(correlationId).reject(reason))
    })
  }

  /** A reply has come. */
  replied(correlationId: string | undefined, body: string): void {
    this.#take(correlationId).resolve(body)
  }

  #take(correlationId = ''): { resolve(body: string): void; reject(reason: unknown): void } {
    const call = this.#open.get(correlationId)
    if (call === undefined) throw new Error(`a reply to '${correlationId}', which waits for none`)
    this.#open.delete(correlationId)
    return call
  }
}
