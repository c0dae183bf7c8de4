import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { HermodError } from '@hermod/kernel'
import { eventually } from '@hermod/testkit'
import { HERMOD } from './running-listen.ts'

/** How a run of the command is set up. */
export interface CommandSetUp {
  /** Handed over in `HERMOD_URL`. */
  readonly url?: string | undefined
  /** What is on its stdin; nothing where absent. */
  readonly input?: string | undefined
}

/** How a run of the command ended. */
export interface CommandEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A run that hangs fails its test rather than to outlive it. */
const LONGEST_RUN_MS = 60_000

/** A process that starts beside others takes its time. */
const PATIENCE = { timeoutMs: 30_000 }

/** Starts the command as a process of its own, with nothing in its environment but what is asked for. */
export function startHermod(args: readonly string[], { url, input = '' }: CommandSetUp = {}): RunningCommand {
  const env = { PATH: process.env['PATH'] ?? '', ...(url === undefined ? {} : { HERMOD_URL: url }) }
  const child = spawn(process.execPath, [HERMOD, ...args], { env, stdio: 'pipe', timeout: LONGEST_RUN_MS })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new RunningCommand(child)
}

/** Runs the command to its end. */
export function runHermod(args: readonly string[], setUp?: CommandSetUp): Promise<CommandEnd> {
  return startHermod(args, setUp).ended
}

/** A running command; disposing kills it if it still runs. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  /** Resolves when the process has ended and all of its output is here. */
  readonly ended: Promise<CommandEnd>

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = once(child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves when stderr holds this. */
  async saying(pattern: RegExp): Promise<void> {
    await eventually(() => {
      if (pattern.test(this.#stderr)) return true
      if (this.#child.exitCode !== null)
        throw new HermodError('E_CONN_LOST', `it has ended:\n${this.#stderr}`)
      return false
    }, PATIENCE)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}
