import { addAbortListener, setMaxListeners } from 'node:events'

/** What `setMaxListeners` was called for: Node tells no limit of 0 from none at all. */
const unlimited = new WeakSet<AbortSignal>()

/**
 * Calls `listener` once when the signal aborts, or soon where it has aborted; disposing ends that.
 *
 * A program hands one signal to hundreds of calls, say the one of its shutdown. Node would warn of a leak from the 11th
 * listener on; it does not for a signal that was here once.
 */
export function onAbort(signal: AbortSignal, listener: () => void): Disposable {
  if (!unlimited.has(signal)) {
    unlimited.add(signal)
    setMaxListeners(0, signal)
  }
  return addAbortListener(signal, listener)
}
