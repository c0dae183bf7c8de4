import { PRIORITIES, type Priority } from '@hermod/messaging'
import { choiceOf } from './flag-values.ts'

/** The priority of this name, in any case; `warning` is `warn`. Otherwise the problem goes to `issues`. */
export function priorityOf(name: string | undefined, issues: string[]): Priority | undefined {
  const lower = name?.toLowerCase()
  return choiceOf('--priority', lower === 'warning' ? 'warn' : lower, PRIORITIES, issues)
}
