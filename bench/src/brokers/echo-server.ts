import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { firstLine } from './first-line.ts'

const WORKER = fileURLToPath(new URL('echo-server.worker.js', import.meta.url))

/** The echo that answers calls, in a process of its own. */
export class EchoServer implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when it consumes the queue, which must exist. */
  static async start(url: string, queue: string): Promise<EchoServer> {
    const child = spawn(process.execPath, [WORKER, url, queue], { stdio: ['pipe', 'pipe', 'inherit'] })
    await firstLine(child.stdout)
    return new EchoServer(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}
