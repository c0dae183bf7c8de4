import { createBroker, type Broker, type BrokerConnection, type BrokerUser } from '@hermod/broker'
import type {
  AlarmKind,
  BindingFacts,
  BrokerFixture,
  BrokerLogin,
  BrokerTable,
  ConnectionFacts,
  ExchangeFacts,
  QueueFacts,
} from './broker-fixture.ts'
import { brokerUrl } from './broker-url.ts'
import { EMBEDDED_CAPABILITIES } from './embedded-capabilities.ts'
import { readEmbeddedConfig, type EmbeddedConfig } from './embedded-config.ts'
import type { RabbitMqOptions } from './rabbitmq-layout.ts'

const HOST = '127.0.0.1'

/**
 * Starts a broker of `@hermod/broker` in this process, on a free port of loopback, which behaves like the RabbitMQ of
 * {@link startRabbitMq} as far as its capabilities say: user `guest` with password `guest`, virtual host `/`.
 *
 * A broker that was started again has its users and virtual hosts, and nothing else of what it had.
 *
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED for plugins, and for settings other than those of heartbeats, of the
 *   size of frames and of TLS.
 */
export async function startEmbeddedBroker(options: RabbitMqOptions = {}): Promise<BrokerFixture> {
  const config = readEmbeddedConfig(options)
  const broker = new EmbeddedBroker(config)
  await broker.start()
  return broker
}

class EmbeddedBroker implements BrokerFixture {
  readonly host: string = HOST
  readonly capabilities: typeof EMBEDDED_CAPABILITIES = EMBEDDED_CAPABILITIES
  readonly #config: EmbeddedConfig
  readonly #users = new Map<string, BrokerUser>([['guest', { name: 'guest', password: 'guest' }]])
  readonly #vhosts = new Set(['/'])
  #broker: Broker | undefined
  /** A free one when it starts for the first time, and the same one ever after. */
  #port = 0

  constructor(config: EmbeddedConfig) {
    this.#config = config
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `amqp://guest:guest@${HOST}:${this.#port}/%2F`
  }

  get isAlive(): boolean {
    return this.#broker !== undefined
  }

  urlFor(login: BrokerLogin): string {
    return brokerUrl(this.url, login)
  }

  async start(): Promise<void> {
    if (this.isAlive) throw new TypeError('the broker runs already')
    const { options, tls } = this.#config
    const broker = createBroker({
      ...options,
      profile: 'rabbitmq-3.10',
      users: [...this.#users.values()],
      virtualHosts: [...this.#vhosts],
    })
    try {
      const { port } = await broker.listen({ host: HOST, port: this.#port })
      this.#port = port
      if (tls !== undefined) await broker.listen(tls)
    } catch (error) {
      await broker.close()
      throw error
    }
    this.#broker = broker
  }

  async kill(): Promise<void> {
    this.#broker?.refuse(true)
    for (const connection of this.#broker?.connections() ?? []) connection.drop()
    await this.stop()
  }

  async stop(): Promise<void> {
    const broker = this.#broker
    this.#broker = undefined
    await broker?.close()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async createVhost(name: string): Promise<void> {
    this.#vhosts.add(name)
    this.#running.createVirtualHost(name)
  }

  async addUser(name: string, password: string, virtualHosts: readonly string[] = ['/']): Promise<void> {
    this.#putUser({ name, password, virtualHosts })
  }

  async changePassword(name: string, password: string): Promise<void> {
    this.#putUser({ ...this.#users.get(name), name, password })
  }

  async deleteUser(name: string): Promise<void> {
    this.#users.delete(name)
    this.#running.deleteUser(name)
  }

  async setAlarm(kind: AlarmKind, on: boolean): Promise<void> {
    this.#running.setAlarm(kind, on)
  }

  async deleteQueue(name: string, vhost?: string): Promise<void> {
    this.#running.deleteQueue(name, vhost)
  }

  async closeConnections(reason: string): Promise<number> {
    const connections = this.#open()
    for (const connection of connections) connection.close(reason)
    return connections.length
  }

  async queues(vhost?: string): Promise<QueueFacts[]> {
    return this.#running.queues(vhost).map(({ ready, unsettled, ...queue }) => ({
      name: queue.name,
      messages: ready + unsettled,
      messagesReady: ready,
      messagesUnacknowledged: unsettled,
      consumers: queue.consumers,
      arguments: queue.arguments as BrokerTable,
      durable: queue.durable,
      exclusive: queue.exclusive,
      autoDelete: queue.autoDelete,
    }))
  }

  async exchanges(vhost?: string): Promise<ExchangeFacts[]> {
    return [...this.#running.exchanges(vhost)] as ExchangeFacts[]
  }

  async bindings(vhost?: string): Promise<BindingFacts[]> {
    return [...this.#running.bindings(vhost)] as BindingFacts[]
  }

  async connections(): Promise<ConnectionFacts[]> {
    return this.#open().map((connection) => ({
      name: connection.name,
      user: connection.user,
      vhost: connection.virtualHost,
      state: connection.state,
      channels: connection.channels,
      clientProperties: connection.clientProperties as BrokerTable,
    }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #running(): Broker {
    if (this.#broker === undefined) throw new TypeError('the broker does not run')
    return this.#broker
  }

  #open(): readonly BrokerConnection[] {
    return this.#running.connections().filter(({ state }) => state === 'running' || state === 'blocked')
  }

  #putUser(user: BrokerUser): void {
    this.#users.set(user.name, user)
    this.#running.putUser(user)
  }
}
