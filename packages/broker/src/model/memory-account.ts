/** The alarm is over when this part of the limit is in use. */
const CLEAR_AT = 0.9

/** What the alarm of memory does. */
export type MemoryAlarm = (raised: boolean) => void

/**
 * Bytes that the broker holds for its clients, each message once however many queues have it. Above the limit the alarm
 * is raised; it ends below nine tenths of it.
 */
export class MemoryAccount {
  readonly limitBytes: number
  readonly #alarm: MemoryAlarm
  #bytes = 0
  #raised = false

  constructor(limitBytes: number, alarm: MemoryAlarm = () => {}) {
    this.limitBytes = limitBytes
    this.#alarm = alarm
  }

  get bytes(): number {
    return this.#bytes
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

  #turn(raised: boolean): void {
    this.#raised = raised
    this.#alarm(raised)
  }
}
