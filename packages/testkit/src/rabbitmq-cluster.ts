import { randomBytes } from 'node:crypto'
import type { BrokerFixture } from './broker-fixture.ts'
import { Epmd } from './epmd.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import type { QueuePlace } from './rabbitmq-admin.ts'
import { layOutRabbitMq, type RabbitMqOptions } from './rabbitmq-layout.ts'
import { RabbitMqNode } from './rabbitmq-node.ts'
import { startWithFreshPorts } from './start-with-fresh-ports.ts'

/** How a cluster is set up. */
export interface RabbitMqClusterOptions extends RabbitMqOptions {
  /** How many nodes; 3 where absent. */
  readonly nodes?: number | undefined
}

/** RabbitMQ nodes on this machine that form one cluster. */
export interface RabbitMqCluster extends AsyncDisposable {
  /** Each can be killed and started by itself. One that starts while others live joins them again. */
  readonly nodes: readonly BrokerFixture[]
  /** The URLs of all nodes, for a client that may use any of them. */
  readonly urls: readonly string[]
  /** Which of {@link nodes} leads a queue, once a living one does: of a classic queue, the node that it is on. */
  leaderOf(queue: string, vhost?: string): Promise<number>
  /** Which of {@link nodes} a queue is on, living or not, in rising order. */
  membersOf(queue: string, vhost?: string): Promise<readonly number[]>
}

/** For a leader to be elected, and for a node to tell that another is gone. */
const ELECTION_TIMEOUT_MS = 60_000

/**
 * Starts a cluster of private RabbitMQ nodes, each as `startRabbitMq` starts one. Resolves once every node knows all
 * others and takes connections.
 *
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when RabbitMQ is not installed.
 * @throws {HermodError} E_CONN when a node does not start; the end of its logs is in the message.
 */
export function startRabbitMqCluster(options: RabbitMqClusterOptions = {}): Promise<RabbitMqCluster> {
  return startWithFreshPorts(() => layOutCluster(options))
}

async function layOutCluster({
  nodes: count = 3,
  config,
  plugins,
}: RabbitMqClusterOptions): Promise<Cluster> {
  const epmd = new Epmd(await freePort())
  const cookie = randomBytes(16).toString('hex')
  const cluster = `hermod-${randomBytes(4).toString('hex')}`
  const names = Array.from({ length: count }, (_, index) => `${cluster}-${index + 1}@localhost`)
  const nodes: RabbitMqNode[] = []
  for (const nodeName of names) {
    const seat = { nodeName, cookie, epmd, schedulers: 1 }
    nodes.push(new RabbitMqNode(await layOutRabbitMq(seat, { config, plugins }), epmd))
  }
  return new Cluster(names, nodes)
}

class Cluster implements RabbitMqCluster {
  readonly nodes: readonly RabbitMqNode[]
  readonly urls: readonly string[]
  readonly #names: readonly string[]

  constructor(names: readonly string[], nodes: readonly RabbitMqNode[]) {
    this.#names = names
    this.nodes = nodes
    this.urls = nodes.map(({ url }) => url)
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()))
    // One after the other: RabbitMQ 3.10 sometimes fails to start where two join at the same time.
    for (const node of this.nodes.slice(1)) await node.joinCluster(this.#names[0] as string)
    await eventually(
      async () => {
        const sizes = await Promise.all(this.nodes.map((node) => node.clusterSize()))
        return sizes.every((size) => size === this.nodes.length)
      },
      { timeoutMs: ELECTION_TIMEOUT_MS },
    )
  }

  leaderOf(queue: string, vhost = '/'): Promise<number> {
    return this.#ask(queue, vhost, ({ leader }) => {
      const index = this.#names.indexOf(leader)
      // For a while after a leader's end the others still believe in it.
      return this.nodes[index]?.isAlive === true && index
    })
  }

  membersOf(queue: string, vhost = '/'): Promise<readonly number[]> {
    return this.#ask(queue, vhost, ({ members }) =>
      members.map((name) => this.#names.indexOf(name)).toSorted((a, b) => a - b),
    )
  }

  /** Asks the living nodes in turn until one of them knows. */
  #ask<T>(queue: string, vhost: string, read: (place: QueuePlace) => T | false): Promise<Exclude<T, false>> {
    let turn = 0
    return eventually(
      async () => {
        const living = this.nodes.filter(({ isAlive }) => isAlive)
        const node = living[turn++ % living.length]
        if (node === undefined) throw new TypeError('no node of the cluster runs')
        return read(await node.placeOf(queue, vhost))
      },
      { timeoutMs: ELECTION_TIMEOUT_MS, intervalMs: 100 },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()))
  }
}
