import {
  ConfigurationError,
  ValidationError,
  type Failure,
  type JsonObject,
  type JsonValue,
  type Logger,
} from '@hermod/kernel'
import { plainSerializer, type PayloadSerializer } from '../payload-serializer.ts'
import { ACCESS_POLICIES, type AccessPolicy } from './access-policy.ts'
import { callableMethod, type CallableMethod } from './callable-method.ts'
import type { ExpectedError } from './define-endpoint.ts'
import { malformedRequest, noSuchMethod, unsupportedVersion } from './dispatch-refusal.ts'
import { Endpoint, isExpected } from './endpoint.ts'
import type { LazyAbort } from './lazy-abort.ts'
import { PING_METHOD, pingEndpoint } from './ping-endpoint.ts'
import { RemoteException } from './remote-exception.ts'
import type { RpcCall } from './rpc-call.ts'
import { DEFAULT_RPC_VERSION } from './rpc-version.ts'
import { fitSchema } from './fit-schema.ts'

/** How a {@link Dispatcher} is made. */
export interface DispatcherOptions {
  readonly accessPolicy: AccessPolicy
  readonly serializer: PayloadSerializer<unknown>
  /** Of all methods. */
  readonly expectedErrors: readonly ExpectedError[]
  readonly ping: boolean
  readonly logger: Logger
}

/** The method that a request is for. */
export interface Route {
  readonly endpoint: Endpoint
  readonly method: string
  readonly run: CallableMethod
  readonly namespace: string | undefined
  readonly version: string
}

/** A request as far as dispatching it needs it. */
export interface DispatchRequest {
  readonly message: JsonObject
  readonly context: JsonObject
  readonly headers: Readonly<Record<string, string>>
  readonly expectsReply: boolean
}

/**
 * Finds the method that a request is for, and runs it.
 *
 * Endpoints are asked in their order; the first that has namespace, version and method gets the request. Of the request
 * nothing is believed.
 *
 * @source oslo.messaging rpc/dispatcher.py RPCDispatcher
 */
export class Dispatcher {
  readonly #endpoints: readonly Endpoint[]
  readonly #policy: AccessPolicy
  readonly #serializer: PayloadSerializer<unknown>
  readonly #expectedErrors: readonly ExpectedError[]
  readonly #logger: Logger

  /** @throws {ConfigurationError} E_CONFIG for what is no endpoint and for an unknown access policy. */
  constructor(endpoints: readonly object[], options: DispatcherOptions) {
    if (!ACCESS_POLICIES.includes(options.accessPolicy)) {
      const problem = `'accessPolicy' is none of ${ACCESS_POLICIES.join(', ')}`
      throw new ConfigurationError([problem])
    }
    const all = endpoints.map((endpoint, place) => new Endpoint(endpoint, place))
    this.#policy = options.accessPolicy
    this.#serializer = options.serializer
    this.#expectedErrors = options.expectedErrors
    this.#logger = options.logger
    if (options.ping) {
      const taken = all.find(({ methods }) => callableMethod(methods, PING_METHOD) !== undefined)
      if (taken === undefined) all.push(new Endpoint(pingEndpoint, all.length))
      else this.#logger.warn({}, `the ping endpoint is left out: ${taken.name} has ${PING_METHOD} itself`)
    }
    this.#endpoints = all
  }

  /** @throws {DispatchRefusal} E_NO_METHOD, E_RPC_VERSION; E_REMOTE for requests that are none. */
  route(message: JsonObject): Route {
    const { method, namespace, version = DEFAULT_RPC_VERSION } = message
    let isServed = false
    for (const endpoint of this.#endpoints) {
      if (!endpoint.serves(namespace ?? undefined, version)) continue
      isServed = true
      if (typeof method !== 'string')
        throw malformedRequest('TypeError', `the method of a request is a text, not ${kindOf(method)}`)
      const run = endpoint.method(method, this.#policy)
      if (run !== undefined) {
        return {
          endpoint,
          method,
          run,
          namespace: (namespace ?? undefined) as string | undefined,
          version: version as string,
        }
      }
    }
    throw isServed ? noSuchMethod(method as string) : unsupportedVersion(version, method)
  }

  /**
   * Runs the method.
   * @returns what goes back to the caller; null where the method returns nothing.
   * @throws what the method throws, and what its schemas and the serializer do.
   */
  async run(route: Route, request: DispatchRequest, abort: LazyAbort): Promise<JsonValue> {
    const { endpoint, method, namespace, version } = route
    const { headers, expectsReply } = request
    const schemas = endpoint.schemasOf(method)
    const context = this.#serializer.deserializeContext(request.context)
    const given = this.#argumentsOf(request.message, context)
    const args =
      schemas.args === undefined
        ? given
        : await fitSchema(schemas.args, given, `the arguments of '${method}'`)
    const call: RpcCall<unknown> = {
      context,
      namespace,
      version,
      method,
      headers,
      expectsReply,
      get signal() {
        return abort.signal
      },
    }
    let result = await Reflect.apply(route.run, endpoint.methods, [args, call])
    if (schemas.result !== undefined) result = await this.#checkResult(route, schemas.result, result)
    return (this.#serializer.serializeEntity(context, result ?? null) ?? null) as JsonValue
  }

  /** Whether the error belongs to the interface, and is no news to whoever runs the server. */
  expects(route: Route, error: unknown, failure: Failure): boolean {
    return (
      isExpected(this.#expectedErrors, error, failure) || route.endpoint.expects(route.method, error, failure)
    )
  }

  #argumentsOf(message: JsonObject, context: unknown): JsonObject {
    const { args = {} } = message
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throw malformedRequest('AttributeError', `the args of a request are an object, not ${kindOf(args)}`)
    if (this.#serializer === plainSerializer) return args
    // fromEntries defines members, so that an argument called `__proto__` stays an ordinary one.
    return Object.fromEntries(
      Object.entries(args).map(([name, value]) => [
        name,
        this.#serializer.deserializeEntity(context, value) as JsonValue,
      ]),
    )
  }

  /** It is the server's own fault: the caller learns no more than that, and the log where. */
  async #checkResult(
    { endpoint, method }: Route,
    schema: Parameters<typeof fitSchema>[0],
    result: unknown,
  ): Promise<unknown> {
    try {
      return await fitSchema(schema, result, `the result of '${method}'`)
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      const problem = `the result of '${method}' does not fit its schema`
      this.#logger.error({ endpoint: endpoint.name, paths: error.paths }, problem)
      throw new RemoteException('RuntimeError', problem)
    }
  }
}

function kindOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}
