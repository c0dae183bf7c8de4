import type { HermodError } from '@hermod/kernel'
import type { Connection } from '../client/connection.ts'
import type { ConnectionOptions } from '../client/connection-options.ts'
import type { Consumer } from './consumer.ts'
import type { ConsumerHandler, ConsumerOptions, DecodeErrorPolicy } from './consumer-options.ts'
import type { ProducerOptions } from './producer-options.ts'
import type { Queue } from './queue.ts'

/** A consumer that a Runner makes: its queues, its handler (or `onMessage`), and its options. */
export interface RunnerConsumer extends ConsumerOptions {
  readonly queues: Queue | readonly Queue[]
  readonly handler?: ConsumerHandler | undefined
}

/** What the hooks of a Runner get. */
export interface RunnerContext {
  /** The connection that is consumed on; it comes back by itself when it breaks. */
  readonly connection: Connection
  /** Empty until they are made. */
  readonly consumers: readonly Consumer[]
}

type MaybePromise<T> = T | Promise<T>

/** What a Runner does and what it tells. A hook that throws or rejects ends the run, in order, with its error. */
export interface RunnerOptions {
  /** Its consumers, each on a channel of its own; a function is asked at each run, once it is connected. */
  readonly consumers:
    readonly RunnerConsumer[] | ((context: RunnerContext) => MaybePromise<readonly RunnerConsumer[]>)
  /** For the connection that is consumed on, and the one of {@link Runner.producer}. */
  readonly connection?: Omit<ConnectionOptions, 'signal' | 'connectRetries'> | undefined
  /** For the producer. Its `resend` is true unless it is set here. */
  readonly producer?: ProducerOptions | undefined
  /**
   * How often connecting is tried again, at the start and each time the connection is lost, before the run rejects.
   * Default `Infinity`: the run ends by `stop` or its signal alone; every failure is told to `onConnectionError`.
   */
  readonly connectMaxRetries?: number | undefined
  /** How long the end waits for messages that are being worked on, milliseconds. Default 30 s. */
  readonly drainTimeoutMs?: number | undefined
  /** How often `onIteration` is called, milliseconds. Default 1 s. */
  readonly iterationMs?: number | undefined
  /** What becomes of messages that cannot be read, where a consumer does not say so itself. Default `reject`. */
  readonly onDecodeError?: DecodeErrorPolicy | undefined
  /** The connection is there: at the start, and after each time it was lost. */
  readonly onConnectionRevived?: ((context: RunnerContext) => unknown) | undefined
  /** It is not there, or cannot be used; the next attempt follows after `nextDelayMs`; undefined: there is none. */
  readonly onConnectionError?: ((error: HermodError, nextDelayMs: number | undefined) => unknown) | undefined
  /** Every queue is consumed: at the start, and after each time the connection was lost. */
  readonly onConsumeReady?: ((context: RunnerContext) => unknown) | undefined
  /** Nothing is consumed or worked on any more, and the connection is about to be closed. */
  readonly onConsumeEnd?: ((context: RunnerContext) => unknown) | undefined
  /** Called every `iterationMs`, busy or not; the next call waits for the promise of this one. */
  readonly onIteration?: (() => unknown) | undefined
  /** What is there before the first message comes, and is disposed of after the last one is done. */
  readonly extraContext?:
    ((context: RunnerContext) => MaybePromise<AsyncDisposable | Disposable | undefined | void>) | undefined
}

/** How long a run lasts. */
export interface RunOptions {
  /** Aborting is the same as `stop`: the run resolves when it has ended in order. */
  readonly signal?: AbortSignal | undefined
  /** The run ends when so many messages were handed to handlers. What else was on its way goes back. */
  readonly limit?: number | undefined
  /** The run ends when no message has come for this long and none is being worked on, milliseconds. */
  readonly idleTimeoutMs?: number | undefined
}

/** How a run ended. */
export interface RunEnd {
  readonly reason: 'stopped' | 'aborted' | 'limit' | 'idle'
  /** Messages that were handed to handlers. */
  readonly received: number
  /** Whether everything that was being worked on was done in time; if not, the broker delivers it again. */
  readonly drained: boolean
}
