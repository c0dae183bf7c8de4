import {
  createDeferred,
  UnsupportedFeatureError,
  type Clock,
  type Deferred,
  type JsonObject,
  type LogDetails,
  type Logger,
} from '@hermod/kernel'
import {
  createTransport,
  type Driver,
  type DriverCapabilities,
  type DriverSubscription,
  type IncomingRequest,
  type Reply,
  type ServedTarget,
  type ServeOptions,
  type Transport,
  type TransportOptions,
} from '../../src/index.ts'

const CAPABILITIES: DriverCapabilities = {
  rpc: true,
  fanout: true,
  mandatory: true,
  callMonitoring: true,
  redelivery: true,
  notifications: false,
  pools: false,
  requeue: false,
  headers: true,
}

/** A request that a test hands to a server, and what became of it. */
export class ScriptedRequest implements IncomingRequest {
  readonly message: JsonObject
  readonly context: JsonObject
  readonly headers: Readonly<Record<string, string>>
  readonly expectsReply: boolean
  readonly monitorTimeoutMs: number | undefined
  /** What was done with it, in order. */
  readonly story: string[] = []
  readonly replies: Reply[] = []
  beats = 0
  /** What accepting answers. */
  acceptance: 'accepted' | 'duplicate' | 'lost' = 'accepted'
  /** What a heartbeat answers. */
  heard: () => Promise<boolean> = () => Promise.resolve(true)
  /** What sending a reply waits for, or fails with. */
  sending: () => Promise<void> = () => Promise.resolve()

  constructor(
    message: JsonObject,
    given: Partial<Pick<IncomingRequest, 'context' | 'headers' | 'expectsReply' | 'monitorTimeoutMs'>> = {},
  ) {
    this.message = message
    this.context = given.context ?? {}
    this.headers = given.headers ?? {}
    this.expectsReply = given.expectsReply ?? true
    this.monitorTimeoutMs = given.monitorTimeoutMs
  }

  accept(): 'accepted' | 'duplicate' | 'lost' {
    this.story.push('accept')
    return this.acceptance
  }

  release(): void {
    this.story.push('release')
  }

  async reply(reply: Reply): Promise<void> {
    await this.sending()
    this.story.push('reply')
    this.replies.push(reply)
  }

  heartbeat(): Promise<boolean> {
    this.beats++
    return this.heard()
  }
}

/** A driver whose requests a test hands over. */
export class ScriptedDriver implements Driver {
  readonly name = 'scripted'
  readonly capabilities: DriverCapabilities
  /** Every `serve`, in order. */
  readonly served: { readonly target: ServedTarget; readonly options: ServeOptions }[] = []
  /** What was done to the subscriptions, in order. */
  readonly story: string[] = []
  /** What serving, stopping and closing wait for, or fail with. */
  serving: () => Promise<void> = () => Promise.resolve()
  stopping: () => Promise<void> = () => Promise.resolve()
  closing: () => Promise<void> = () => Promise.resolve()
  #ended: Deferred<{ readonly error?: Error }> = createDeferred()

  constructor(capabilities: Partial<DriverCapabilities> = {}) {
    this.capabilities = { ...CAPABILITIES, ...capabilities }
  }

  async serve(target: ServedTarget, options: ServeOptions): Promise<DriverSubscription> {
    this.served.push({ target, options })
    this.story.push('serve')
    const ended = (this.#ended = createDeferred())
    await this.serving()
    return {
      stop: () => {
        this.story.push('stop')
        return this.stopping()
      },
      close: async () => {
        this.story.push('close')
        await this.closing()
        ended.resolve({})
      },
      closed: ended.promise,
    }
  }

  /** Hands a request to the last server. */
  deliver<Request extends ScriptedRequest>(request: Request): Request {
    this.served.at(-1)!.options.onRequest(request)
    return request
  }

  /** Hands a call with these arguments to the last server. */
  request(method: string, args: JsonObject = {}): ScriptedRequest {
    return this.deliver(new ScriptedRequest({ method, args }))
  }

  /** The peer ends what it serves. */
  end(error?: Error): void {
    this.#ended.resolve(error === undefined ? {} : { error })
  }

  connect(): Promise<void> {
    return Promise.resolve()
  }

  call = unsupported
  cast = unsupported
  notify = unsupported
  listen = unsupported

  stats(): ReturnType<Driver['stats']> {
    return {
      sent: 0,
      received: 0,
      duplicates: 0,
      refused: 0,
      unexpectedReplies: 0,
      lostReplies: 0,
      disconnects: 0,
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function unsupported(): Promise<never> {
  return Promise.reject(new UnsupportedFeatureError('the scripted driver only serves'))
}

/** A line of a log. */
export interface LogLine {
  readonly level: keyof Logger
  readonly details: LogDetails
  readonly message: string
}

/** Keeps what it is told. */
export function keepingLogger(lines: LogLine[]): Logger {
  const keep =
    (level: keyof Logger) =>
    (details: LogDetails, message: string): void =>
      void lines.push({ level, details, message })
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }
}

/** A transport on a scripted driver. */
export function transportOn(
  driver: Driver,
  options: {
    readonly clock?: Clock
    readonly logger?: Logger
    readonly conf?: TransportOptions['conf']
  } = {},
): Transport {
  return createTransport('scripted://', {
    drivers: [{ schemes: ['scripted'], create: () => driver }],
    ...options,
  })
}
