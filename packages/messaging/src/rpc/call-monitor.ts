import type { Clock, Timer } from '@hermod/kernel'
import type { IncomingRequest } from '../driver/driver.ts'

/** The shortest time that a caller may want signs of life in. */
const SHORTEST_MONITOR_MS = 2000

/**
 * Tells the caller again and again that the work goes on: every half of the whole seconds within which it wants to know,
 * until it is stopped, or nobody is there to tell.
 *
 * @source oslo.messaging rpc/dispatcher.py RPCDispatcher._watchdog
 */
export class CallMonitor {
  readonly #request: Pick<IncomingRequest, 'heartbeat'>
  readonly #intervalMs: number
  readonly #clock: Clock
  #timer: Timer | undefined
  #stopped = false

  /** @param monitorTimeoutMs {@link isMonitorable}. */
  constructor(request: Pick<IncomingRequest, 'heartbeat'>, monitorTimeoutMs: number, clock: Clock) {
    this.#request = request
    this.#intervalMs = (Math.trunc(monitorTimeoutMs / 1000) * 1000) / 2
    this.#clock = clock
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#intervalMs, () => void this.#beat(), { background: true })
  }

  async #beat(): Promise<void> {
    const isHeard = await this.#request.heartbeat().catch(() => false)
    if (isHeard && !this.#stopped) this.#arm()
  }
}

/** Whether signs of life can be given within this time; the caller may have written anything. */
export function isMonitorable(monitorTimeoutMs: number): boolean {
  return Number.isFinite(monitorTimeoutMs) && monitorTimeoutMs >= SHORTEST_MONITOR_MS
}
