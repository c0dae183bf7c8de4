import type { Readable, Writable } from 'node:stream'
import type { Tap, TapOptions } from '@hermod/events'
import type { Clock } from '@hermod/kernel'
import type { BackgroundProcess } from './background-process.ts'

/** Where the wish to stop comes from; `process` is one. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** The world around the command: everything that a test replaces. */
export interface CliIo {
  /** What `--version` says. */
  readonly version: string
  /** Carries results only. */
  readonly stdout: Writable
  /** Carries everything else. */
  readonly stderr: Writable
  /** Read only where the command line says so. */
  readonly stdin: Readable
  /** Puts a question to the user and gives the answer; undefined where there is nobody to ask. */
  readonly ask: ((question: string, signal: AbortSignal) => Promise<string>) | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signalSource: SignalSource
  /** Whether stdout is a terminal. */
  readonly isTty: boolean
  /** The width of that terminal now; undefined where there is none. */
  readonly columns: () => number | undefined
  readonly clock: Clock
  readonly openTap: (options: TapOptions) => Promise<Tap>
  /** Starts this command once more, with these arguments, for it to go on when this one has ended. */
  readonly startInBackground: (args: readonly string[]) => Promise<BackgroundProcess>
}
