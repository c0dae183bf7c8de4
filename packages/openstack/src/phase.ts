/** Where in an operation an event stands, when its type says so. */
export type Phase = 'start' | 'end' | 'error' | 'success' | 'progress'

const PHASES: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ['start', 'start'],
  ['end', 'end'],
  ['error', 'error'],
  ['success', 'success'],
  ['progress', 'progress'],
  // Cinder's `backup.createprogress`, glance's `task.failure`.
  ['createprogress', 'progress'],
  ['failure', 'error'],
])

/**
 * The phase that an event type ends with, or null.
 *
 * It says nothing about the priority (trove sends `.error` at INFO) and promises no counterpart: a `.start` of
 * neutron may never get its `.end`.
 */
export function phaseOf(eventType: string): Phase | null {
  return PHASES.get(eventType.slice(eventType.lastIndexOf('.') + 1)) ?? null
}
