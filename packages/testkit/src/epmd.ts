import { tmpdir } from 'node:os'
import { HermodError } from '@hermod/kernel'
import { acceptsTcp } from './amqp-probe.ts'
import { EPMD } from './availability.ts'
import { eventually } from './eventually.ts'
import { OwnProcess } from './own-process.ts'

/**
 * Erlang's port mapper, one for the nodes that are to find each other. Without it a node would start a public one
 * that stays behind.
 */
export class Epmd {
  readonly port: number
  readonly #process: OwnProcess
  readonly #nodes = new Set<object>()

  constructor(port: number) {
    this.port = port
    const args = ['-address', '127.0.0.1', '-port', String(port)]
    this.#process = new OwnProcess(EPMD, args, { folder: tmpdir(), environment: {} })
  }

  /** Resolves once it answers. It runs for as long as there is a node that has not left. */
  async start(node: object): Promise<void> {
    this.#nodes.add(node)
    if (!this.#process.isAlive) this.#process.start()
    await eventually(async () => !this.#process.isAlive || acceptsTcp(this.port))
    if (!this.#process.isAlive)
      throw new HermodError('E_CONN', `epmd ended by itself (eaddrinuse on port ${this.port}?)`)
  }

  /** Ends it with the last node. */
  async leave(node: object): Promise<void> {
    this.#nodes.delete(node)
    if (this.#nodes.size === 0) await this.#process.end('SIGKILL')
  }
}
