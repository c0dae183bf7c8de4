import type { Clock } from '@hermod/kernel'
import type { Limits } from '../limits.ts'
import type { Profile } from '../profile.ts'
import { Deadlines } from './deadlines.ts'
import { DeclaredMemory } from './declared-memory.ts'
import { LongWork } from './long-work.ts'
import { MemoryAccount, type MemoryAlarm } from './memory-account.ts'
import { MessageStorage } from './message-storage.ts'
import { VirtualHost, type VirtualHostParts } from './virtual-host.ts'

export interface BrokerModelOptions {
  readonly clock: Clock
  readonly profile: Profile
  readonly limits: Limits
  readonly memoryLimitBytes: number
  /** Called when the messages pass the limit, and when they are below nine tenths of it again. */
  readonly memoryAlarm?: MemoryAlarm
  /** Byte strings. */
  readonly virtualHosts: readonly string[]
}

/** A broker without its clients: virtual hosts on one account of memory and one timer. */
export class BrokerModel {
  readonly #virtualHosts = new Map<string, VirtualHost>()
  /** Of messages. */
  readonly memory: MemoryAccount
  readonly declared: DeclaredMemory
  readonly longWork: LongWork
  readonly #deadlines: Deadlines
  readonly #storage: MessageStorage
  readonly #parts: VirtualHostParts

  constructor(options: BrokerModelOptions) {
    const { clock, profile, limits } = options
    this.memory = new MemoryAccount(options.memoryLimitBytes, options.memoryAlarm)
    this.longWork = new LongWork(clock)
    this.declared = new DeclaredMemory(limits.maxDeclaredBytes)
    this.#deadlines = new Deadlines(clock, () => this.longWork.renew())
    this.#storage = new MessageStorage(clock, this.memory)
    this.#parts = {
      clock,
      profile,
      limits,
      deadlines: this.#deadlines,
      declared: this.declared,
      longWork: this.longWork,
      storage: this.#storage,
    }
    for (const name of options.virtualHosts) this.createVirtualHost(name)
  }

  /** By name; a byte string. */
  get virtualHosts(): ReadonlyMap<string, VirtualHost> {
    return this.#virtualHosts
  }

  /** One that is there stays as it is. */
  createVirtualHost(name: string): void {
    if (!this.#virtualHosts.has(name)) this.#virtualHosts.set(name, new VirtualHost(name, this.#parts))
  }

  /** Lets go of every queue, message and timer. */
  close(): void {
    for (const virtualHost of this.virtualHosts.values()) virtualHost.close()
    this.#deadlines.stop()
    this.longWork.stop()
    this.#storage.stop()
  }
}
