import type { Writable } from 'node:stream'
import { createDeferred, isHermodError, type Deferred, type Timer } from '@hermod/kernel'
import type { Announcer } from './announcer.ts'
import type { CliIo } from './cli-io.ts'
import type { ConnectionRequest } from './connection-flags.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { watchStopSignals } from './stop-signals.ts'

/** How long a reader of stdout that stalls may hold up a user who wants to leave. */
const FLUSH_LIMIT_MS = 500

/** What a command is made of. */
export interface CommandWork {
  /** Where a bad URL would come from. */
  readonly connection: Pick<ConnectionRequest, 'source'>
  /**
   * Resolves with the exit status.
   * @param signal aborts when somebody wants the command to stop: then that status holds.
   * @param hurry aborts when nothing is waited for any more: the process ends behind that.
   */
  readonly run: (signal: AbortSignal, hurry: AbortSignal) => Promise<number>
  /** Told of what ended it, but for a stop, before it is said on stderr. */
  readonly onError?: (error: unknown) => void
}

/**
 * Runs a command until it is done or somebody wants it to stop: by a signal, or because nobody reads stdout any more.
 * A second signal waits for nothing.
 *
 * @returns the exit status; never rejects.
 */
export async function runCommand(io: CliIo, announcer: Announcer, work: CommandWork): Promise<number> {
  const stop = new Stop(io, announcer)
  try {
    return await stop.orHurry(finished(io, announcer, work, stop), () => stop.code ?? EXIT.internal)
  } finally {
    stop.unwatch()
  }
}

async function finished(io: CliIo, announcer: Announcer, work: CommandWork, stop: Stop): Promise<number> {
  let code: number
  try {
    code = await work.run(stop.signal, stop.hurry)
  } catch (error) {
    if (stop.code !== undefined) return stop.code
    work.onError?.(error)
    code = reported(error, work.connection, announcer)
  }
  await flushed(io, stop)
  return stop.code ?? code
}

function reported(error: unknown, { source }: CommandWork['connection'], announcer: Announcer): number {
  if (!isHermodError(error)) {
    announcer.alert(`unexpected failure: ${error instanceof Error ? error.message : String(error)}`)
    return EXIT.internal
  }
  // Of several brokers each has its own reason.
  announcer.alert(error.cause instanceof AggregateError ? error.cause.message : error.message)
  return error.code === 'E_URL' && source.type === 'flag' ? EXIT.usage : exitCodeOf(error)
}

/** The wish to stop. */
class Stop {
  readonly unwatch: () => void
  readonly #abort = new AbortController()
  readonly #hurry = new AbortController()
  readonly #hurried: Deferred<void> = createDeferred()
  #code: number | undefined

  constructor(io: CliIo, announcer: Announcer) {
    const unwatchSignals = watchStopSignals(io.signalSource, {
      stop: (code) => this.#stop(code),
      hurry: () => {
        this.#hurry.abort(new Error('interrupted again'))
        this.#hurried.resolve()
      },
    })
    const onStdoutError = (error: NodeJS.ErrnoException): void => {
      // Whoever closes stdout has what they want.
      if (error.code !== 'EPIPE') announcer.alert(`stdout cannot be written (${error.code ?? error.message})`)
      this.#stop(error.code === 'EPIPE' ? EXIT.ok : EXIT.internal)
    }
    io.stdout.on('error', onStdoutError)
    this.unwatch = () => {
      unwatchSignals()
      io.stdout.off('error', onStdoutError)
    }
  }

  /** The exit status of the stop; undefined while nobody wants one. */
  get code(): number | undefined {
    return this.#code
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  /** What comes first: the work, or the wish to wait for nothing. */
  orHurry<T>(work: Promise<T>, otherwise: () => T): Promise<T> {
    return Promise.race([work, this.#hurried.promise.then(otherwise)])
  }

  #stop(code: number): void {
    this.#code ??= code
    this.#abort.abort(new Error('interrupted'))
  }
}

/** Resolves when what was written to stdout has left this process, or, once somebody wants to leave, will not soon. */
async function flushed({ stdout, clock }: CliIo, { signal }: Stop): Promise<void> {
  let timer: Timer | undefined
  const limit = new Promise<void>((resolve) => {
    const arm = (): void => void (timer = clock.after(FLUSH_LIMIT_MS, resolve))
    if (signal.aborted) arm()
    else signal.addEventListener('abort', arm, { once: true })
  })
  await Promise.race([writtenOut(stdout), limit])
  timer?.cancel()
}

function writtenOut(stream: Writable): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}
