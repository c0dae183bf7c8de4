import { ConfigurationError, InvalidTargetError, type DeadlineOptions, type JsonObject } from '@hermod/kernel'
import { requireCapabilities } from '../driver/driver-capabilities.ts'
import type { ServedTarget } from '../driver/driver.ts'
import { plainSerializer } from '../payload-serializer.ts'
import { RestartableRun } from '../restartable-run.ts'
import type { RunOutcome, RunState, StopOptions } from '../subscription-run.ts'
import { Target, type TargetParts } from '../target.ts'
import type { Transport } from '../transport.ts'
import { Dispatcher } from './dispatcher.ts'
import { RequestRunner, type RequestRunnerOptions } from './request-runner.ts'
import { DEFAULT_CONCURRENCY, type RpcServerOptions, type RpcServerStats } from './rpc-server-options.ts'
import { serverCounters } from './server-counters.ts'

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
  readonly #counters = serverCounters()
  readonly #run: RestartableRun<RequestRunner>

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
    const served = servedBy(this.target, transport.controlExchange)
    requireCapabilities(driver.name, driver.capabilities, [
      'rpc',
      ...(acknowledge === 'after' ? (['redelivery'] as const) : []),
    ])
    const runnerOptions: RequestRunnerOptions = {
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
      topic: served.topic,
      clock,
      logger,
      counters: this.#counters,
    }
    this.#run = new RestartableRun('the server', clock, logger, () => {
      const work = new RequestRunner(runnerOptions)
      const serving = { backlog: runnerOptions.concurrency, onRequest: work.take.bind(work) }
      return { work, subscribe: (signal) => driver.serve(served, { ...serving, signal }) }
    })
  }

  get state(): RunState {
    return this.#run.state
  }

  /** Settles when it has stopped, with the error when the peer ended it or the start failed; never rejects. */
  get closed(): Promise<RunOutcome> {
    return this.#run.closed
  }

  stats(): RpcServerStats {
    const { runningCount: running = 0, waiting = 0, replying = 0 } = this.#run.work ?? {}
    return { ...this.#counters, running, waiting, replying }
  }

  /**
   * Resolves when requests sent from now on arrive. While it is stopping, it starts when it has stopped; when it runs,
   * nothing is done.
   *
   * A start that is given up (signal, time) is undone, unless somebody else had begun it.
   */
  start(options?: DeadlineOptions): Promise<void> {
    return this.#run.start(options)
  }

  /**
   * Takes no more requests, gives back those that no method runs for, and resolves when the methods that run have ended
   * and their replies are sent, or when `timeoutMs` is over: their calls' signals abort then, and their callers get a
   * failure (with `acknowledge: 'after'` their requests are given back). A start that is under way is awaited; a server
   * that does not run stops at once. Never rejects.
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.#run.stop(options.timeoutMs)
  }

  /** As {@link stop}: a stopped server holds nothing. */
  close(options?: StopOptions): Promise<void> {
    return this.stop(options)
  }

  /**
   * Resolves when it has stopped, whoever stops it; before its first start, when that one's run has ended.
   * @throws what ended it, when it was not stopped here.
   */
  wait(options: DeadlineOptions = {}): Promise<void> {
    return this.#run.wait(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
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
