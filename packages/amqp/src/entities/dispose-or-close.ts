import { addAbortListener } from 'node:events'

/** What ends in order when it is disposed of, and at once when it is closed. */
export interface Closable extends AsyncDisposable {
  close(): Promise<void>
}

/** Ends a resource of a pool: in order, until the signal aborts. */
export async function disposeOrClose(resource: Closable, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return resource.close()
  // What closing ends is no longer waited for by the disposal.
  using _hurry = addAbortListener(signal, () => void resource.close())
  await resource[Symbol.asyncDispose]()
}
