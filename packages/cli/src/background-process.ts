import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** This command once more, in a process of its own that outlives this one. */
export interface BackgroundProcess {
  readonly pid: number | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves with its exit status when it has ended and all of its output is here. */
  readonly ended: Promise<number>
  /** Lets go of it: this process may end, and the other goes on. */
  readonly release: () => void
  readonly kill: () => void
}

/**
 * Starts it, without a shell, in a session of its own: no Ctrl-C and no end of a terminal reaches it.
 *
 * @param args the command line behind `hermod`.
 */
export function startInBackground(args: readonly string[]): BackgroundProcess {
  const command = [...process.execArgv, process.argv[1] ?? '', ...args]
  const child = spawn(process.execPath, command, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    ended: once(child, 'close').then(([code]) => (code as number | null) ?? 1),
    release: () => {
      child.stdout.destroy()
      child.stderr.destroy()
      child.unref()
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
