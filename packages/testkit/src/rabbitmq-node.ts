import { join } from 'node:path'
import { HermodError } from '@hermod/kernel'
import { answersAmqp } from './amqp-probe.ts'
import { ERL_CALL, RABBITMQ_SERVER } from './availability.ts'
import type {
  AlarmKind,
  BindingFacts,
  BrokerCapabilities,
  BrokerFixture,
  BrokerLogin,
  ConnectionFacts,
  ExchangeFacts,
  QueueFacts,
} from './broker-fixture.ts'
import { brokerUrl } from './broker-url.ts'
import { childGuard } from './child-guard.ts'
import { Epmd } from './epmd.ts'
import { ErlangControl } from './erlang-control.ts'
import { eventually } from './eventually.ts'
import { OwnProcess } from './own-process.ts'
import { RabbitMqAdmin, type QueuePlace } from './rabbitmq-admin.ts'
import { tailOfLogs, type RabbitMqLayout } from './rabbitmq-layout.ts'
import { removeFolder } from './remove-folder.ts'

/** A node takes 5 s to start on an idle machine; this is for a busy one. */
const START_TIMEOUT_MS = 90_000

/** A private node. Constructing it starts nothing. */
export class RabbitMqNode implements BrokerFixture {
  readonly url: string
  readonly host: string = '127.0.0.1'
  readonly port: number
  readonly capabilities: BrokerCapabilities = {
    restart: true,
    durable: true,
    plugins: true,
    administer: true,
    inspect: true,
    alarm: true,
  }
  readonly #layout: RabbitMqLayout
  readonly #admin: RabbitMqAdmin
  readonly #epmd: Epmd
  readonly #node: OwnProcess

  constructor(layout: RabbitMqLayout, epmd: Epmd) {
    this.#layout = layout
    this.#epmd = epmd
    this.#node = new OwnProcess(RABBITMQ_SERVER, [], { ...layout, outputFile: join(layout.folder, 'output') })
    this.port = layout.port
    this.url = `amqp://guest:guest@${this.host}:${layout.port}/%2F`
    this.#admin = new RabbitMqAdmin(
      new ErlangControl({ erlCall: ERL_CALL, home: layout.folder, port: layout.distributionPort }),
    )
    childGuard.watchFolder(layout.folder)
  }

  get isAlive(): boolean {
    return this.#node.isAlive
  }

  urlFor(login: BrokerLogin): string {
    return brokerUrl(this.url, login)
  }

  async start(): Promise<void> {
    const node = this.#node
    if (node.isAlive) throw new TypeError('the node runs already')
    await this.#epmd.start(this)
    node.start()
    try {
      const patience = { timeoutMs: START_TIMEOUT_MS, intervalMs: 100 }
      await eventually(() => !node.isAlive || answersAmqp(this.host, this.port, 5_000), patience)
      // It takes connections before its last boot steps are done.
      await eventually(() => !node.isAlive || this.#admin.isRunning(), patience)
      if (!node.isAlive) throw new HermodError('E_CONN', 'the node ended by itself')
    } catch (error) {
      await node.end('SIGKILL')
      throw new HermodError('E_CONN', `rabbitmq did not start\n${tailOfLogs(this.#layout.folder)}`, {
        cause: error,
      })
    }
  }

  async kill(): Promise<void> {
    await this.#node.end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#node.end('SIGTERM')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  createVhost(name: string): Promise<void> {
    return this.#admin.createVhost(name, 'guest')
  }

  addUser(name: string, password: string, vhosts: readonly string[] = ['/']): Promise<void> {
    return this.#admin.addUser(name, password, vhosts)
  }

  changePassword(name: string, password: string): Promise<void> {
    return this.#admin.changePassword(name, password)
  }

  deleteUser(name: string): Promise<void> {
    return this.#admin.deleteUser(name)
  }

  setAlarm(kind: AlarmKind, on: boolean): Promise<void> {
    return this.#admin.setAlarm(kind, on)
  }

  deleteQueue(name: string, vhost = '/'): Promise<void> {
    return this.#admin.deleteQueue(name, vhost)
  }

  closeConnections(reason: string): Promise<number> {
    return this.#admin.closeConnections(reason)
  }

  queues(vhost = '/'): Promise<QueueFacts[]> {
    return this.#admin.queues(vhost)
  }

  exchanges(vhost = '/'): Promise<ExchangeFacts[]> {
    return this.#admin.exchanges(vhost)
  }

  bindings(vhost = '/'): Promise<BindingFacts[]> {
    return this.#admin.bindings(vhost)
  }

  connections(): Promise<ConnectionFacts[]> {
    return this.#admin.connections()
  }

  /** Gives up its own data and becomes a member of the cluster of another node. */
  joinCluster(nodeName: string): Promise<void> {
    return this.#admin.joinCluster(nodeName)
  }

  /** How many nodes of its cluster run, as far as it knows; 1 where it has none. */
  clusterSize(): Promise<number> {
    return this.#admin.clusterSize()
  }

  /** On which nodes a queue is, and which of them leads; rejects while nobody knows. */
  placeOf(queue: string, vhost: string): Promise<QueuePlace> {
    return this.#admin.placeOf(queue, vhost)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.end('SIGKILL')
    await this.#epmd.leave(this)
    await removeFolder(this.#layout.folder)
    childGuard.releaseFolder(this.#layout.folder)
  }
}
