import type { RpcServerStats } from './rpc-server-options.ts'

/** What is counted for {@link RpcServerStats}, over all runs of a server. */
export type ServerCounters = { -readonly [Name in Exclude<keyof RpcServerStats, Gauge>]: number }

type Gauge = 'running' | 'waiting' | 'replying'

export function serverCounters(): ServerCounters {
  return {
    received: 0,
    done: 0,
    failed: 0,
    noSuchMethod: 0,
    unsupportedVersion: 0,
    malformed: 0,
    duplicates: 0,
    lost: 0,
    released: 0,
    aborted: 0,
    lateReplies: 0,
    unwritableResults: 0,
  }
}
