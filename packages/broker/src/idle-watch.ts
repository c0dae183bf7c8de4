import {
  createDeferred,
  MessagingTimeoutError,
  withDeadline,
  type Clock,
  type DeadlineOptions,
  type Deferred,
} from '@hermod/kernel'
import type { Turn } from './session/turn.ts'

/**
 * Longer than a client's last bytes are held back on their way.
 * @source RFC 896 (Nagle): a small segment waits for an acknowledgement; tcp(7), TCP_DELACK_MIN of Linux: 40 ms
 */
const QUIET_MS = 50

/** Less than runners give a test, so that it fails with the error that says what was not done. */
const PATIENCE_MS = 4000

/** How many things an error names. */
const MOST_NAMED = 10

const OPERATION = 'broker.waitForIdle'

/** What an {@link IdleWatch} looks at. */
export interface IdleWatchParts {
  readonly turn: Turn
  readonly clock: Clock
  /** Whether clients have something under way. Asked at the end of each turn in which something happened. */
  readonly isUnderWay: () => boolean
  /** Whether messages are moved on bit by bit, of which the turns say nothing: it is looked at in each. */
  readonly movesOn: () => boolean
  /** What is under way, a phrase for each thing. */
  readonly underWay: () => readonly string[]
}

/** How to wait for a broker to be idle. */
export interface IdleOptions extends DeadlineOptions {
  /** By the clock of the broker. Default 4000; `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined
  /**
   * For how long nothing may have come, in milliseconds of sockets and event loop, which an injected clock does not move.
   * Default 50: operating systems hold back the last bytes of a client for nearly as long, unless it sets TCP_NODELAY.
   * Clients in the process itself need no more than 5.
   */
  readonly quietMs?: number | undefined
}

interface Waiter {
  readonly idle: Deferred<void>
  readonly quietMs: number
  silence: NodeJS.Timeout | undefined
}

/** Waits for a broker to have nothing to do: looks when something has happened, and not at all while nobody waits. */
export class IdleWatch {
  readonly #parts: IdleWatchParts
  readonly #waiters = new Set<Waiter>()
  /** Goes up with everything that happens: a silence is over when it is no longer what it was. */
  #happenings = 0

  constructor(parts: IdleWatchParts) {
    this.#parts = parts
  }

  /** See `Broker.waitForIdle`. */
  async wait({ signal, timeoutMs = PATIENCE_MS, quietMs = QUIET_MS }: IdleOptions): Promise<void> {
    const { turn, clock } = this.#parts
    const waiter: Waiter = { idle: createDeferred<void>(), quietMs, silence: undefined }
    this.#waiters.add(waiter)
    turn.observe(() => this.#look())
    this.#look()
    try {
      await withDeadline(waiter.idle.promise, { signal, timeoutMs }, OPERATION, clock)
    } catch (error) {
      if (!(error instanceof MessagingTimeoutError)) throw error
      throw new MessagingTimeoutError(OPERATION, timeoutMs, this.#left())
    } finally {
      clearTimeout(waiter.silence)
      this.#waiters.delete(waiter)
      if (this.#waiters.size === 0) turn.observe(undefined)
    }
  }

  /** Something has happened: every silence begins anew, if this is one. */
  #look(): void {
    const { turn, movesOn } = this.#parts
    const happenings = ++this.#happenings
    for (const { silence } of this.#waiters) clearTimeout(silence)
    if (movesOn()) setImmediate(() => turn.changed())
    // Where it is none, whatever ends what is under way brings us here again.
    if (!this.#isQuiet(happenings)) return
    for (const waiter of this.#waiters) {
      waiter.silence = setTimeout(() => {
        // Where this process was busy for as long, what came meanwhile is read behind its timers.
        setImmediate(() => {
          if (this.#isQuiet(happenings)) waiter.idle.resolve()
          // What expires happens without a turn.
          else if (happenings === this.#happenings) this.#look()
        })
      }, waiter.quietMs)
    }
  }

  #isQuiet(happenings: number): boolean {
    const { turn, movesOn, isUnderWay } = this.#parts
    return happenings === this.#happenings && !turn.isPending && !movesOn() && !isUnderWay()
  }

  #left(): string {
    const phrases = this.#parts.underWay()
    if (phrases.length === 0) return 'there was always something that came'
    const more = phrases.length - MOST_NAMED
    return [...phrases.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
  }
}
