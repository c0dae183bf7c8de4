import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from '@hermod/testkit'

/** A process that starts beside others takes its time. */
const PATIENCE = { timeoutMs: 30_000 }

/** How a {@link ChildProgram} ended. */
export interface ProgramEnding {
  readonly status: number | null
  /** The last line that it wrote. */
  readonly last: string | undefined
  readonly stderr: string
}

/** A program of programs/ in a process of its own, because what it shows may end the process. */
export class ChildProgram implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #stdout = ''
  #stderr = ''

  constructor(name: string, ...args: readonly string[]) {
    const file = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url))
    this.#child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.#ended = once(this.#child, 'close')
  }

  /** Resolves once it wrote this line. */
  async line(line: string): Promise<void> {
    await eventually(() => {
      if (this.#stdout.split('\n').includes(line)) return true
      if (this.#child.exitCode !== null) throw new TypeError(`it ended without '${line}': ${this.#stderr}`)
      return false
    }, PATIENCE)
  }

  /** How it ended, once it has. */
  async ending(): Promise<ProgramEnding> {
    await this.#ended
    const last = this.#stdout.trimEnd().split('\n').at(-1)
    return { status: this.#child.exitCode, last, stderr: this.#stderr }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.#ended
  }
}
