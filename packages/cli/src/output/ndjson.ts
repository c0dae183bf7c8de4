import { stringifyJson } from '@hermod/kernel'
import { eventToRecord, type NotificationEvent } from '@hermod/openstack'
import { visibleJson } from '../visible-text.ts'

/**
 * One event as one line of JSON: the stable record of `@hermod/openstack`, strict JSON with big integers as digits.
 * Control characters are JSON escapes, so that the line is safe on a terminal too.
 */
export function ndjsonLine(event: NotificationEvent): string {
  return `${visibleJson(stringifyJson(eventToRecord(event)))}\n`
}
