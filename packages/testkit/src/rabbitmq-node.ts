import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HermodError, UnsupportedFeatureError } from '@hermod/kernel'
import { acceptsTcp, answersAmqp } from './amqp-probe.ts'
import { EPMD, ERL_CALL, findRabbitMq, lentBrokerUrl, RABBITMQ_SERVER } from './availability.ts'
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
import { ErlangControl } from './erlang-control.ts'
import { eventually } from './eventually.ts'
import { externalBroker } from './external-broker.ts'
import { RabbitMqAdmin } from './rabbitmq-admin.ts'
import { layOutRabbitMq, tailOfLogs, type RabbitMqLayout } from './rabbitmq-layout.ts'

/** A node takes 5 s to start on an idle machine; this is for a busy one. */
const START_TIMEOUT_MS = 90_000
/** A node that has not ended in good order by then is killed. */
const STOP_TIMEOUT_MS = 30_000
/** Another process may take a port between our look and the node's: a few new ones are tried. */
const START_ATTEMPTS = 3

/** How a private node differs from RabbitMQ's defaults. */
export interface RabbitMqOptions {
  /** Lines of its `rabbitmq.conf`, for example `{ heartbeat: '2', frame_max: '8192' }`. */
  readonly config?: Readonly<Record<string, string>> | undefined
}

/**
 * Starts a RabbitMQ node of the test's own: fresh data in a temporary folder; AMQP, Erlang distribution and epmd
 * on free ports of loopback; user `guest` with password `guest`; no plugins. Resolves once it takes connections.
 *
 * Disposing ends it and removes its folder; so does the end of this process, whatever ends it.
 *
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when RabbitMQ is not installed.
 * @throws {HermodError} E_CONN when it does not start; the end of its logs is in the message.
 */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<BrokerFixture> {
  const availability = findRabbitMq()
  if (!availability.available) throw new UnsupportedFeatureError(availability.reason)
  for (let attempt = 1; ; attempt++) {
    const node = new RabbitMqNode(await layOutRabbitMq(options.config ?? {}))
    try {
      await node.start()
      return node
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('eaddrinuse')
      await node[Symbol.asyncDispose]()
      if (!portTaken || attempt === START_ATTEMPTS) throw error
    }
  }
}

/** The broker that the user lends (`HERMOD_TEST_AMQP_URL`), or else a private node. */
export async function openBroker(options: RabbitMqOptions = {}): Promise<BrokerFixture> {
  const lent = lentBrokerUrl()
  return lent === undefined ? startRabbitMq(options) : externalBroker(lent)
}

class RabbitMqNode implements BrokerFixture {
  readonly url: string
  readonly host: string = '127.0.0.1'
  readonly port: number
  readonly capabilities: BrokerCapabilities = {
    restart: true,
    administer: true,
    inspect: true,
    alarm: true,
  }
  readonly #layout: RabbitMqLayout
  readonly #admin: RabbitMqAdmin
  #epmd: ChildProcess | undefined
  #node: ChildProcess | undefined

  constructor(layout: RabbitMqLayout) {
    this.#layout = layout
    this.port = layout.port
    this.url = `amqp://guest:guest@${this.host}:${layout.port}/%2F`
    this.#admin = new RabbitMqAdmin(
      new ErlangControl({ erlCall: ERL_CALL, home: layout.folder, port: layout.distributionPort }),
    )
    childGuard.watchFolder(layout.folder)
  }

  urlFor(login: BrokerLogin): string {
    return brokerUrl(this.url, login)
  }

  async start(): Promise<void> {
    if (isAlive(this.#node)) throw new TypeError('the node runs already')
    await this.#startEpmd()
    const node = this.#spawn(RABBITMQ_SERVER, [])
    this.#node = node
    try {
      const patience = { timeoutMs: START_TIMEOUT_MS, intervalMs: 100 }
      await eventually(() => !isAlive(node) || answersAmqp(this.host, this.port, 5_000), patience)
      // It takes connections before its last boot steps are done.
      await eventually(() => !isAlive(node) || this.#admin.isRunning(), patience)
      if (!isAlive(node)) throw new HermodError('E_CONN', 'the node ended by itself')
    } catch (error) {
      await end(node, 'SIGKILL')
      throw new HermodError('E_CONN', `rabbitmq did not start\n${tailOfLogs(this.#layout.folder)}`, {
        cause: error,
      })
    }
  }

  async kill(): Promise<void> {
    await end(this.#node, 'SIGKILL')
  }

  async stop(): Promise<void> {
    await end(this.#node, 'SIGTERM')
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

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#node, 'SIGKILL')
    await end(this.#epmd, 'SIGKILL')
    rmSync(this.#layout.folder, { recursive: true, force: true, maxRetries: 10 })
    childGuard.releaseFolder(this.#layout.folder)
  }

  /** Erlang's port mapper, one for each node; the node would start a public one that stays behind. */
  async #startEpmd(): Promise<void> {
    if (isAlive(this.#epmd)) return
    const { epmdPort } = this.#layout
    const epmd = this.#spawn(EPMD, ['-address', '127.0.0.1', '-port', String(epmdPort)])
    this.#epmd = epmd
    await eventually(async () => !isAlive(epmd) || acceptsTcp(epmdPort))
    if (!isAlive(epmd))
      throw new HermodError('E_CONN', `epmd ended by itself (eaddrinuse on port ${epmdPort}?)`)
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const { folder, environment } = this.#layout
    const output = openSync(join(folder, 'output'), 'a')
    // A session of its own: Ctrl-C on the terminal reaches the tests alone, and they end it.
    const child = spawn(command, args, {
      env: environment,
      cwd: folder,
      stdio: ['ignore', output, output],
      detached: true,
    })
    child.on('error', () => {}) // shows as a child without a pid
    closeSync(output)
    childGuard.watch(child)
    return child
  }
}

function isAlive(child: ChildProcess | undefined): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
}

async function end(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isAlive(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}
