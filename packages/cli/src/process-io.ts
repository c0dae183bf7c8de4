import process from 'node:process'
import { isatty } from 'node:tty'
import { systemClock } from '@hermod/kernel'
import type { CliIo } from './cli-io.ts'

/** Asking the stream itself would open it. */
const STDIN = 0

/** The world of this process. What a command needs beyond the command line itself is loaded when it is used. */
export function processIo(version: string): CliIo {
  return {
    version,
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin
    },
    ask: isatty(STDIN) && isatty(process.stderr.fd) ? ask : undefined,
    env: process.env,
    signalSource: process,
    isTty: isatty(process.stdout.fd),
    columns: () => (isatty(process.stdout.fd) ? process.stdout.columns : undefined),
    clock: systemClock,
    openTap: async (options) => (await import('@hermod/events')).openTap(options),
    startInBackground: async (args) => (await import('./background-process.ts')).startInBackground(args),
  }
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  // Without `terminal` Ctrl-C stays a signal of the process, and ends the question like everything else.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    return await Promise.race([lines.question(question, { signal }), closed])
  } finally {
    lines.close()
  }
}
