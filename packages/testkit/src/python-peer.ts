import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import {
  createDeferred,
  HermodError,
  UnsupportedFeatureError,
  withDeadline,
  type Deferred,
} from '@hermod/kernel'
import { findPython, PYTHON } from './availability.ts'
import { childGuard } from './child-guard.ts'

/** How long a peer may take to answer: Python libraries load slowly on a busy machine. */
const ANSWER_TIMEOUT_MS = 60_000
/** A peer whose stdin was closed ends by itself; after this it is killed. */
const END_TIMEOUT_MS = 10_000

/** What a peer wrote: one JSON object a line. */
export type PeerLine = Readonly<Record<string, unknown>>

/** How long to wait for a line. */
export interface PeerWait {
  /** Milliseconds; 60 000 where absent. */
  readonly timeoutMs?: number | undefined
}

/**
 * Starts a Python program that speaks one JSON object a line on stdin and stdout.
 *
 * @param script the absolute path of the program.
 * @param python the path of the interpreter; `/usr/bin/python3` where absent.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when there is no Python.
 */
export function startPython(
  script: string,
  args: readonly string[] = [],
  python: string = PYTHON,
): PythonPeer {
  const availability = findPython([], python)
  if (!availability.available) throw new UnsupportedFeatureError(availability.reason)
  // oslo.messaging looks for the leader of its process group; that of the tests may have ended.
  const child = spawn(python, ['-u', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  childGuard.watch(child)
  return new PythonPeer(script, child)
}

/** A running Python program; disposing closes its stdin and waits for its end. */
export class PythonPeer implements AsyncDisposable {
  readonly #script: string
  readonly #child: ChildProcess
  readonly #lines: PeerLine[] = []
  #change: Deferred<void> = createDeferred()
  #stderr = ''
  #ended = false

  constructor(script: string, child: ChildProcess) {
    this.#script = script
    this.#child = child
    child.stdin?.on('error', () => {}) // a program that is gone shows in the next wait
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.#lines.push(this.#parse(line))
        this.#changed()
      })
    }
    child.on('close', () => {
      this.#ended = true
      this.#changed()
    })
  }

  /** What the program wrote to stderr so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** Writes one object as a line of JSON. */
  send(command: object): void {
    this.sendLine(JSON.stringify(command))
  }

  /** Writes a line as it is, for what `JSON.stringify` cannot say (NaN, long integers, `__proto__`). */
  sendLine(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /**
   * The next line that was not taken yet.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT when there is none in time.
   * @throws {HermodError} E_CONN_LOST when the program ended; its stderr is in the message.
   */
  async next(wait: PeerWait = {}): Promise<PeerLine> {
    const { timeoutMs = ANSWER_TIMEOUT_MS } = wait
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) return line
      if (this.#ended) throw this.#gone()
      const leftMs = Math.max(1, endMs - performance.now())
      await withDeadline(this.#change.promise, { timeoutMs: leftMs }, `a line of ${this.#script}`)
    }
  }

  /** Takes lines until one fulfils `predicate`, which it gives; those before it are dropped. Throws as {@link next}. */
  async until(predicate: (line: PeerLine) => boolean, wait: PeerWait = {}): Promise<PeerLine> {
    const { timeoutMs = ANSWER_TIMEOUT_MS } = wait
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const line = await this.next({ timeoutMs: Math.max(1, endMs - performance.now()) })
      if (predicate(line)) return line
    }
  }

  /**
   * {@link send}, then the next line.
   *
   * @throws {HermodError} E_CONN_LOST when the program answers with an `error`, else as {@link next}.
   */
  async ask(command: object | string): Promise<PeerLine> {
    if (typeof command === 'string') this.sendLine(command)
    else this.send(command)
    const answer = await this.next()
    if ('error' in answer) throw new HermodError('E_CONN_LOST', `${this.#script}: ${String(answer['error'])}`)
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    const closed = once(this.#child, 'close')
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS)
    await closed
    clearTimeout(timer)
  }

  #parse(line: string): PeerLine {
    try {
      return JSON.parse(line) as PeerLine
    } catch {
      return { error: `not a line of JSON: ${line}` }
    }
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = createDeferred()
  }

  #gone(): HermodError {
    const { exitCode, signalCode } = this.#child
    return new HermodError(
      'E_CONN_LOST',
      `${this.#script} ended with ${signalCode ?? exitCode}\n${this.#stderr.trimEnd()}`,
    )
  }
}
