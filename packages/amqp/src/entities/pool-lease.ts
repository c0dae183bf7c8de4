/**
 * A resource of a pool, borrowed. It is given back once; afterwards it is not to be used.
 *
 * @example
 * await using lease = await pool.acquire()
 * await lease.resource.publish('hello')
 */
export class Lease<Resource> implements AsyncDisposable {
  readonly resource: Resource
  readonly #giveBack: (isGood: boolean) => Promise<void>
  #returned: Promise<void> | undefined

  constructor(resource: Resource, giveBack: (isGood: boolean) => Promise<void>) {
    this.resource = resource
    this.#giveBack = giveBack
  }

  /** Gives it back for others to use. A second time, or after {@link discard}, changes nothing. */
  release(): Promise<void> {
    return (this.#returned ??= this.#giveBack(true))
  }

  /** Gives it back to be ended: something is wrong with it. After {@link release} it changes nothing. */
  discard(): Promise<void> {
    return (this.#returned ??= this.#giveBack(false))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }
}
