import { MessagingTimeoutError, onAbort, type Clock, type JsonValue, type Timer } from '@hermod/kernel'
import { readFailure, type Reply } from '@hermod/messaging'
import type { ReplyPart } from './reply-message.ts'

/** What a call waits for, and how long. */
export interface CallWait {
  /** For the error of a call that waited in vain. */
  readonly what: string
  /** Of the whole call; what is left of it. */
  readonly leftMs: number
  /** Of the whole call; for the error. */
  readonly timeoutMs: number
  readonly monitorTimeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

/** A call whose request is on its way, until its reply came or it is given up. */
export class WaitingCall {
  readonly promise: Promise<Reply>
  readonly #msgId: string
  readonly #wait: CallWait
  readonly #clock: Clock
  readonly #onEnd: () => void
  readonly #timer: Timer
  readonly #listening: Disposable | undefined
  #monitor: Timer | undefined
  #result: JsonValue = null
  #resolve!: (reply: Reply) => void
  #reject!: (reason: unknown) => void

  /** @param onEnd called once, when nothing can come for it any more. */
  constructor(msgId: string, wait: CallWait, clock: Clock, onEnd: () => void) {
    this.#msgId = msgId
    this.#wait = wait
    this.#clock = clock
    this.#onEnd = onEnd
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#timer = clock.after(wait.leftMs, () => this.#timedOut(wait.timeoutMs, 'no reply came to'))
    const { signal } = wait
    this.#listening = signal && onAbort(signal, () => this.fail(signal.reason))
    this.#watch()
  }

  /** A message of its server. Any of them is a sign of life; the first failure, or the end, settles it. */
  receive({ result, failure, ending }: ReplyPart): void {
    if (failure !== null && failure !== '') {
      this.#end()
      return this.#resolve({ failure: readFailure(failure) })
    }
    if (result !== null) this.#result = result
    if (!ending) return this.#watch()
    this.#end()
    this.#resolve({ result: this.#result })
  }

  /** It is given up. */
  fail(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  /** The whole call's own time is never extended, only that between two signs of life. */
  #watch(): void {
    const { monitorTimeoutMs } = this.#wait
    if (monitorTimeoutMs === undefined) return
    this.#monitor?.cancel()
    const monitor = this.#clock.after(monitorTimeoutMs, () => {
      // After a long pause of this process signs of life may be waiting unread: they get one turn.
      setImmediate(() => {
        if (this.#monitor === monitor) this.#timedOut(monitorTimeoutMs, 'the server gave no sign of life for')
      })
    })
    this.#monitor = monitor
  }

  #timedOut(timeoutMs: number, why: string): void {
    this.fail(new MessagingTimeoutError(this.#wait.what, timeoutMs, `${why} message ${this.#msgId}`))
  }

  #end(): void {
    this.#timer.cancel()
    this.#monitor?.cancel()
    this.#monitor = undefined
    this.#listening?.[Symbol.dispose]()
    this.#onEnd()
  }
}
