import type { Clock, DeadlineOptions, Failure, JsonObject, JsonValue, Logger } from '@hermod/kernel'
import type { Notification, Priority } from '../notification.ts'
import type { OsloConf } from '../oslo-conf.ts'
import type { TransportUrl } from '../transport-url.ts'
import type { DriverCapabilities } from './driver-capabilities.ts'

/*
 * The contract between the patterns (rpc/, notify/) and what carries them. It knows no queues, channels or acks of any
 * broker: a driver may be a broker's client, a log's or none at all. Everything that makes a peer of oslo.messaging out
 * of it (ids, envelopes, flattened contexts, reply addresses) is the driver's, for drivers differ in it; everything that
 * is the same for all is not.
 */

/** Makes drivers for some schemes of transport URLs; passed to `createTransport`. */
export interface DriverFactory {
  /** What stands before `://`, up to a `+`; in lower case. */
  readonly schemes: readonly string[]
  /**
   * Makes a driver and does no I/O.
   * @throws {ConfigurationError} E_CONFIG for options of the URL or the conf file that it does not know or cannot use.
   */
  create(options: DriverOptions): Driver
}

/** What a driver is made from. */
export interface DriverOptions {
  readonly url: TransportUrl
  /** The exchange of targets that name none. */
  readonly defaultExchange: string
  /** The file whose group of this driver sets options that the URL does not. */
  readonly conf: OsloConf | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly onEvent: (event: DriverEvent) => void
}

/** What a driver reports beside its answers. Secrets are masked. */
export type DriverEvent =
  | { readonly type: 'connected'; readonly server: string }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'blocked'; readonly reason: string }
  | { readonly type: 'unblocked' }
  /** A message that could not be read or handed over, and what became of it. */
  | { readonly type: 'refused'; readonly source: string; readonly reason: string }

/** How long connecting may take. */
export interface ConnectOptions extends DeadlineOptions {
  /** How often it is tried again when the peer cannot be reached; absent: for ever. */
  readonly retries?: number | undefined
}

/** Carries requests, replies and notifications. Connects when it is first needed. */
export interface Driver {
  /** As in the URL. */
  readonly name: string
  readonly capabilities: DriverCapabilities

  /** Resolves once the peer is reached and has let us in. Everything else does this by itself. */
  connect(options?: ConnectOptions): Promise<void>

  /**
   * Sends a request and waits for its reply.
   * @returns what the server sent; a failure is a value here.
   * @throws {MessagingTimeoutError} E_TIMEOUT when no reply came in time, or no sign of life within `monitorTimeoutMs`.
   * @throws {MessageUndeliverableError} E_UNROUTABLE when it is mandatory and nobody would get it.
   */
  call(destination: Destination, request: OutgoingRequest, options: CallSendOptions): Promise<Reply>

  /** Sends a request that has no reply; resolves once the peer has it. */
  cast(destination: Destination, request: OutgoingRequest, options: SendOptions): Promise<void>

  /**
   * Takes the requests for a server: those to its topic, to itself and to all. Resolves when whatever is sent from now
   * on arrives.
   * @throws the reason of the options' signal, when what had come of the start is undone.
   */
  serve(served: ServedTarget, options: ServeOptions): Promise<DriverSubscription>

  /** Sends a notification; resolves once the peer has it. */
  notify(
    destination: NotificationDestination,
    notification: OutgoingNotification,
    options: NotifyOptions,
  ): Promise<void>

  /**
   * Takes notifications. Resolves when whatever is sent from now on arrives.
   * @throws as {@link serve}.
   */
  listen(sources: readonly NotificationSource[], options: ListenOptions): Promise<DriverSubscription>

  /** Counters since the driver was made, by name; also those of what was dropped, refused or came too late. */
  stats(): DriverStats

  /** Waits for what was sent to be confirmed, ends what waits, closes every connection. Never rejects. */
  close(options?: DeadlineOptions): Promise<void>
}

/** Counters of a driver. Every driver has these; one may add its own. */
export interface DriverStats {
  readonly sent: number
  readonly received: number
  /** Copies of messages that were taken before. */
  readonly duplicates: number
  /** Messages that could not be read, and were refused. */
  readonly refused: number
  /** Replies to calls that nobody waits for any more, or that never were. */
  readonly unexpectedReplies: number
  /** Replies that their caller could not be given. */
  readonly lostReplies: number
  /** Times that the connection was lost. */
  readonly disconnects: number
  readonly [counter: string]: number
}

/** Where a request goes. */
export interface Destination {
  readonly exchange: string
  readonly topic: string
  /** One server of the topic. */
  readonly server: string | undefined
  /** All servers of the topic; `server` means nothing then. */
  readonly fanout: boolean
}

/**
 * A request as the pattern makes it, in the order in which its members are written. A driver writes it as text before
 * its call returns, so that the program may change what it passed afterwards; one that has no JSON form rejects.
 */
export interface OutgoingRequest {
  readonly message: {
    readonly method: string
    readonly args: JsonObject
    readonly namespace?: string
    readonly version?: string
  }
  readonly context: JsonObject
  /** Text headers beside the message; dropped where the driver has none. */
  readonly headers: Readonly<Record<string, string>>
}

/** How something is sent. */
export interface SendOptions {
  readonly signal: AbortSignal | undefined
  /** How often sending is tried again when the peer cannot be reached; undefined: for ever. */
  readonly retries: number | undefined
  /** Refuses what nobody would get. */
  readonly mandatory: boolean
}

/** How a call is sent. */
export interface CallSendOptions extends SendOptions {
  /** The whole call, sending and waiting. */
  readonly timeoutMs: number
  /** The server is to give a sign of life within this time, again and again. */
  readonly monitorTimeoutMs: number | undefined
}

/** The end of a call. */
export type Reply =
  | { readonly result: JsonValue; readonly failure?: undefined }
  | { readonly failure: Failure; readonly result?: undefined }

/** What a server serves. */
export interface ServedTarget {
  readonly exchange: string
  readonly topic: string
  readonly server: string
}

/** How long a start is wanted. */
export interface StartOptions {
  /** Gives the start up; once that has succeeded it means nothing any more. */
  readonly signal?: AbortSignal | undefined
}

/** How requests are taken. */
export interface ServeOptions extends StartOptions {
  /** How many requests may be handed over and not yet accepted; what is more waits with the peer. */
  readonly backlog: number
  /** Called for each, from within the driver's input: must return at once and not throw. */
  readonly onRequest: (request: IncomingRequest) => void
}

/** A request that came. It is accepted once, or given back. */
export interface IncomingRequest {
  /** As it was sent, without what belongs to the driver. Whatever the peer wrote: nothing of it is checked. */
  readonly message: JsonObject
  readonly context: JsonObject
  readonly headers: Readonly<Record<string, string>>
  /** Whether somebody waits for a reply. */
  readonly expectsReply: boolean
  /** The caller wants a sign of life within this time, in milliseconds; undefined: it does not. */
  readonly monitorTimeoutMs: number | undefined
  /**
   * Takes it over: the peer forgets it.
   * @returns `duplicate` when it was accepted before, `lost` when the peer has taken it back: it must not be run then.
   */
  accept(): 'accepted' | 'duplicate' | 'lost'
  /** Gives it back, for another server or a later start. */
  release(): void
  /**
   * Sends the reply; resolves when the caller has it or never will, which is counted.
   * @throws {EncodeError} E_ENCODE when it has no JSON form, or is larger than the peer takes, and nothing else: nothing
   *   was sent then, and another reply may be.
   */
  reply(reply: Reply): Promise<void>
  /** Tells the caller that the work goes on. False when there is nobody to tell any more. */
  heartbeat(): Promise<boolean>
}

/** Where a notification goes. */
export interface NotificationDestination {
  readonly exchange: string
  readonly topic: string
  readonly priority: Priority
}

/** A notification as the pattern makes it, in the order in which its members are written. */
export interface OutgoingNotification {
  readonly message: JsonObject
  readonly context: JsonObject
  readonly headers: Readonly<Record<string, string>>
}

/** How a notification is sent. */
export interface NotifyOptions {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
  /** As {@link SendOptions.retries}. */
  readonly retries: number | undefined
  /** `1.0`: the bare message (driver `messaging`); `2.0`: in an envelope (`messagingv2`). */
  readonly envelope: '1.0' | '2.0'
}

/** Notifications of one priority of a topic. */
export interface NotificationSource {
  readonly exchange: string
  readonly topic: string
  readonly priority: Priority
}

/** How notifications are taken. */
export interface ListenOptions extends StartOptions {
  /** Every pool gets every notification, each to one of its listeners; undefined: the listeners of no pool. */
  readonly pool: string | undefined
  /** How many may be handed over and not yet settled; what is more waits with the peer. */
  readonly backlog: number
  /** Called for each, from within the driver's input: must return at once and not throw. */
  readonly onNotification: (notification: IncomingNotification) => void
}

/** A notification that came. It is settled once. */
export interface IncomingNotification {
  readonly notification: Notification
  /** The topic that it was sent to, without the priority. */
  readonly topic: string
  readonly headers: Readonly<Record<string, string>>
  /** Whether it was delivered before, to anybody. */
  readonly redelivered: boolean
  /** Whether one with the same id was acknowledged before: to be asked just before it is handled, for copies come together. */
  readonly duplicate: boolean
  /** It is done with. False when the peer has taken it back, and delivers it again. */
  acknowledge(): boolean
  /** Gives it back, for anybody. */
  requeue(): boolean
  /** Refuses it for good: to where the peer puts such messages, if anywhere. */
  reject(): boolean
}

/** What {@link Driver.serve} and {@link Driver.listen} began. */
export interface DriverSubscription {
  /**
   * Nothing new is handed over; what was can still be accepted, settled and replied to. A reply whose caller is out of
   * reach is kept for a moment only from now on.
   */
  stop(): Promise<void>
  /** Ends it: what was handed over and not settled goes back to the peer. Never rejects. */
  close(): Promise<void>
  /** Settles when it is over; with an error when the peer ended it for good. Never rejects. */
  readonly closed: Promise<{ readonly error?: Error }>
}
