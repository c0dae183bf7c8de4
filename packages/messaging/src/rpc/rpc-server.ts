import {
  ConfigurationError,
  createDeferred,
  InvalidTargetError,
  withDeadline,
  type DeadlineOptions,
  type JsonObject,
} from '@hermod/kernel'
import { requireCapabilities } from '../driver/driver-capabilities.ts'
import type { ServedTarget } from '../driver/driver.ts'
import { plainSerializer } from '../payload-serializer.ts'
import { Target, type TargetParts } from '../target.ts'
import type { Transport } from '../transport.ts'
import { Dispatcher } from './dispatcher.ts'
import { RequestRunner, type RequestRunnerOptions } from './request-runner.ts'
import {
  DEFAULT_CONCURRENCY,
  type RpcServerOptions,
  type RpcServerState,
  type RpcServerStats,
  type StopOptions,
} from './rpc-server-options.ts'
import { serverCounters } from './server-counters.ts'
import { ServerRun, type ServerEnd } from './server-run.ts'

/**
 * Serves the methods of endpoints to remote callers: what is sent to its topic (each request to one of the topic's
 * servers), to itself, and to all servers of the topic.
 *
 * A request runs at most once: it is accepted when there is a slot for it, just before its method runs; see
 * `acknowledge`. It may be started, stopped and started again, in any order.
 *
 * @source oslo.messaging rpc/server.py RPCServer; server.py MessageHandlingServer
 */
export class RpcServer implements AsyncDisposable {
  readonly target: Target
  readonly #transport: Transport
  readonly #served: ServedTarget
  readonly #runnerOptions: RequestRunnerOptions
  readonly #counters = serverCounters()
  #run: ServerRun | undefined
  /** The end of the run of now, or of the first. */
  #closed = createDeferred<ServerEnd>()

  /**
   * Does no I/O.
   * @throws {InvalidTargetError} E_TARGET for a target without topic or server.
   * @throws {ConfigurationError} E_CONFIG for endpoints and options that cannot be used.
   * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver has no remote calls, or cannot `acknowledge` so.
   */
  constructor(transport: Transport, target: Target | TargetParts, options: RpcServerOptions<never>) {
    const { conf, driver, clock, logger } = transport
    const { acknowledge = 'before' } = options
    this.target = target instanceof Target ? target : new Target(target)
    this.#transport = transport
    this.#served = servedBy(this.target, transport.controlExchange)
    requireCapabilities(driver.name, driver.capabilities, [
      'rpc',
      ...(acknowledge === 'after' ? (['redelivery'] as const) : []),
    ])
    this.#runnerOptions = {
      dispatcher: new Dispatcher(options.endpoints, {
        accessPolicy: options.accessPolicy ?? 'default',
        serializer: options.serializer ?? plainSerializer,
        expectedErrors: options.expectedErrors ?? [],
        ping: options.ping ?? conf?.getBoolean('DEFAULT', 'rpc_ping_enabled') ?? false,
        logger,
      }),
      concurrency: concurrencyOf(
        options.concurrency ??
          conf?.getInteger('DEFAULT', 'executor_thread_pool_size', 'rpc_thread_pool_size') ??
          DEFAULT_CONCURRENCY,
      ),
      acknowledge,
      errorModule: options.errorModule ?? 'hermod',
      driver: driver.name,
      topic: this.#served.topic,
      clock,
      logger,
      counters: this.#counters,
    }
  }

  get state(): RpcServerState {
    return this.#run?.state ?? 'stopped'
  }

  /** Settles when it has stopped, with the error when the peer ended it or the start failed; never rejects. */
  get closed(): Promise<ServerEnd> {
    return this.#closed.promise
  }

  stats(): RpcServerStats {
    const { running = 0, waiting = 0, replying = 0 } = this.#run?.runner ?? {}
    return { ...this.#counters, running, waiting, replying }
  }

  /**
   * Resolves when requests sent from now on arrive. While it is stopping, it starts when it has stopped; when it runs,
   * nothing is done.
   *
   * A start that is given up (signal, time) is undone, unless somebody else had begun it.
   */
  async start(options: DeadlineOptions = {}): Promise<void> {
    const { clock } = this.#transport
    options.signal?.throwIfAborted()
    const startedMs = clock.monotonicMs()
    while (this.#run?.isEnding === true)
      await withDeadline(this.closed, options, 'the start of the server', clock)
    const { signal, timeoutMs = Infinity } = options
    const left = { signal, timeoutMs: Math.max(0, timeoutMs - (clock.monotonicMs() - startedMs)) }
    if (this.#run !== undefined && this.state !== 'stopped')
      return withDeadline(this.#run.started, left, 'the start of the server', clock)
    const run = this.#begin()
    try {
      await withDeadline(run.started, left, 'the start of the server', clock)
    } catch (error) {
      run.failToStart(error)
      throw error
    }
  }

  /**
   * Takes no more requests, gives back those that no method runs for, and resolves when the methods that run have ended
   * and their replies are sent, or when `timeoutMs` is over: their calls' signals abort then, and their callers get a
   * failure (with `acknowledge: 'after'` their requests are given back). A start that is under way is awaited; a server
   * that does not run stops at once. Never rejects.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    await this.#run?.stop(options.timeoutMs)
  }

  /** As {@link stop}: a stopped server holds nothing. */
  close(options?: StopOptions): Promise<void> {
    return this.stop(options)
  }

  /**
   * Resolves when it has stopped, whoever stops it; before its first start, when that one's run has ended.
   * @throws what ended it, when it was not stopped here.
   */
  async wait(options: DeadlineOptions = {}): Promise<void> {
    const { clock } = this.#transport
    const { error } = await withDeadline(this.closed, options, 'the end of the server', clock)
    if (error !== undefined) throw error
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #begin(): ServerRun {
    const { clock, logger, driver } = this.#transport
    if (this.#run !== undefined) this.#closed = createDeferred()
    const closed = this.#closed
    const run = new ServerRun(new RequestRunner(this.#runnerOptions), clock, logger)
    this.#run = run
    void run.over.then((end) => closed.resolve(end))
    void run.begin(driver, this.#served, this.#runnerOptions.concurrency)
    return run
  }
}

/**
 * Makes a server; it serves when it is started.
 *
 * @throws {InvalidTargetError} E_TARGET for a target without topic or server.
 * @throws {ConfigurationError} E_CONFIG for endpoints and options that cannot be used.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver has no remote calls, or cannot `acknowledge` so.
 * @example
 * const server = createRpcServer(transport, { topic: 'test', server: 'server1' }, { endpoints: [calculator] })
 * await server.start()
 */
export function createRpcServer<Context = JsonObject>(
  transport: Transport,
  target: Target | TargetParts,
  options: RpcServerOptions<Context>,
): RpcServer {
  return new RpcServer(transport, target, options as RpcServerOptions<never>)
}

function servedBy(target: Target, controlExchange: string): ServedTarget {
  const { exchange, topic = '', server = '' } = target
  if (topic === '') throw new InvalidTargetError("a server needs a 'topic'", target.toString())
  if (server === '')
    throw new InvalidTargetError("a server needs a 'server', its own name", target.toString())
  return { exchange: exchange || controlExchange, topic, server }
}

function concurrencyOf(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1) return concurrency
  throw new ConfigurationError([`'concurrency' is ${concurrency}; it is a whole number from 1`])
}
