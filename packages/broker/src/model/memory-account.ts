import { AmqpError } from '../amqp-error.ts'

/** The alarm is over when this part of the limit is in use. */
const CLEAR_AT = 0.9

/** What the alarm of memory does. */
export type MemoryAlarm = (raised: boolean) => void

/**
 * Bytes that the broker holds for its clients, each message once however many queues have it. Above the limit the alarm
 * is raised; it ends below nine tenths of it.
 *
 * What is under way to a queue, bodies that have not come whole and publishes that are not committed, has as much room of
 * its own and raises no alarm: those whom the alarm stops would be the only ones who could end it.
 */
export class MemoryAccount {
  readonly limitBytes: number
  readonly #alarm: MemoryAlarm
  #bytes = 0
  #underWay = 0
  #raised = false

  constructor(limitBytes: number, alarm: MemoryAlarm = () => {}) {
    this.limitBytes = limitBytes
    this.#alarm = alarm
  }

  /** All that is held. */
  get bytes(): number {
    return this.#bytes + this.#underWay
  }

  get raised(): boolean {
    return this.#raised
  }

  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.limitBytes && !this.#raised) this.#turn(true)
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    if (this.#raised && this.#bytes < this.limitBytes * CLEAR_AT) this.#turn(false)
  }

  /**
   * Counts what is under way to a queue.
   *
   * @throws {AmqpError} 506, and nothing is counted, where all that is under way would take more than the limit.
   */
  begin(bytes: number): void {
    if (this.#underWay + bytes > this.limitBytes)
      throw new AmqpError(
        506,
        `messages that have not come whole or are not committed take more than the memory limit (${this.limitBytes} bytes)`,
      )
    this.#underWay += bytes
  }

  /** It has arrived, or was given up. */
  end(bytes: number): void {
    this.#underWay -= bytes
  }

  #turn(raised: boolean): void {
    this.#raised = raised
    this.#alarm(raised)
  }
}
