import { rabbit } from '@hermod/driver-rabbit'
import {
  isHermodError,
  parsePythonJson,
  RemoteError,
  stringifyJson,
  type JsonObject,
  type JsonValue,
} from '@hermod/kernel'
import {
  createRpcClient,
  createRpcServer,
  createTransport,
  RemoteErrorRegistry,
  type RpcServer,
  type Transport,
} from '@hermod/messaging'
import type { PythonPeer } from '@hermod/testkit'
import { startPeer } from '../e2e/start-peer.ts'
import type { OsloPython } from './oslo-pythons.ts'
import { RpcEndpoint, type SeenCall } from './rpc-endpoint.ts'

/** The exchange of servers and requests that name none. */
export const EXCHANGE = 'calculating'

/** Who calls or serves: this library, or a release of oslo.messaging. */
export type Side = 'hermod' | OsloPython

/** As a text for the names of suites. */
export const sideName = (side: Side): string =>
  side === 'hermod' ? 'Hermod' : `oslo.messaging ${side.release}`

/** A request, in words that both sides understand. */
export interface PeerRequest {
  readonly topic: string
  readonly method: string
  readonly args?: JsonObject
  /** More arguments, which only a client of Python sends: numbers as `float()` reads them. */
  readonly floats?: Readonly<Record<string, string>>
  readonly context?: JsonObject
  readonly exchange?: string
  readonly server?: string
  readonly fanout?: boolean
  readonly namespace?: string
  readonly version?: string
  readonly cast?: boolean
  /** Seconds, as the next one. */
  readonly timeout?: number
  readonly call_monitor_timeout?: number
  readonly retry?: number
  readonly at_least_once?: boolean
  readonly version_cap?: string
}

/** How a call ended. Of an error: what the client raised, or the class that the server named, and its text. */
export type Outcome =
  | { readonly result: JsonValue }
  | {
      readonly raised: string
      readonly text: string
      /** The class of what the client raised. */
      readonly caught: string
      readonly details?: unknown
    }

/** Sends requests. A cast ends with the result null. */
export interface RpcCaller extends AsyncDisposable {
  ask(request: PeerRequest): Promise<Outcome>
  /** All of them at the same time. */
  askAll(requests: readonly PeerRequest[]): Promise<readonly Outcome[]>
}

/** What a server offers. */
interface PeerServer {
  readonly topic: string
  readonly server: string
  readonly exchange?: string
  readonly endpoints?: readonly {
    readonly namespace?: string
    readonly version?: string
    readonly legacy_namespaces?: readonly (string | null)[]
  }[]
}

/** Runs servers with the methods of the peer `oslo_rpc_server`. All answer to pings. */
export interface RpcHost extends AsyncDisposable {
  /** Resolves when requests sent from now on arrive. */
  serve(server: PeerServer): Promise<void>
  /** The text that `append` made at the first endpoint of a server, and the calls that it got. */
  state(server: string): Promise<{ readonly text: string; readonly calls: readonly SeenCall[] }>
}

/** What both sides call the same error of a client. */
const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  MessagingTimeout: 'timeout',
  E_TIMEOUT: 'timeout',
  MessageUndeliverable: 'undeliverable',
  E_UNROUTABLE: 'undeliverable',
  MessageDeliveryFailure: 'not delivered',
  E_DELIVERY: 'not delivered',
  RPCVersionCapError: 'over the version cap',
  E_VERSION_CAP: 'over the version cap',
  InvalidTarget: 'invalid target',
  E_TARGET: 'invalid target',
}

export function openTransport(url: string, controlExchange = EXCHANGE): Transport {
  return createTransport(url.replace('amqp:', 'rabbit:'), { drivers: [rabbit()], controlExchange })
}

/** The Python class of the same name as an error of this process. */
class OutOfStock extends RemoteError {}

export function openCaller(side: Side, url: string): RpcCaller {
  return side === 'hermod' ? new HermodCaller(url) : new PythonCaller(side, url)
}

export async function openHost(side: Side, url: string): Promise<RpcHost> {
  if (side === 'hermod') return new HermodHost(url)
  const first = { topic: 'unused', server: 'unused', conf: { rpc_ping_enabled: true } }
  const peer = startPeer('oslo_rpc_server', { url, exchange: EXCHANGE, ...first }, side.python)
  await peer.next()
  return new PythonHost(peer)
}

class HermodCaller implements RpcCaller {
  readonly #transport: Transport

  constructor(url: string) {
    this.#transport = openTransport(url)
  }

  async ask(request: PeerRequest): Promise<Outcome> {
    const { topic, exchange, server, fanout, namespace, version, method, args = {}, context } = request
    const client = createRpcClient(
      this.#transport,
      { topic, exchange, server, fanout, namespace, version },
      {
        timeoutMs: request.timeout === undefined ? undefined : request.timeout * 1000,
        callMonitorTimeoutMs:
          request.call_monitor_timeout === undefined ? undefined : request.call_monitor_timeout * 1000,
        retries: request.retry,
        atLeastOnce: request.at_least_once,
        versionCap: request.version_cap,
        errors: RemoteErrorRegistry.standard.allow('oslo_rpc_errors', { OutOfStock }),
      },
    )
    try {
      if (request.cast !== true) return { result: await client.call(method, args, { context }) }
      await client.cast(method, args, { context })
      return { result: null }
    } catch (error) {
      if (error instanceof RemoteError) {
        const { class: raised, message: text, kwargs } = error.failure
        const outcome = { raised, text, caught: error.constructor.name }
        return error instanceof OutOfStock ? { ...outcome, details: kwargs } : outcome
      }
      if (!isHermodError(error)) throw error
      const { code, message: text, constructor } = error
      return { raised: CLIENT_ERRORS[code] ?? code, text, caught: constructor.name }
    }
  }

  askAll(requests: readonly PeerRequest[]): Promise<readonly Outcome[]> {
    return Promise.all(requests.map((request) => this.ask(request)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport.close()
  }
}

class PythonCaller implements RpcCaller {
  readonly #peer: PythonPeer

  constructor({ python }: OsloPython, url: string) {
    const options = { exchange: EXCHANGE, allowed_modules: ['oslo_rpc_errors'] }
    this.#peer = startPeer('oslo_rpc_client', { url, ...options }, python)
  }

  async ask(request: PeerRequest): Promise<Outcome> {
    return outcomeOf(await this.#peer.ask(stringifyJson({ ...request, exact: true })))
  }

  async askAll(requests: readonly PeerRequest[]): Promise<readonly Outcome[]> {
    const exact = requests.map((request) => ({ ...request, exact: true }))
    const { answers } = await this.#peer.ask(stringifyJson({ at_once: exact }))
    return (answers as readonly PythonAnswer[]).map(outcomeOf)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]()
  }
}

interface PythonAnswer {
  readonly json?: string
  readonly raised?: {
    readonly type: string
    readonly text: string
    readonly remote?: string
    readonly details?: unknown
  }
}

function outcomeOf(answer: PythonAnswer): Outcome {
  if (answer.raised === undefined) return { result: parsePythonJson(answer.json ?? '') }
  const { type: caught, remote, text, details } = answer.raised
  const outcome = { raised: remote ?? CLIENT_ERRORS[caught] ?? caught, text, caught }
  return details === undefined ? outcome : { ...outcome, details }
}

class HermodHost implements RpcHost {
  readonly #transport: Transport
  readonly #servers: RpcServer[] = []
  readonly #first = new Map<string, RpcEndpoint>()

  constructor(url: string) {
    this.#transport = openTransport(url)
  }

  async serve({ topic, server, exchange, endpoints = [{}] }: PeerServer): Promise<void> {
    const made = endpoints.map(
      ({ namespace, version, legacy_namespaces: legacy = [] }) =>
        new RpcEndpoint(server, {
          namespace,
          version,
          legacyNamespaces: legacy.map((name) => name ?? undefined),
        }),
    )
    if (made[0] !== undefined) this.#first.set(server, made[0])
    const started = createRpcServer(
      this.#transport,
      { topic, server, exchange },
      { endpoints: made, ping: true },
    )
    this.#servers.push(started)
    await started.start()
  }

  state(server: string): ReturnType<RpcHost['state']> {
    const { text = '', seen: calls = [] } = this.#first.get(server) ?? {}
    return Promise.resolve({ text, calls })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()))
    await this.#transport.close()
  }
}

class PythonHost implements RpcHost {
  readonly #peer: PythonPeer

  constructor(peer: PythonPeer) {
    this.#peer = peer
  }

  async serve(server: PeerServer): Promise<void> {
    await this.#peer.ask({ serve: server })
  }

  async state(server: string): ReturnType<RpcHost['state']> {
    return (await this.#peer.ask({ state: server })) as unknown as Awaited<ReturnType<RpcHost['state']>>
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]()
  }
}
