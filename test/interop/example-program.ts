import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withDeadline } from '@hermod/kernel'
import { eventually } from '@hermod/testkit'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const compiler = join(repository, 'node_modules/typescript/bin/tsc')

const TSCONFIG = {
  compilerOptions: {
    module: 'NodeNext',
    target: 'ES2023',
    strict: true,
    types: ['node'],
    skipLibCheck: true,
  },
  files: ['main.ts'],
}

/** A program of examples/ or of a guide, compiled and run as a user would: in a project of its own, on the built packages. */
export class ExampleProgram implements AsyncDisposable {
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #stdout = ''
  #stderr = ''

  /**
   * @param url the broker, as `HERMOD_URL`.
   * @param source its text; by default that of `examples/NAME/main.ts`.
   */
  constructor(name: string, url: string, source?: string) {
    this.#folder = mkdtempSync(join(tmpdir(), `hermod-example-${name}-`))
    const program = source ?? readFileSync(join(repository, 'examples', name, 'main.ts'), 'utf8')
    writeFileSync(join(this.#folder, 'main.ts'), program)
    symlinkSync(join(repository, 'node_modules'), join(this.#folder, 'node_modules'))
    writeFileSync(join(this.#folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
    execFileSync(process.execPath, [compiler, '-p', this.#folder], { stdio: 'pipe' })
    this.#child = spawn(process.execPath, ['main.js'], {
      cwd: this.#folder,
      env: { ...process.env, HERMOD_URL: url, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
  }

  /** What it wrote to stdout so far. */
  get stdout(): string {
    return this.#stdout
  }

  /** What it wrote to stderr so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** Waits until `holds`; a program that ends meanwhile fails the wait with what it wrote to stderr. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    const holdsYet = async (): Promise<boolean> => {
      if (this.#child.exitCode !== null) throw new TypeError(`the example ended: ${this.#stderr}`)
      return holds()
    }
    await eventually(holdsYet, { timeoutMs: 30_000 })
  }

  /** Waits until it ends by itself; gives its exit status. */
  async ended(): Promise<number | null> {
    await withDeadline(this.#closed, { timeoutMs: 30_000 }, 'the end of the example')
    return this.#child.exitCode
  }

  /** Ends it as a user does with Ctrl-C; gives its exit status, null when it did not care for the signal. */
  interrupt(): Promise<number | null> {
    this.#child.kill('SIGINT')
    return this.ended()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#child.exitCode === null && this.#child.signalCode === null) await this.interrupt()
    } finally {
      this.#child.kill('SIGKILL')
      rmSync(this.#folder, { recursive: true, force: true })
    }
  }
}
