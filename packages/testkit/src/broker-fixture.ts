/** What a test may do to a broker. What is false rejects with `UnsupportedFeatureError`. */
export interface BrokerCapabilities {
  /** `kill`, `stop`, `start`, `restart`. */
  readonly restart: boolean
  /** After `start` there is again what is durable. */
  readonly durable: boolean
  /** Plugins, and any setting of `rabbitmq.conf`. */
  readonly plugins: boolean
  /** `createVhost`, `addUser`, `changePassword`, `deleteUser`, `deleteQueue`, `closeConnections`. */
  readonly administer: boolean
  /** `queues`, `exchanges`, `bindings`, `connections`. */
  readonly inspect: boolean
  /** `setAlarm`. */
  readonly alarm: boolean
}

/** A resource alarm: while one is on, RabbitMQ blocks every connection that publishes. */
export type AlarmKind = 'memory' | 'disk'

/** Arguments of a queue, an exchange or a binding, as plain values. */
export type BrokerTable = Readonly<Record<string, unknown>>

/** A queue as the broker itself counts it, at this moment. */
export interface QueueFacts {
  readonly name: string
  /** Ready and unacknowledged. */
  readonly messages: number
  readonly messagesReady: number
  readonly messagesUnacknowledged: number
  readonly consumers: number
  readonly arguments: BrokerTable
  readonly durable: boolean
  readonly exclusive: boolean
  readonly autoDelete: boolean
}

/** An exchange; the nameless default one is among them. */
export interface ExchangeFacts {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: BrokerTable
}

/** A binding; the implicit ones of the default exchange are left out. */
export interface BindingFacts {
  readonly source: string
  readonly destination: string
  readonly destinationKind: 'queue' | 'exchange'
  readonly routingKey: string
  readonly arguments: BrokerTable
}

/** An open client connection. */
export interface ConnectionFacts {
  /** `host:port -> host:port`, as in the broker's log. */
  readonly name: string
  readonly user: string
  readonly vhost: string
  /** For example `running`, `blocked`, `blocking`. */
  readonly state: string
  readonly channels: number
  /** What the client said about itself, `connection_name` among it. */
  readonly clientProperties: BrokerTable
}

/** Who connects, and where to, in {@link BrokerFixture.urlFor}. */
export interface BrokerLogin {
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly vhost?: string | undefined
}

/** A broker in the hands of a test; tests reach a broker through this alone, so that another one can take its place. */
export interface BrokerFixture extends AsyncDisposable {
  /** An AMQP URL with credentials that work. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly capabilities: BrokerCapabilities

  /** {@link url} with other credentials or another virtual host. */
  urlFor(login: BrokerLogin): string

  /** Ends the broker without any farewell (SIGKILL). Resolves once it is gone. */
  kill(): Promise<void>
  /** Ends it in good order. Resolves once it is gone. */
  stop(): Promise<void>
  /** Starts it again on the same port with the same users, virtual hosts and durable data. Resolves once it takes connections. */
  start(): Promise<void>
  /** {@link stop}, then {@link start}. */
  restart(): Promise<void>

  /** Creates a virtual host that the user of {@link url} may do everything in. */
  createVhost(name: string): Promise<void>
  /** Creates a user who may do everything in `vhosts` (`/` where absent). */
  addUser(name: string, password: string, vhosts?: readonly string[]): Promise<void>
  /** Every login from now on needs the new password. */
  changePassword(user: string, password: string): Promise<void>
  /** From now on nobody logs in under this name. */
  deleteUser(user: string): Promise<void>
  /** Raises or ends a resource alarm. */
  setAlarm(kind: AlarmKind, on: boolean): Promise<void>
  /** Deletes a queue whatever it holds, and also when it is exclusive to a connection. */
  deleteQueue(name: string, vhost?: string): Promise<void>
  /** Closes every client connection with 320 and this text; resolves with their number. */
  closeConnections(reason: string): Promise<number>

  queues(vhost?: string): Promise<QueueFacts[]>
  exchanges(vhost?: string): Promise<ExchangeFacts[]>
  bindings(vhost?: string): Promise<BindingFacts[]>
  connections(): Promise<ConnectionFacts[]>
}
