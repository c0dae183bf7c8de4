import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Sample } from '../jobs/job.ts'
import { processCpuSeconds } from '../jobs/process-cpu.ts'
import { runProgram } from '../jobs/run-program.ts'
import type { AmqpKind } from '../jobs/task.ts'
import type { BenchBroker, BrokerShare, RunSize } from './bench-broker.ts'
import { firstLine } from './first-line.ts'
import { Referee } from './referee.ts'

const BUILD = fileURLToPath(new URL('../../null-broker/build.mjs', import.meta.url))

/** Counters of the null broker that can be read like queues; they wrap at 2^32. */
const COUNTERS = { publish: 'count.published', consume: 'count.settled', call: 'count.published' } as const

/** What is published here is counted, and to `echo` it also comes back. */
const SINKS = { publish: 'sink', call: 'echo' } as const

/** The C program of `null-broker/`, in a process of its own. */
export class NullBenchBroker implements BenchBroker {
  readonly name = 'null'
  readonly title = 'null broker'
  readonly kinds = ['publish', 'consume', 'call'] as const
  readonly #program: string
  readonly #child: ChildProcess
  readonly #port: number
  readonly #referee: Referee
  #counterBefore = 0

  private constructor(program: string, child: ChildProcess, port: number, referee: Referee) {
    this.#program = program
    this.#child = child
    this.#port = port
    this.#referee = referee
  }

  static async start(): Promise<NullBenchBroker> {
    const program = (await runProgram(process.execPath, [BUILD])).trim()
    const child = spawn(program, ['--while-stdin'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const port = Number(/^port (\d+)$/.exec(await firstLine(child.stdout))?.[1])
    return new NullBenchBroker(program, child, port, await Referee.connect(amqpUrl(port)))
  }

  async prepare(kind: AmqpKind, size: RunSize): Promise<BrokerShare> {
    this.#counterBefore = await this.#referee.depth(COUNTERS[kind])
    const queueFor = (count: number): string =>
      kind === 'consume' ? `emit.${count}.${size.bodySize}` : SINKS[kind]
    return {
      url: amqpUrl(this.#port),
      queue: queueFor(size.count),
      warmUpQueue: queueFor(size.warmUpCount),
      ...(this.#child.pid !== undefined && { brokerPid: this.#child.pid }),
    }
  }

  async verify(kind: AmqpKind, size: RunSize): Promise<void> {
    const counted = ((await this.#referee.depth(COUNTERS[kind])) - this.#counterBefore) >>> 0
    const expected = size.count + size.warmUpCount
    if (counted !== expected)
      throw new Error(`the null broker counted ${counted} messages instead of ${expected}`)
  }

  async measureCeiling(kind: AmqpKind, { count, bodySize }: RunSize, window: number): Promise<Sample> {
    const pid = this.#child.pid ?? 0
    const before = processCpuSeconds(pid)
    const args = ['--drive', kind, this.#port, count, bodySize, window].map(String)
    const { messages, seconds, cpuSeconds } = JSON.parse(await runProgram(this.#program, args)) as Record<
      'messages' | 'seconds' | 'cpuSeconds',
      number
    >
    const after = processCpuSeconds(pid)
    return {
      messages,
      seconds,
      clientCpuSeconds: cpuSeconds,
      ...(before !== undefined && after !== undefined && { brokerCpuSeconds: after - before }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#referee[Symbol.asyncDispose]()
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}

function amqpUrl(port: number): string {
  return `amqp://guest:guest@127.0.0.1:${port}`
}
