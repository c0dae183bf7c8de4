import { URL_VARIABLE, type ConnectionSource } from './connection-flags.ts'
import type { BrokerSettings } from './broker-settings.ts'

/** What the user should know about where the broker's address came from, a sentence each. */
export function connectionNotes(
  source: ConnectionSource,
  brokers: readonly Pick<BrokerSettings, 'holdsPassword' | 'withoutUser'>[],
): readonly string[] {
  return [...(source.type === 'flag' ? visiblePasswordNotes(brokers) : []), ...guestNotes(brokers)]
}

function visiblePasswordNotes(brokers: readonly Pick<BrokerSettings, 'holdsPassword'>[]): readonly string[] {
  if (!brokers.some(({ holdsPassword }) => holdsPassword)) return []
  return [
    `the password in --url can be read by every user of this machine (ps); ${URL_VARIABLE} or --url-file keeps it to yourself`,
  ]
}

function guestNotes(brokers: readonly Pick<BrokerSettings, 'withoutUser'>[]): readonly string[] {
  const hosts = brokers.flatMap(({ withoutUser }) => withoutUser)
  if (hosts.length === 0) return []
  return [`the URL names no user for ${hosts.join(', ')}; guest is tried there, for each host needs its own`]
}
