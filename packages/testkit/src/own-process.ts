import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { childGuard } from './child-guard.ts'

/** A process that has not ended in good order by then is killed. */
const STOP_TIMEOUT_MS = 30_000

/** Where a process lives. */
export interface OwnProcessPlace {
  readonly folder: string
  /** The file that what it says is added to; nowhere where absent. */
  readonly outputFile?: string | undefined
  /** The whole environment: nothing of the tests' own gets through. */
  readonly environment: Readonly<Record<string, string>>
}

/** A program that runs for the tests, may be started several times, and ends with them. */
export class OwnProcess {
  readonly #command: string
  readonly #args: readonly string[]
  readonly #place: OwnProcessPlace
  #child: ChildProcess | undefined

  constructor(command: string, args: readonly string[], place: OwnProcessPlace) {
    this.#command = command
    this.#args = args
    this.#place = place
  }

  get isAlive(): boolean {
    return isAlive(this.#child)
  }

  start(): void {
    const { folder, outputFile, environment } = this.#place
    const output = outputFile === undefined ? 'ignore' : openSync(outputFile, 'a')
    // A session of its own: Ctrl-C on the terminal reaches the tests alone, and they end it.
    const child = spawn(this.#command, this.#args, {
      env: environment,
      cwd: folder,
      stdio: ['ignore', output, output],
      detached: true,
    })
    child.on('error', () => {}) // shows as a child without a pid
    if (output !== 'ignore') closeSync(output)
    childGuard.watch(child)
    this.#child = child
  }

  /** Resolves once it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!isAlive(child)) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(timer)
  }
}

function isAlive(child: ChildProcess | undefined): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
}
