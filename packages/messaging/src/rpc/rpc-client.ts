import {
  InvalidTargetError,
  isHermodError,
  RpcVersionCapError,
  type JsonObject,
  type JsonValue,
} from '@hermod/kernel'
import type { SendDiagnostics } from '../diagnostics.ts'
import { requireCapabilities, type DriverCapabilities } from '../driver/driver-capabilities.ts'
import type { Destination, OutgoingRequest, SendOptions } from '../driver/driver.ts'
import { observeSend } from '../observe-send.ts'
import { plainSerializer, type PayloadSerializer } from '../payload-serializer.ts'
import { Target, type TargetParts } from '../target.ts'
import type { Transport } from '../transport.ts'
import type {
  CallParameters,
  ClientArguments,
  ClientResult,
  ClientSchemas,
  UntypedEndpoint,
} from './client-types.ts'
import { DeadlineSignal } from './deadline-signal.ts'
import type { RpcMethods } from './endpoint-types.ts'
import { fitSchema } from './fit-schema.ts'
import { RemoteErrorRegistry } from './remote-error-registry.ts'
import {
  checkSendSettings,
  type RpcClientOptions,
  type RpcPreparation,
  type RpcRequestOptions,
  type RpcSendSettings,
} from './rpc-client-options.ts'
import { checkRpcVersion, isCompatibleVersion } from './rpc-version.ts'
import type { MethodSchemas } from './standard-schema.ts'

/** What a client and all that were prepared from it have done. */
export interface RpcClientStats {
  readonly calls: number
  readonly casts: number
  /** Calls and casts that have not ended. */
  readonly inFlight: number
  /** Calls and casts that were rejected, for whatever reason: also those in the next two. */
  readonly failed: number
  /** Those of {@link failed} that took too long. */
  readonly timedOut: number
  /** Those of {@link failed} in which the server said that the method failed. */
  readonly remoteErrors: number
}

type Arguments = Readonly<Record<string, unknown>>

/**
 * Sends requests to the servers of a target: `call` waits for the result, `cast` does not. Immutable but for its
 * counters; {@link prepare} makes another one.
 *
 * A request is delivered at most once, to one server (with `fanout` to each). A rejection that nobody awaits does not
 * end the process: it is counted, logged and published as diagnostics.
 *
 * @source oslo.messaging rpc/client.py RPCClient
 */
export class RpcClient<Endpoint = UntypedEndpoint, Context = JsonObject, Schemas = object> {
  readonly target: Target
  readonly #transport: Transport
  readonly #options: RpcClientOptions<Context, Schemas>
  readonly #serializer: PayloadSerializer<Context>
  #counters = { calls: 0, casts: 0, inFlight: 0, failed: 0, timedOut: 0, remoteErrors: 0 }

  /**
   * Does no I/O.
   * @throws {ConfigurationError} E_CONFIG for options that cannot be used.
   * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver lacks what they ask for.
   */
  constructor(
    transport: Transport,
    target: Omit<TargetParts, 'legacyNamespaces'>,
    options: RpcClientOptions<Context, Schemas> = {},
  ) {
    checkSendSettings(options)
    if (target.version !== undefined) checkRpcVersion(target.version, 'the version of the target')
    this.#transport = transport
    // A Target that a server shares may have some.
    this.target = new Target({ ...target, legacyNamespaces: undefined })
    this.#options = options
    this.#serializer = options.serializer ?? (plainSerializer as unknown as PayloadSerializer<Context>)
    requireCapabilities(transport.driver.name, transport.capabilities, neededBy(this.target, options))
  }

  /**
   * A client with another target or other settings; everything else, counters included, is shared.
   * @throws as the constructor.
   */
  prepare(changes: RpcPreparation): RpcClient<Endpoint, Context, Schemas> {
    const options = { ...this.#options, ...changes }
    const prepared = new RpcClient<Endpoint, Context, Schemas>(
      this.#transport,
      this.target.with(changes),
      options,
    )
    prepared.#counters = this.#counters
    return prepared
  }

  /**
   * Whether the version cap lets a request of this version through.
   * @param version absent: the target's; null: none.
   */
  canSendVersion(version: string | null | undefined = this.target.version): boolean {
    const { versionCap } = this.#options
    if (versionCap === undefined) return true
    return typeof version === 'string' && isCompatibleVersion(versionCap, version)
  }

  /**
   * Calls a method and waits for its result.
   *
   * @throws {InvalidTargetError} E_TARGET without a topic, and for a fanout; nothing was sent.
   * @throws {RpcVersionCapError} E_VERSION_CAP when the version cap forbids it; nothing was sent.
   * @throws {ValidationError} E_VALIDATION when arguments or result do not fit their schema.
   * @throws {EncodeError} E_ENCODE when the arguments or the context have no JSON form.
   * @throws {MessagingTimeoutError} E_TIMEOUT when no reply came in time, or no sign of life; the method may run all the
   *   same.
   * @throws {MessageUndeliverableError} E_UNROUTABLE with `atLeastOnce`, when no server would get it.
   * @throws {RemoteError} E_REMOTE, E_NO_METHOD or E_RPC_VERSION when the server says that it failed; errors of the
   *   client's registry in its place.
   */
  call<Method extends RpcMethods<Endpoint>>(
    method: Method,
    ...rest: CallParameters<ClientArguments<Endpoint, Schemas, Method>, RpcRequestOptions<Context>>
  ): Promise<ClientResult<Endpoint, Schemas, Method>> {
    this.#counters.calls++
    const [args, options] = rest as readonly [Arguments?, RpcRequestOptions<Context>?]
    const calling = this.#observe('call', method, (headers) => this.#call(method, args, options, headers))
    this.#count('call', method, calling)
    return calling as Promise<ClientResult<Endpoint, Schemas, Method>>
  }

  /**
   * Sends a request that has no reply; resolves once the peer has it. Whether a server gets it, and what becomes of it
   * there, nobody learns.
   *
   * `timeoutMs` of the options bounds the sending; absent: no limit.
   *
   * @throws as {@link call}, except what a reply says.
   */
  cast<Method extends RpcMethods<Endpoint>>(
    method: Method,
    ...rest: CallParameters<ClientArguments<Endpoint, Schemas, Method>, RpcRequestOptions<Context>>
  ): Promise<void> {
    this.#counters.casts++
    const [args, options] = rest as readonly [Arguments?, RpcRequestOptions<Context>?]
    const casting = this.#observe('cast', method, (headers) => this.#cast(method, args, options, headers))
    this.#count('cast', method, casting)
    return casting
  }

  /** Counted since the first of the clients was made from which this one was prepared. */
  stats(): RpcClientStats {
    return { ...this.#counters }
  }

  async #call(
    method: string,
    args: Arguments = {},
    options: RpcRequestOptions<Context> = {},
    headers: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const { target } = this
    if (target.fanout) {
      throw new InvalidTargetError(
        'a call has one reply, so it cannot go to all servers; cast it',
        target.toString(),
      )
    }
    const destination = this.#destination()
    const schemas = this.#schemasOf(method)
    // Without a schema nothing is awaited before the driver has the request: the order of calls holds.
    if (schemas?.args !== undefined) await fitSchema(schemas.args, args, `the arguments of '${method}'`)
    const context = options.context ?? ({} as Context)
    const reply = await this.#transport.driver.call(
      destination,
      this.#request(method, args, context, headers),
      {
        signal: options.signal,
        retries: this.#options.retries,
        mandatory: this.#options.atLeastOnce ?? false,
        timeoutMs: options.timeoutMs ?? this.#options.timeoutMs ?? this.#transport.responseTimeoutMs,
        monitorTimeoutMs: this.#options.callMonitorTimeoutMs,
      },
    )
    if (reply.failure !== undefined) {
      this.#counters.remoteErrors++
      throw (this.#options.errors ?? RemoteErrorRegistry.standard).errorOf(reply.failure)
    }
    const result = this.#serializer.deserializeEntity(context, reply.result)
    return schemas?.result === undefined
      ? result
      : fitSchema(schemas.result, result, `the result of '${method}'`)
  }

  async #cast(
    method: string,
    args: Arguments = {},
    options: RpcRequestOptions<Context> = {},
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const destination = this.#destination()
    const schema = this.#schemasOf(method)?.args
    if (schema !== undefined) await fitSchema(schema, args, `the arguments of '${method}'`)
    const request = this.#request(method, args, options.context ?? ({} as Context), headers)
    const { driver, clock } = this.#transport
    const { timeoutMs } = options
    if (timeoutMs === undefined) {
      await driver.cast(destination, request, this.#sendOptions(options.signal))
      return
    }
    const deadline = new DeadlineSignal({ ...options, timeoutMs }, `the cast of '${method}'`, clock)
    try {
      await driver.cast(destination, request, this.#sendOptions(deadline.signal))
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  /** Where requests go, once it is sure that they may. */
  #destination(): Destination {
    const { exchange, topic, server, fanout, version } = this.target
    if (topic === undefined || topic === '') {
      throw new InvalidTargetError('the target of a request needs a topic', this.target.toString())
    }
    const { versionCap } = this.#options
    if (versionCap !== undefined && !this.canSendVersion(version ?? null)) {
      throw new RpcVersionCapError(version, versionCap)
    }
    return { exchange: exchange || this.#transport.controlExchange, topic, server, fanout }
  }

  #request(
    method: string,
    args: Arguments,
    context: Context,
    headers: Readonly<Record<string, string>>,
  ): OutgoingRequest {
    const { namespace, version } = this.target
    // Members in their order, and added one by one: to spread objects in costs more than the rest of the request.
    const message: {
      -readonly [Member in keyof OutgoingRequest['message']]: OutgoingRequest['message'][Member]
    } = {
      method,
      args: this.#serializedArguments(context, args),
    }
    if (namespace !== undefined) message.namespace = namespace
    if (version !== undefined) message.version = version
    return { message, context: this.#serializer.serializeContext(context) as JsonObject, headers }
  }

  #serializedArguments(context: Context, args: Arguments): JsonObject {
    const serializer = this.#serializer
    // What it is not changed by need not be copied either: the driver writes it as text at once.
    if ((serializer as unknown) === plainSerializer) return args as JsonObject
    return Object.fromEntries(
      Object.entries(args)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, serializer.serializeEntity(context, value) as JsonValue]),
    )
  }

  #schemasOf(method: string): MethodSchemas | undefined {
    const schemas = this.#options.schemas as Readonly<Record<string, MethodSchemas>> | undefined
    return schemas !== undefined && Object.hasOwn(schemas, method) ? schemas[method] : undefined
  }

  #sendOptions(signal: AbortSignal | undefined): SendOptions {
    const { retries, atLeastOnce = false } = this.#options
    return { signal, retries, mandatory: atLeastOnce }
  }

  #observe<T>(
    kind: 'call' | 'cast',
    method: string,
    send: (headers: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<T> {
    const describe = (): SendDiagnostics => ({
      kind,
      driver: this.#transport.driver.name,
      exchange: this.target.exchange || this.#transport.controlExchange,
      topic: this.target.topic ?? '',
      server: this.target.server,
      fanout: this.target.fanout,
      method,
      eventType: undefined,
      priority: undefined,
      headers: {},
    })
    return observeSend(describe, send)
  }

  /** Counts what becomes of a request. That somebody listens here keeps a rejection that nobody awaits from ending the process. */
  #count(kind: 'call' | 'cast', method: string, sending: Promise<unknown>): void {
    const counters = this.#counters
    counters.inFlight++
    sending.then(
      () => void counters.inFlight--,
      (error: unknown) => {
        counters.inFlight--
        counters.failed++
        if (isHermodError(error) && error.code === 'E_TIMEOUT') counters.timedOut++
        // Who calls wants the result and hears of it; who casts may well listen to nothing.
        const level = kind === 'cast' ? 'warn' : 'debug'
        this.#transport.logger[level]({ target: this.target.toString(), method, error }, `a ${kind} failed`)
      },
    )
  }
}

function neededBy(target: Target, options: RpcSendSettings): readonly (keyof DriverCapabilities)[] {
  const needed: (keyof DriverCapabilities)[] = ['rpc']
  if (target.fanout) needed.push('fanout')
  if (options.atLeastOnce === true) needed.push('mandatory')
  if (options.callMonitorTimeoutMs !== undefined) needed.push('callMonitoring')
  return needed
}

/**
 * Makes a client. `createRpcClient<typeof endpoint>(…)` knows the methods, arguments and results of an endpoint, whether
 * it is an object, the instance of a class or what `defineEndpoint` made; without a type every method can be called and
 * every result is JSON, except where `schemas` say more.
 *
 * @throws {ConfigurationError} E_CONFIG for options that cannot be used.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver lacks what they ask for.
 */
export function createRpcClient<
  const Schemas extends Readonly<Record<string, MethodSchemas>>,
  Context = JsonObject,
>(
  transport: Transport,
  target: Omit<TargetParts, 'legacyNamespaces'>,
  options: RpcClientOptions<Context, Schemas> & { readonly schemas: Schemas },
): RpcClient<UntypedEndpoint, Context, Schemas>
export function createRpcClient<Endpoint = UntypedEndpoint, Context = JsonObject>(
  transport: Transport,
  target: Omit<TargetParts, 'legacyNamespaces'>,
  options?: RpcClientOptions<Context, ClientSchemas<Endpoint>>,
): RpcClient<Endpoint, Context>
export function createRpcClient<Context>(
  transport: Transport,
  target: Omit<TargetParts, 'legacyNamespaces'>,
  options?: RpcClientOptions<Context>,
): RpcClient<UntypedEndpoint, Context> {
  return new RpcClient(transport, target, options)
}
