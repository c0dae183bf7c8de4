import type { MethodArguments } from '@hermod/amqp/wire'
import type { AlarmListener, Alarms } from './alarms.ts'
import type { FrameGate } from './frame-gate.ts'
import type { Link } from './link.ts'
import type { Output } from './output.ts'
import type { Turn, TurnTask } from './turn.ts'

/** From this many times its limit on, an output that is not read holds up what is read from its client. */
const OVERFULL = 4

/** What is paused: a connection. */
export interface Pausable {
  /** Whether its client may be told, and wants to be. */
  readonly tellsOfBlocks: boolean
  send(name: 'connection.blocked', args: MethodArguments['connection.blocked']): void
  send(name: 'connection.unblocked', args: object): void
  /** Whether it is heard: while it is not, its silence is none. */
  listening(listening: boolean): void
}

/** The reasons for which a client is not read: it has published while an alarm is on, or does not take its answers. */
export class ReadingPauses implements AlarmListener, TurnTask {
  readonly #connection: Pausable
  readonly #alarms: Alarms
  readonly #output: Output
  readonly #overfullBytes: number
  readonly #gate: FrameGate
  readonly #link: Link
  readonly #turn: Turn
  #blocked = false
  #overfull = false

  /** @param limitBytes of the output. */
  constructor(
    connection: Pausable,
    parts: { alarms: Alarms; output: Output; gate: FrameGate; link: Link; turn: Turn },
    limitBytes: number,
  ) {
    this.#connection = connection
    this.#alarms = parts.alarms
    this.#output = parts.output
    this.#overfullBytes = OVERFULL * limitBytes
    this.#gate = parts.gate
    this.#link = parts.link
    this.#turn = parts.turn
  }

  /** Whether an alarm keeps it from being read. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** From now on it learns of alarms; what it publishes while one is on has it {@link published blocked}. */
  begin(): void {
    this.#alarms.add(this)
  }

  end(): void {
    this.#alarms.remove(this)
  }

  /**
   * An alarm ends in the midst of whatever gave memory back, a queue that drops its oldest, a connection that ends. The
   * frames that wait are handled when that is over.
   */
  alarmChanged(): void {
    if (!this.#alarms.on && this.#blocked) this.#turn.add(this)
  }

  endOfTurn(): void {
    if (!this.#alarms.on) this.unblock()
  }

  /** It has published: while an alarm is on nothing more is read from it. */
  published(): void {
    if (!this.#alarms.on || this.#blocked) return
    this.#blocked = true
    const { reason } = this.#alarms
    if (this.#connection.tellsOfBlocks) this.#connection.send('connection.blocked', { reason })
    this.apply()
  }

  unblock(): void {
    if (!this.#blocked) return
    this.#blocked = false
    if (this.#connection.tellsOfBlocks) this.#connection.send('connection.unblocked', {})
    this.apply()
  }

  /** It was answered. */
  answered(): void {
    if (this.#output.waitingBytes <= this.#overfullBytes) return
    // Asking for it has the output tell when there is room again.
    this.#overfull = this.#output.full
    this.apply()
  }

  /** It takes its answers again. */
  roomAgain(): void {
    if (!this.#overfull) return
    this.#overfull = false
    this.apply()
  }

  /** Reads, or does not, as the reasons are now. */
  apply(): void {
    const held = this.#blocked || this.#overfull
    this.#connection.listening(!held)
    this.#gate.held = held
    if (this.#gate.shut) this.#link.pause()
    else this.#link.resume()
  }
}
