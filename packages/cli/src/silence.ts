import type { TapStats } from '@hermod/events'
import { count } from './status-line.ts'

/**
 * Why nothing is on the screen: what is bound, and the likeliest reasons, a sentence each.
 *
 * @param filtered whether patterns, services or priorities were asked for.
 */
export function explainSilence(stats: TapStats, filtered: boolean): readonly string[] {
  if (stats.received > 0 && filtered)
    return [
      `nothing shown so far: ${count(stats.received, 'event')} came, but none passes the patterns and filters given`,
    ]
  const bound = stats.bindings.map(({ exchange }) => exchange)
  if (bound.length === 0) {
    return [
      `no event so far: none of the exchanges looked for is in this virtual host (${list(stats.missingExchanges)})`,
      'likeliest reasons: the wrong virtual host in the URL; no service has started on this broker yet; an exchange of another name (control_exchange), to be given with -x',
    ]
  }
  const topics = [...new Set(stats.bindings.flatMap((binding) => binding.topics))]
  return [
    `no event so far; listening on ${count(bound.length, 'exchange')} (${list(bound)}) for ${list(topics.map((topic) => `${topic}.*`))}`,
    "likeliest reasons: services notify nobody until their [oslo_messaging_notifications] driver is 'messagingv2' (it is empty by default); nova also follows [notifications] notification_format, ironic notification_level; the service uses another exchange (-x), topic (-t), broker or virtual host; or nothing happens just now",
  ]
}

const SHOWN_NAMES = 12

function list(names: readonly string[]): string {
  const more = names.length - SHOWN_NAMES
  return names.slice(0, SHOWN_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
