import { spawn, type ChildProcess } from 'node:child_process'

/**
 * Runs in a process of its own. When this process ends, however it ends, its side of the pipe closes, and what is
 * still guarded is ended by its pid; only then are the folders removed.
 */
export const GUARD_PROGRAM: string = `
const { rmSync } = require('node:fs')
const pids = new Set()
const folders = new Set()
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (text) => {
  const lines = (rest + text).split('\\n')
  rest = lines.pop()
  for (const line of lines) {
    const [set, change, value] = JSON.parse(line)
    const values = set === 'pid' ? pids : folders
    if (change === 'add') values.add(value)
    else values.delete(value)
  }
})
process.stdin.on('end', () => {
  for (const pid of pids) {
    try { process.kill(pid, 'SIGKILL') } catch {}
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
})
`

/** Ends child processes and removes folders when this process is gone, even when it was killed. */
class ChildGuard {
  #guard: ChildProcess | undefined

  /** Ends `child` with this process, unless it ended before. */
  watch(child: ChildProcess): void {
    const { pid } = child
    if (pid === undefined) return
    this.#tell(['pid', 'add', pid])
    child.once('exit', () => this.#tell(['pid', 'remove', pid]))
  }

  /** Removes `folder` with this process. */
  watchFolder(folder: string): void {
    this.#tell(['folder', 'add', folder])
  }

  /** Says that `folder` is gone already. */
  releaseFolder(folder: string): void {
    this.#tell(['folder', 'remove', folder])
  }

  #tell(change: readonly [set: 'pid' | 'folder', change: 'add' | 'remove', value: number | string]): void {
    this.#guard ??= startGuard()
    this.#guard.stdin?.write(`${JSON.stringify(change)}\n`)
  }
}

function startGuard(): ChildProcess {
  // A session of its own: Ctrl-C on the terminal must not end the guard before its work.
  const guard = spawn(process.execPath, ['-e', GUARD_PROGRAM], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
    env: {},
  })
  guard.unref()
  const stdin = guard.stdin as NodeJS.WritableStream & { unref?: () => void }
  stdin.on('error', () => {})
  stdin.unref?.()
  return guard
}

/** The one guard of this process. */
export const childGuard: ChildGuard = new ChildGuard()
