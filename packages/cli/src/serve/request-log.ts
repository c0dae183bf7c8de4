import { MESSAGING_DIAGNOSTICS, type DispatchDiagnostics } from '@hermod/messaging'
import type { Clock } from '@hermod/kernel'
import type { Announcer } from '../announcer.ts'

/** Says on stderr what becomes of each request, until the returned function is called. */
export function announceRequests(announcer: Announcer, clock: Clock): () => void {
  const { start, end, error } = MESSAGING_DIAGNOSTICS.dispatch
  const startsMs = new WeakMap<object, number>()
  const describe = ({ kind, method }: DispatchDiagnostics, work: object): string =>
    `${kind} '${shortened(method ?? '')}' after ${(clock.monotonicMs() - (startsMs.get(work) ?? 0)).toFixed(1)} ms`
  const onStart = (work: unknown): void => void startsMs.set(work as object, clock.monotonicMs())
  const onEnd = (work: unknown): void =>
    announcer.note(`done: ${describe(work as DispatchDiagnostics, work as object)}`)
  const onError = (work: unknown): void => {
    const failed = work as DispatchDiagnostics
    const reason = failed.error instanceof Error ? failed.error.message : String(failed.error)
    announcer.note(`failed: ${describe(failed, failed)} (${shortened(reason)})`)
  }
  start.subscribe(onStart)
  end.subscribe(onEnd)
  error.subscribe(onError)
  return () => {
    start.unsubscribe(onStart)
    end.unsubscribe(onEnd)
    error.unsubscribe(onError)
  }
}

/** A stranger's texts may be as long as a message. */
const LONGEST_TEXT = 200

function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}
