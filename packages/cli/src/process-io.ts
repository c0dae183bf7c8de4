import process from 'node:process'
import { isatty } from 'node:tty'
import { systemClock } from '@hermod/kernel'
import type { CliIo } from './cli-io.ts'

/** The world of this process. What a command needs beyond the command line itself is loaded when it is used. */
export function processIo(version: string): CliIo {
  return {
    version,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signalSource: process,
    isTty: isatty(process.stdout.fd),
    columns: () => (isatty(process.stdout.fd) ? process.stdout.columns : undefined),
    clock: systemClock,
    openTap: async (options) => (await import('@hermod/events')).openTap(options),
  }
}
