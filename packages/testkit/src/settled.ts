/** A stream answers a write in a later turn, and the answer may begin the next write: room for a few of those. */
const TURNS = 10

/**
 * Resolves once all has happened that needs no outside event: promises, and streams in memory that call back in a
 * later turn of the event loop. What waits for a timer, a socket or a process does not belong to that; see
 * `eventually`.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}
