import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { firstLine } from '../brokers/first-line.ts'
import { findEntry } from '../contestants/roster.ts'
import { PYTHON } from './python.ts'

const WORKER = fileURLToPath(new URL('server.worker.js', import.meta.url))

/** Who serves, and where. */
export interface ServerPlan {
  readonly contestant: string
  readonly url: string
  readonly topic: string
  /** Where to write a CPU profile of its whole life, if one is wanted; only in Node. */
  readonly profileFile?: string
}

/** What answers the calls of a job: the same library as its client, in a process of its own. */
export class JobServer implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Resolves when it takes requests. */
  static async start(plan: ServerPlan): Promise<JobServer> {
    const entry = findEntry(plan.contestant)
    const [file, program] =
      entry.runtime === 'node' ? [process.execPath, WORKER] : [PYTHON, entry.serverProgram]
    if (program === undefined) throw new Error(`'${plan.contestant}' serves nothing`)
    const child = spawn(file, [program, JSON.stringify(plan)], { stdio: ['pipe', 'pipe', 'inherit'] })
    await firstLine(child.stdout)
    return new JobServer(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}
