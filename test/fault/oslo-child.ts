import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { eventually } from '@hermod/testkit'

const PROGRAM = fileURLToPath(new URL('programs/oslo-child.mjs', import.meta.url))

/** A server of calls or a listener in a process of its own. Disposing kills it. */
export class OsloChild implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  readonly #counts = new Map<number, number>()
  #isReady = false
  #stderr = ''

  constructor(role: 'serve' | 'listen', url: string, topic: string, name: string) {
    const args = [PROGRAM, role, url.replace('amqp:', 'rabbit:'), topic, name]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#closed = once(this.#child, 'close')
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line === 'ready') this.#isReady = true
      else this.#counts.set(Number(line), this.ran(Number(line)) + 1)
    })
  }

  /** Resolves once it takes what is sent. */
  async ready(): Promise<this> {
    await eventually(
      () => {
        if (!this.isAlive) throw new TypeError(`the child ended: ${this.#stderr}`)
        return this.#isReady
      },
      { timeoutMs: 30_000 },
    )
    return this
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** How often it began with this id. */
  ran(id: number): number {
    return this.#counts.get(id) ?? 0
  }

  /** How many different ids it began with. */
  get began(): number {
    return this.#counts.size
  }

  /** Resolves once it is gone, and all that it wrote was read. */
  async kill(): Promise<void> {
    if (this.isAlive) this.#child.kill('SIGKILL')
    await this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
