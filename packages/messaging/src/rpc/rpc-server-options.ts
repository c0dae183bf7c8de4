import type { JsonObject } from '@hermod/kernel'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { AccessPolicy } from './access-policy.ts'
import type { ExpectedError } from './define-endpoint.ts'

/** What an RPC server offers, and how. */
export interface RpcServerOptions<Context = JsonObject> {
  /**
   * What `defineEndpoint` made, or any objects with methods: their `target`, where they have one, says namespace and
   * version, and `static exposed` of their class lists what may be called, where it has such a list. Requests go to the
   * first that has the method.
   */
  readonly endpoints: readonly object[]
  /**
   * How many methods run at a time; by default the conf file's `executor_thread_pool_size`, else 64. As many requests
   * more are taken in advance (none with `acknowledge: 'after'`); the others wait with the broker.
   */
  readonly concurrency?: number | undefined
  /** Which methods may be called; `default`. */
  readonly accessPolicy?: AccessPolicy | undefined
  /**
   * When a request is forgotten by the broker. `before`: just before its method runs, so that it runs once at most and is
   * lost with the process. `after`: when the method has run, so that it runs again, here or elsewhere, when the process
   * ends meanwhile. `before` is the default.
   */
  readonly acknowledge?: 'before' | 'after' | undefined
  /** Answers to pings (`oslo_rpc_server_ping`); by default the conf file's `rpc_ping_enabled`, else false. */
  readonly ping?: boolean | undefined
  readonly serializer?: PayloadSerializer<Context> | undefined
  /** Errors of any method that belong to its interface: the caller gets them like others, the log has them at `debug`. */
  readonly expectedErrors?: readonly ExpectedError[] | undefined
  /** The Python module that errors get which name none: see `failureOfError`. `hermod`. */
  readonly errorModule?: string | undefined
}

/** How many methods run at a time by default. */
export const DEFAULT_CONCURRENCY = 64

/** What an RPC server has done since it was made, and is doing. */
export interface RpcServerStats {
  /** Requests that came. */
  readonly received: number
  /** Methods that run. */
  readonly running: number
  /** Requests that wait for one of them to end. */
  readonly waiting: number
  /** Replies on their way. */
  readonly replying: number
  /** Methods that returned. */
  readonly done: number
  /** Methods that threw, or whose arguments, result or schema did not fit. */
  readonly failed: number
  readonly noSuchMethod: number
  readonly unsupportedVersion: number
  /** Requests that were none. */
  readonly malformed: number
  /** Copies of requests that had run before; with `acknowledge: 'after'` they ran again. */
  readonly duplicates: number
  /** Requests that the broker had taken back; with `acknowledge: 'after'` their methods had run then. */
  readonly lost: number
  /** Requests that were given back because the server stopped. */
  readonly released: number
  /** Methods that still ran when the server waited no longer for them. */
  readonly aborted: number
  /** Of these, those that ended later: what they returned or threw reached nobody. */
  readonly lateReplies: number
  /** Results that had no JSON form; counted as done too. */
  readonly unwritableResults: number
}
