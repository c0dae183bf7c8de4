import type { Tap, TapOptions, TapStats } from '@hermod/events'
import { ConfigurationError, createDeferred, isHermodError, withDeadline } from '@hermod/kernel'
import { knownExchanges } from '@hermod/openstack'
import { Announcer } from '../announcer.ts'
import type { CliIo } from '../cli-io.ts'
import { connectionSettings, type ConnectionSettings } from '../connection-settings.ts'
import { Ending } from '../ending.ts'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import { createFilter } from '../filters.ts'
import { createEventLine } from '../output/event-line.ts'
import { EventOutput } from '../output/event-output.ts'
import { watchStopSignals } from '../stop-signals.ts'
import { TapReporter } from '../tap-reporter.ts'
import { checkTopics, type ListenPlan } from './listen-plan.ts'
import { TimeLimits } from './time-limits.ts'

/** How long nothing may be shown before the reasons are explained. */
const SILENCE_MS = 10_000

/** How long closing may take; the broker drops the tap's queue with the connection in any case. */
const CLOSE_LIMIT_MS = 2000

/** How long a reader of stdout that stalls may hold up a user who wants to leave. */
const FLUSH_LIMIT_MS = 500

/**
 * Shows events until something ends it; resolves with the exit status.
 *
 * @param onTapping called once nothing is missed any more.
 */
export async function listen(plan: ListenPlan, io: CliIo, onTapping?: () => void): Promise<number> {
  const session = new ListenSession(plan, io, onTapping)
  const unwatch = watchStopSignals(io.signalSource, {
    stop: (code) => session.stop(code),
    hurry: () => session.hurry(),
  })
  const onStdoutError = (error: Error): void => session.stdoutFailed(error)
  io.stdout.on('error', onStdoutError)
  try {
    return await session.run()
  } finally {
    unwatch()
    io.stdout.off('error', onStdoutError)
  }
}

class ListenSession {
  readonly #plan: ListenPlan
  readonly #io: CliIo
  readonly #announcer: Announcer
  readonly #reporter: TapReporter
  readonly #output: EventOutput
  readonly #onTapping: (() => void) | undefined
  readonly #ending = new Ending()
  readonly #abort = new AbortController()
  readonly #hurry = createDeferred<void>()
  #closing: Promise<boolean> | undefined
  #timeOver: 'for' | 'idle' | undefined
  /** What the tap was bound to when the time was over; a closed tap is bound to nothing. */
  #statsAtEnd: TapStats | undefined
  #readerGone = false

  constructor(plan: ListenPlan, io: CliIo, onTapping: (() => void) | undefined) {
    this.#plan = plan
    this.#io = io
    this.#onTapping = onTapping
    this.#announcer = new Announcer(io.stderr, plan.quiet)
    this.#reporter = new TapReporter(this.#announcer, io.clock)
    this.#output = new EventOutput(io.stdout, createEventLine(plan, io))
  }

  async run(): Promise<number> {
    try {
      const settings = await connectionSettings(this.#plan.connection)
      for (const text of settings.notes) this.#announcer.note(text)
      const tap = await this.#open(settings)
      if (tap === undefined) return this.#ending.code as number
      return await this.#follow(tap, settings)
    } catch (error) {
      return this.#ending.code ?? this.#failed(error)
    }
  }

  /** No more events: what is open is closed, and the run ends with this status. */
  stop(code: number): void {
    this.#ending.decide(code)
    this.#abort.abort(new Error('interrupted'))
  }

  /** Nothing is waited for any more. */
  hurry(): void {
    this.#hurry.resolve()
  }

  /** Whoever reads stdout has what they want when they close it; anything else is a failure. */
  stdoutFailed(error: NodeJS.ErrnoException): void {
    this.#readerGone = true
    if (error.code === 'EPIPE') {
      this.stop(EXIT.ok)
    } else {
      this.#announcer.alert(`stdout cannot be written (${error.code ?? error.message})`)
      this.stop(EXIT.internal)
    }
  }

  /** The tap; undefined when the wish to leave came first. */
  async #open(settings: ConnectionSettings): Promise<Tap | undefined> {
    const opening = this.#io.openTap(this.#tapOptions(settings))
    const tap = await this.#ending.orEnd(opening)
    if (tap === undefined)
      opening.then(
        (late) => late.close(),
        () => {},
      )
    return tap
  }

  #tapOptions(settings: ConnectionSettings): TapOptions {
    const { servers, controlExchange, heartbeatMs, connectTimeoutMs } = settings
    const issues: string[] = []
    checkTopics('the conf file: topic', settings.topics, issues)
    if (issues.length > 0) throw new ConfigurationError(issues)
    const known = knownExchanges()
    const isNew = controlExchange !== undefined && !known.includes(controlExchange)
    const exchanges = this.#plan.exchanges ?? (isNew ? [...known, controlExchange] : undefined)
    return {
      servers,
      topics: [...settings.topics, ...this.#plan.topics],
      ...(exchanges === undefined ? {} : { exchanges }),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      signal: this.#abort.signal,
    }
  }

  async #follow(tap: Tap, { servers }: ConnectionSettings): Promise<number> {
    const { clock } = this.#io
    tap.onStatus((status) => {
      this.#reporter.status(status)
      if (status.type === 'disconnected') limits.tapAway(true)
      else if (status.type === 'connected') limits.tapAway(false)
    })
    this.#reporter.opened(tap.stats(), servers)
    this.#onTapping?.()
    const silence = clock.after(SILENCE_MS, () => this.#explainSilence(tap.stats()), { background: true })
    const limits = new TimeLimits(clock, {
      forMs: this.#plan.forMs,
      untilIdleMs: this.#plan.untilIdleMs,
      onOver: (reason) => this.#endTime(reason, tap),
    })
    try {
      await this.#show(tap, limits)
    } finally {
      silence.cancel()
      limits.cancel()
      await this.#close(tap)
    }
    await this.#flush()
    if (this.#readerGone) return this.#ending.code as number
    if (this.#statsAtEnd !== undefined) this.#explainSilence(this.#statsAtEnd)
    this.#reporter.summary(this.#output.shown, tap.stats())
    return this.#ending.code ?? this.#verdict()
  }

  async #show(tap: Tap, limits: TimeLimits): Promise<void> {
    const accepts = createFilter(this.#plan.filter)
    const events = tap[Symbol.asyncIterator]()
    for (;;) {
      const step = await this.#ending.orEnd(events.next())
      if (step === undefined || step.done === true) return
      if (!accepts(step.value)) continue
      const room = this.#output.write(step.value)
      limits.sawEvent()
      if (this.#output.shown === this.#plan.count) return
      if (room === undefined) continue
      // Meanwhile the tap's ring fills, and counts what it must drop.
      limits.outputBlocked(true)
      await this.#ending.orEnd(room)
      limits.outputBlocked(false)
    }
  }

  /** Without a queue the tap is away, which is explanation enough and was told. */
  #explainSilence(stats: TapStats): void {
    if (this.#output.shown > 0 || stats.queue === '') return
    this.#reporter.explainSilence(stats, this.#plan.filtered)
  }

  /** What the tap holds already is still shown: closing ends its iteration behind that. */
  #endTime(reason: 'for' | 'idle', tap: Tap): void {
    this.#timeOver ??= reason
    this.#statsAtEnd ??= tap.stats()
    void this.#close(tap).then((closed) => closed || this.#ending.decide(this.#verdict()))
  }

  /** Resolves with whether the tap closed in time. Asked again, it gives the first answer. */
  #close(tap: Tap): Promise<boolean> {
    const { clock } = this.#io
    this.#closing ??= Promise.race([
      withDeadline(tap.close(), { timeoutMs: CLOSE_LIMIT_MS }, 'closing the tap', clock).then(
        () => true,
        () => false,
      ),
      this.#hurry.promise.then(() => false),
    ])
    return this.#closing
  }

  async #flush(): Promise<void> {
    const flushed = this.#output.flush()
    if (this.#ending.code === undefined) {
      await this.#ending.orEnd(flushed)
    } else {
      const limited = withDeadline(flushed, { timeoutMs: FLUSH_LIMIT_MS }, 'flushing', this.#io.clock)
      await Promise.race([limited.catch(() => {}), this.#hurry.promise])
    }
  }

  #verdict(): number {
    const { count } = this.#plan
    const reached = count !== undefined && this.#output.shown >= count
    if (reached || this.#timeOver === 'idle') return EXIT.ok
    if (this.#timeOver === 'for') return count === undefined ? EXIT.ok : EXIT.timeout
    this.#announcer.alert('the tap ended by itself')
    return EXIT.connection
  }

  #failed(error: unknown): number {
    if (!isHermodError(error)) {
      this.#announcer.alert(`unexpected failure: ${error instanceof Error ? error.message : String(error)}`)
      return EXIT.internal
    }
    // Of several brokers each has its own reason.
    this.#announcer.alert(error.cause instanceof AggregateError ? error.cause.message : error.message)
    if (error.code === 'E_URL' && this.#plan.connection.source.type === 'flag') return EXIT.usage
    // Nothing here waits for an answer once the tap is open, so a time that is over was the connection's.
    return error.code === 'E_TIMEOUT' ? EXIT.connection : exitCodeOf(error)
  }
}
