import type { LogDetails, Logger } from '@hermod/kernel'
import type { Announcer } from '../announcer.ts'

/** Says on stderr what a broker has to complain of. */
export function announcingLogger(announcer: Announcer): Logger {
  return {
    debug() {},
    info() {},
    warn: (details, message) => announcer.note(withDetails(message, details)),
    error: (details, message) => announcer.alert(withDetails(message, details)),
  }
}

function withDetails(message: string, details: LogDetails): string {
  const parts = Object.entries(details).map(([key, value]) => `${key} ${String(value)}`)
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`
}
