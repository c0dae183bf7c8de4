import { Backoff, isHermodError, sleep, type Clock, type HermodError } from '@hermod/kernel'
import type { Credentials } from './credentials.ts'
import type { Session } from './session.ts'

/** Credentials are renewed when this share of their time is over. */
const RENEW_AT = 0.8

/** Credentials that are over already, say because clocks differ, are not to be renewed again and again at once. */
const SOONEST_MS = 1_000

/** What a renewal needs, and whom it tells. */
export interface SecretRenewalListener {
  obtain(signal: AbortSignal): Promise<Credentials>
  onUpdated(): void
  onError(error: HermodError, delayMs: number): void
}

/** Gives the broker new credentials before those of a session expire (`connection.update-secret`). */
export class SecretRenewal {
  readonly #clock: Clock
  readonly #listener: SecretRenewalListener
  #over = new AbortController()

  constructor(clock: Clock, listener: SecretRenewalListener) {
    this.#clock = clock
    this.#listener = listener
  }

  /** Watches over the credentials that a session was opened with, until it is over or {@link stop} is called. */
  watch(session: Session, { validForMs = Infinity }: Credentials): void {
    this.stop()
    this.#over = new AbortController()
    const { signal } = this.#over
    if (validForMs === Infinity) return
    void session.over.then(() => this.#over.signal === signal && this.stop())
    // Waiting ends with the signal only.
    this.#renew(session, validForMs, signal).catch(() => {})
  }

  stop(): void {
    this.#over.abort()
  }

  async #renew(session: Session, firstValidForMs: number, signal: AbortSignal): Promise<void> {
    let validForMs = firstValidForMs
    while (validForMs !== Infinity) {
      const inMs = validForMs * RENEW_AT
      await sleep(inMs > SOONEST_MS ? inMs : SOONEST_MS, { signal }, this.#clock)
      const backoff = new Backoff({ initialMs: 1_000 })
      for (;;) {
        try {
          const credentials = await this.#listener.obtain(signal)
          await session.updateSecret(credentials.password, 'the old one expires')
          validForMs = credentials.validForMs ?? Infinity
          this.#listener.onUpdated()
          break
        } catch (error) {
          signal.throwIfAborted()
          if (!isHermodError(error)) throw error
          const delayMs = backoff.nextMs()
          this.#listener.onError(error, delayMs)
          await sleep(delayMs, { signal }, this.#clock)
        }
      }
    }
  }
}
