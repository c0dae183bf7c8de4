import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { RemoteException } from '@hermod/messaging'

/** A program and how it is run. */
export interface ProgramOptions {
  /** The program and its arguments, as they are: there is no shell. */
  readonly argv: readonly [program: string, ...args: string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  /** It is killed after this long. */
  readonly timeoutMs: number
}

/** What a program may write: as much as a body holds. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/** Of what it writes to stderr this much is looked at. */
const MAX_COMPLAINT_BYTES = 4096

/**
 * Runs a program in a process group of its own; gives what it wrote to stdout.
 *
 * @param input written to its stdin; a program need not read it.
 * @param signal kills it, and everything that it started.
 * @throws {RemoteException} for the caller: the first line of stderr where it ended with a status other than 0, and what
 *   else kept it from a result.
 */
export async function runProgram(
  options: ProgramOptions,
  input: string,
  signal: AbortSignal,
): Promise<string> {
  const [program, ...args] = options.argv
  if (signal.aborted) throw failed('the server stops')
  const child = spawn(program, args, { env: options.env, detached: true, stdio: 'pipe' })
  let reason: string | undefined
  const kill = (why: string): void => {
    reason ??= why
    killGroup(child)
    // What has left its group may hold these open for as long as it likes.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const onAbort = (): void => kill('the server stops')
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => kill(`it ran longer than ${options.timeoutMs} ms`), options.timeoutMs)
  try {
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const [output, complaint, [code, killedBy]] = await Promise.all([
      textOf(child.stdout, MAX_OUTPUT_BYTES, () => kill(`it wrote more than ${MAX_OUTPUT_BYTES} bytes`)),
      textOf(child.stderr, MAX_COMPLAINT_BYTES),
      ended(child),
    ])
    if (reason !== undefined) throw failed(reason)
    if (code === 0) return output
    throw failed(firstLine(complaint) || (code === null ? `killed by ${killedBy}` : `exit status ${code}`))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<readonly [code: number | null, signal: NodeJS.Signals | null]> {
  try {
    return (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw failed(`the program cannot be started (${code ?? message})`)
  }
}

/** It and all that it started and that stayed in its group. */
function killGroup({ pid }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended in this moment.
  }
}

/** The beginning of what a stream brings; the rest is read and dropped. */
async function textOf(stream: Readable, maxBytes: number, onMore: () => void = () => {}): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes < maxBytes) chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) onMore()
  })
  // Also where it is destroyed.
  await once(stream, 'close')
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8')
}

function firstLine(text: string): string {
  return text.trimStart().split(/\r?\n/, 1)[0] ?? ''
}

function failed(why: string): RemoteException {
  return new RemoteException('CommandFailed', why, { module: 'hermod' })
}
