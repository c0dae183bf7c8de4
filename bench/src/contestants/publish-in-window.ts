/** Starts one publish; exactly one of the two is called later, never before it returns. */
export type PublishOne = (confirmed: () => void, failed: (reason: unknown) => void) => void

/**
 * Runs `publish` `count` times with at most `window` unconfirmed, and tops the window up when half of it is
 * confirmed. The same for every contestant, so that it weighs on each alike.
 */
export function publishInWindow(count: number, window: number, publish: PublishOne): Promise<void> {
  return new Promise((resolve, reject) => {
    const refillAt = window >> 1
    let sent = 0
    let confirmed = 0

    function fill(): void {
      while (sent < count && sent - confirmed < window) {
        sent++
        publish(onConfirm, reject)
      }
    }

    function onConfirm(): void {
      confirmed++
      if (confirmed === count) resolve()
      else if (sent < count && sent - confirmed <= refillAt) fill()
    }

    fill()
  })
}
