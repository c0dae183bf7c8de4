import type { SignalSource } from './cli-io.ts'
import { EXIT } from './exit-codes.ts'

/** What to do when somebody wants the command to stop. */
export interface StopHandlers {
  /** The first signal, with the exit status that it stands for: end, but tidily. */
  readonly stop: (code: number) => void
  /** Any further signal: end at once. */
  readonly hurry: () => void
}

/** Listens for SIGINT and SIGTERM until the returned function is called. */
export function watchStopSignals(source: SignalSource, { stop, hurry }: StopHandlers): () => void {
  let seen = false
  const listener = (code: number) => (): void => {
    if (seen) hurry()
    else stop(code)
    seen = true
  }
  const interrupted = listener(EXIT.interrupted)
  const terminated = listener(EXIT.terminated)
  source.on('SIGINT', interrupted)
  source.on('SIGTERM', terminated)
  return () => {
    source.off('SIGINT', interrupted)
    source.off('SIGTERM', terminated)
  }
}
