import { fileURLToPath } from 'node:url'
import { createDeferred } from '@hermod/kernel'
import { eventually, startPython, type PythonPeer } from '@hermod/testkit'
import { HERMOD } from './running-listen.ts'

/** How the terminal is set up. */
export interface TerminalSetUp {
  readonly columns?: number | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Whether stderr is on the terminal too, and so in {@link TerminalRun.stdout}. */
  readonly stderrOnTerminal?: boolean | undefined
}

/** `hermod` as the foreground process of a terminal. */
export class TerminalRun implements AsyncDisposable {
  stdout = ''
  stderr = ''
  readonly #peer: PythonPeer
  readonly #exit = createDeferred<number>()

  constructor(args: readonly string[], { columns = 100, env, stderrOnTerminal = false }: TerminalSetUp) {
    const script = fileURLToPath(new URL('on_a_terminal.py', import.meta.url))
    const command = {
      argv: [process.execPath, HERMOD, ...args],
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...env },
      columns,
      stderr_on_terminal: stderrOnTerminal,
    }
    this.#peer = startPython(script, [JSON.stringify(command)])
    void this.#read()
  }

  async #read(): Promise<void> {
    for (;;) {
      const line = await this.#peer.next({ timeoutMs: 160_000 })
      if (typeof line['stdout'] === 'string') this.stdout += line['stdout']
      if (typeof line['stderr'] === 'string') this.stderr += line['stderr']
      if (typeof line['exit'] === 'number') return this.#exit.resolve(line['exit'])
    }
  }

  get exit(): Promise<number> {
    return this.#exit.promise
  }

  /** What stands on the screen; the terminal turns line feeds into CR LF, and typed control keys show as `^C`. */
  get rows(): readonly string[] {
    return this.stdout.split('\r\n').filter((row) => row !== '' && row !== '^C')
  }

  type(text: string): void {
    this.#peer.send({ type: text })
  }

  async showing(text: string): Promise<void> {
    await eventually(() => this.stdout.includes(text), { timeoutMs: 30_000 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.type('\u0003')
    await this.#peer[Symbol.asyncDispose]()
  }
}
