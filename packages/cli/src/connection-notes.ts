import { URL_VARIABLE, type ConnectionSource } from './connection-flags.ts'

/** What the user should know about where the broker's address came from, a sentence each. */
export function connectionNotes(source: ConnectionSource, holdsPassword: boolean): readonly string[] {
  if (source.type !== 'flag' || !holdsPassword) return []
  return [
    `the password in --url can be read by every user of this machine (ps); ${URL_VARIABLE} or --url-file keeps it to yourself`,
  ]
}
