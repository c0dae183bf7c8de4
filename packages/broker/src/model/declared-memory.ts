import { preconditionFailed, type AmqpError } from '../amqp-error.ts'

/**
 * What the exchanges, queues, bindings, consumers and channels of a broker cost together: an estimate. Messages are not in it,
 * and no alarm is raised: alarms hold up who publishes, and nobody else. What would be too much is refused.
 */
export class DeclaredMemory {
  readonly #limitBytes: number
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * To be asked before anything is added. One more goes beyond the limit by what it costs itself, which frames bound.
   *
   * @param what "cannot …" with the name of what is declared
   * @throws {AmqpError} 406, or what `refuse` makes.
   */
  assertRoom(what: string, refuse: (explanation: string) => AmqpError = preconditionFailed): void {
    if (this.#bytes < this.#limitBytes) return
    throw refuse(
      `${what}: memory limit for declarations (${this.#limitBytes} bytes) is reached; delete what is not needed`,
    )
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
  }
}
