import type { NotificationEvent } from '@hermod/openstack'
import type { CliIo } from '../cli-io.ts'
import { ndjsonLine } from './ndjson.ts'
import { colourPaint, plainPaint } from './paint.ts'
import { PrettyFormat } from './pretty.ts'

/** How events shall look. */
export interface EventLook {
  readonly output: 'pretty' | 'ndjson'
  readonly colours: boolean
}

/** The function that turns an event into its line. */
export function createEventLine(
  look: EventLook,
  io: Pick<CliIo, 'columns'>,
): (event: NotificationEvent) => string {
  if (look.output === 'ndjson') return ndjsonLine
  const pretty = new PrettyFormat(io.columns, look.colours ? colourPaint : plainPaint)
  return (event) => pretty.line(event)
}
