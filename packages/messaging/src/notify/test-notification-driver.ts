import type { NotificationDriver, NotificationEmission } from './notification-driver.ts'

/**
 * Keeps what it is given, for tests of programs that notify.
 * @source oslo.messaging notify/_impl_test.py TestDriver
 */
export class TestNotificationDriver implements NotificationDriver {
  readonly name = 'test'
  readonly #emissions: NotificationEmission[] = []

  /** Everything since it was made or {@link reset}, oldest first. */
  get emissions(): readonly NotificationEmission[] {
    return this.#emissions
  }

  async notify(emission: NotificationEmission): Promise<void> {
    this.#emissions.push(emission)
  }

  /** Forgets what it has. */
  reset(): void {
    this.#emissions.length = 0
  }
}
