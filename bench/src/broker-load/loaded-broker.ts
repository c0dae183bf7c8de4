import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { UnsupportedFeatureError } from '@hermod/kernel'
import { startRabbitMq } from '@hermod/testkit'
import { findChildProcesses } from '../brokers/find-child-process.ts'
import { firstLine } from '../brokers/first-line.ts'
import { Referee } from '../brokers/referee.ts'
import type { LoadedBrokerName } from './loaded-broker-name.ts'

/** A broker in a process of its own. */
export interface LoadedBroker extends AsyncDisposable {
  readonly name: LoadedBrokerName
  /** What it is, with its version. */
  readonly title: string
  readonly url: string
  /** Whose CPU time and memory are read. */
  readonly pid: number
}

/** The Erlang machine, which runs the whole node in one process. */
const NODE_PROGRAM = 'beam.smp'
const WORKER = fileURLToPath(new URL('embedded-broker.worker.js', import.meta.url))

/** Rejects with E_UNSUPPORTED where the broker is not installed, or its process cannot be looked into. */
export function startLoadedBroker(name: LoadedBrokerName): Promise<LoadedBroker> {
  return name === 'rabbitmq' ? startRabbit() : startEmbedded()
}

async function startRabbit(): Promise<LoadedBroker> {
  const others = findChildProcesses(NODE_PROGRAM)
  const node = await startRabbitMq()
  const pid = findChildProcesses(NODE_PROGRAM).find((one) => !others.includes(one))
  if (pid === undefined) {
    await node[Symbol.asyncDispose]()
    throw new UnsupportedFeatureError('its process is looked up in /proc, which only Linux has')
  }
  return {
    name: 'rabbitmq',
    title: await productOf(node.url),
    url: node.url,
    pid,
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  }
}

/** @param profileFile where to write a CPU profile of its whole life, if one is wanted. */
export async function startEmbedded(profileFile?: string): Promise<LoadedBroker> {
  const child = spawn(process.execPath, [WORKER, ...(profileFile === undefined ? [] : [profileFile])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const url = await firstLine(child.stdout)
  return {
    name: 'embedded',
    title: await productOf(url),
    url,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

async function productOf(url: string): Promise<string> {
  await using referee = await Referee.connect(url)
  return referee.product
}
