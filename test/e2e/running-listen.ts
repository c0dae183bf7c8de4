import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { HermodError } from '@hermod/kernel'
import type { EventRecord } from '@hermod/openstack'
import { eventually } from '@hermod/testkit'

/** The command as it is installed. */
export const HERMOD = fileURLToPath(new URL('../../packages/hermod/bin/hermod.js', import.meta.url))

/** A run that a test forgets, or whose test was killed, ends by itself. */
const LONGEST_RUN = ['--for', '150s']

const PATIENCE = { timeoutMs: 30_000, intervalMs: 10 }

/** How a run of the command is set up. */
export interface ListenSetUp {
  /** Handed over in `HERMOD_URL`. */
  readonly url?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Leave stdout unread until {@link RunningListen.readOn}. */
  readonly unread?: boolean | undefined
}

/** Starts `hermod listen` as a process of its own, with nothing in its environment but what is asked for. */
export function startListen(args: readonly string[], setUp: ListenSetUp = {}): RunningListen {
  const limit = args.includes('--for') || args.includes('--help') ? [] : LONGEST_RUN
  const child = spawn(process.execPath, [HERMOD, 'listen', ...args, ...limit], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(setUp.url === undefined ? {} : { HERMOD_URL: setUp.url }),
      ...setUp.env,
    },
  })
  return new RunningListen(child, setUp.unread === true)
}

/** How the command ended. */
export interface ListenEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running `hermod listen`; disposing kills it if it still runs. */
export class RunningListen implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #stdout: Readable
  /** Complete lines of stdout. */
  readonly lines: string[] = []
  /** Resolves when the process has ended and all of its output is here. */
  readonly ended: Promise<ListenEnd>
  #rest = ''
  #stderr = ''
  #hasEnded = false

  constructor(child: ChildProcess, unread: boolean) {
    this.#child = child
    this.#stdout = child.stdout as Readable
    this.#stdout.setEncoding('utf8').on('error', () => {})
    if (!unread) this.readOn()
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#hasEnded = true
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  /** All that was written to stderr so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** What was said on stderr so far, a line each. */
  get said(): readonly string[] {
    return this.#stderr.split('\n').slice(0, -1)
  }

  /** What is on stdout without a line end after it. */
  get unfinished(): string {
    return this.#rest
  }

  /** Everything that left the process. */
  get output(): string {
    return `${this.lines.join('\n')}${this.#rest}${this.#stderr}`
  }

  /** The lines of stdout as JSON; throws where one is none. */
  get events(): EventRecord[] {
    return this.lines.map((line) => JSON.parse(line) as EventRecord)
  }

  /** Begins to read stdout. */
  readOn(): void {
    this.#stdout.on('data', (text: string) => {
      const pieces = (this.#rest + text).split('\n')
      this.#rest = pieces.pop() ?? ''
      this.lines.push(...pieces)
    })
  }

  /** Stops reading stdout for good, as `head -1` does. */
  closeStdout(): void {
    this.#stdout.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves once it consumes. */
  async tapping(): Promise<this> {
    await this.saying(/^hermod: tapping /)
    return this
  }

  /** Resolves with the first line on stderr, from the `from`th on, that matches. */
  async saying(pattern: RegExp, from = 0): Promise<string> {
    return this.#until(() => this.said.slice(from).find((line) => pattern.test(line)) ?? false)
  }

  /** Resolves with the first event on stdout of this type. */
  async showing(type: string): Promise<EventRecord> {
    let looked = 0
    return this.#until(() => {
      while (looked < this.lines.length) {
        const line = this.lines[looked++] as string
        // Most lines are something else, and some are long.
        if (!line.includes(JSON.stringify(type))) continue
        const event = JSON.parse(line) as EventRecord
        if (event.type === type) return event
      }
      return false
    })
  }

  /** Resolves once this many lines are on stdout. */
  async showingLines(count: number): Promise<void> {
    await this.#until(() => this.lines.length >= count)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGKILL')
    this.#stdout.destroy()
    await this.ended
  }

  /** A run that has ended will not do what is awaited. */
  async #until<T>(look: () => T | false): Promise<Exclude<T, false>> {
    const found = await eventually(() => {
      const value = look()
      return value === false && this.#hasEnded
        ? { ended: true as const }
        : value === false
          ? false
          : { value }
    }, PATIENCE).catch((error: unknown) => {
      throw new HermodError('E_TIMEOUT', `hermod listen did not come to it; stderr:\n${this.#stderr}`, {
        cause: error,
      })
    })
    if ('ended' in found) throw new HermodError('E_CONN_LOST', `hermod listen has ended:\n${this.#stderr}`)
    return found.value as Exclude<T, false>
  }
}
