import type { LogDetails, Logger } from '@hermod/kernel'
import type { LoggedAnnouncer } from './logged-announcer.ts'

/** Says on stderr what a broker has to complain of; its log has more. */
export function announcingLogger(announcer: LoggedAnnouncer): Logger {
  return {
    debug() {},
    info: (details, message) => announcer.record(withDetails(message, details)),
    warn: (details, message) => announcer.note(withDetails(message, details)),
    error: (details, message) => announcer.alert(withDetails(message, details)),
  }
}

function withDetails(message: string, details: LogDetails): string {
  const parts = Object.entries(details).map(([key, value]) => `${key} ${String(value)}`)
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`
}
