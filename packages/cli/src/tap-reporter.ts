import type { BrokerAddress } from '@hermod/amqp'
import type { TapStats, TapStatus } from '@hermod/events'
import type { Clock } from '@hermod/kernel'
import type { Announcer } from './announcer.ts'
import { explainSilence } from './silence.ts'
import { count, statusLine } from './status-line.ts'

/** Statuses that may come by the thousand; each carries a running total, so that skipped ones are not lost. */
const FREQUENT: ReadonlySet<TapStatus['type']> = new Set(['unreadable', 'ring-dropped', 'tap-full'])

const FREQUENT_EVERY_MS = 1000

/** Says on stderr how the tap is doing. */
export class TapReporter {
  readonly #announcer: Announcer
  readonly #clock: Clock
  readonly #saidAt = new Map<TapStatus['type'], number>()
  #explained = false

  constructor(announcer: Announcer, clock: Clock) {
    this.#announcer = announcer
    this.#clock = clock
  }

  /** Says one status; frequent ones at most once a second. */
  status(status: TapStatus): void {
    if (FREQUENT.has(status.type)) {
      const now = this.#clock.monotonicMs()
      if (now - (this.#saidAt.get(status.type) ?? -Infinity) < FREQUENT_EVERY_MS) return
      this.#saidAt.set(status.type, now)
    }
    const { text, loss } = statusLine(status)
    if (loss) this.#announcer.alert(text)
    else this.#announcer.note(text)
  }

  /** Says once what is tapped where. */
  opened(stats: TapStats, servers: readonly BrokerAddress[]): void {
    // All servers of one broker serve the same virtual host.
    const where = `${stats.server}${pathOf(servers[0]?.virtualHost ?? '/')}`
    const missing = stats.missingExchanges.length
    const verb = missing === 1 ? 'is' : 'are'
    const rest = missing === 0 ? '' : `; ${count(missing, 'exchange')} ${verb} not there yet`
    this.#announcer.note(
      `tapping ${count(stats.bindings.length, 'exchange')} on ${where} (queue ${stats.queue})${rest}`,
    )
  }

  /** Explains, at most once, why nothing was shown. */
  explainSilence(stats: TapStats, filtered: boolean): void {
    if (this.#explained) return
    this.#explained = true
    for (const line of explainSilence(stats, filtered)) this.#announcer.note(line)
  }

  /** Says at the end what was missed; nothing when nothing was. */
  summary(shown: number, stats: TapStats): void {
    const missed: string[] = []
    if (stats.ringDropped > 0) missed.push(`${stats.ringDropped} dropped because the output was too slow`)
    if (stats.unreadable > 0) missed.push(`${stats.unreadable} unreadable`)
    if (stats.gaps > 0) missed.push(`${count(stats.gaps, 'gap')} in the connection`)
    if (stats.brokerMayHaveDropped) missed.push('the broker may have dropped some from the full tap')
    if (missed.length > 0) this.#announcer.alert(`${count(shown, 'event')} shown; ${missed.join('; ')}`)
  }
}

/** The virtual host as the end of an address: `/` for itself, `/nova` for `nova`. */
function pathOf(virtualHost: string): string {
  return virtualHost.startsWith('/') ? virtualHost : `/${virtualHost}`
}
