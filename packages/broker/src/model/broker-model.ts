import type { Clock } from '@hermod/kernel'
import type { Limits } from '../limits.ts'
import type { Profile } from '../profile.ts'
import { Deadlines } from './deadlines.ts'
import { MemoryAccount, type MemoryAlarm } from './memory-account.ts'
import { MessageStorage } from './message-storage.ts'
import { VirtualHost } from './virtual-host.ts'

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
  /** By name; a byte string. */
  readonly virtualHosts: ReadonlyMap<string, VirtualHost>
  readonly memory: MemoryAccount
  readonly #deadlines: Deadlines
  readonly #storage: MessageStorage

  constructor(options: BrokerModelOptions) {
    const { clock, profile, limits } = options
    this.memory = new MemoryAccount(options.memoryLimitBytes, options.memoryAlarm)
    this.#deadlines = new Deadlines(clock)
    this.#storage = new MessageStorage(clock)
    const parts = {
      clock,
      profile,
      limits,
      deadlines: this.#deadlines,
      storage: this.#storage,
      memory: this.memory,
    }
    this.virtualHosts = new Map(options.virtualHosts.map((name) => [name, new VirtualHost(name, parts)]))
  }

  /** Lets go of every queue, message and timer. */
  close(): void {
    for (const virtualHost of this.virtualHosts.values()) virtualHost.close()
    this.#deadlines.stop()
    this.#storage.stop()
  }
}
