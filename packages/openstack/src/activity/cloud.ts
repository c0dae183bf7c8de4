import type { JsonObject } from '@hermod/kernel'
import { SeededRandom } from './seeded-random.ts'

/** Somebody who does things, or in whose name they are done. */
export interface Account {
  readonly id: string
  readonly name: string
}

/** A size of instances. */
export interface Flavor {
  readonly number: number
  readonly id: string
  readonly name: string
  readonly memoryMb: number
  readonly vcpus: number
  readonly rootGb: number
}

/** What instances start from. */
export interface Image {
  readonly id: string
  readonly name: string
}

/** A network with its one subnet. */
export interface Network {
  readonly id: string
  readonly name: string
  readonly project: Account
  readonly subnetId: string
  /** The first three numbers of its addresses. */
  readonly prefix: string
  readonly createdAt: Date
}

/** The port of an instance. */
interface Port {
  readonly id: string
  readonly network: Network
  readonly address: string
  readonly mac: string
  readonly createdAt: Date
}

/** An instance; what happens to it changes it. */
export interface Instance {
  readonly id: string
  readonly name: string
  readonly reservationId: string
  readonly project: Account
  readonly owner: Account
  readonly image: Image
  readonly port: Port
  readonly createdAt: Date
  readonly host: string
  flavor: Flavor
  launchedAt: Date | undefined
}

/** A volume. */
export interface Volume {
  readonly id: string
  readonly name: string
  readonly project: Account
  readonly owner: Account
  readonly sizeGb: number
  readonly host: string
  readonly typeId: string
  readonly createdAt: Date
  launchedAt: Date | undefined
  /** Where it is attached, in cinder's words. */
  attachment: JsonObject | undefined
}

const FLAVORS = [
  ['small', 2048, 1, 20],
  ['medium', 4096, 2, 40],
  ['large', 8192, 4, 80],
] as const

const ROLES = ['web', 'api', 'db', 'cache', 'worker', 'build', 'mail', 'proxy'] as const

/** A small cloud: who and what is in it. What stories take part in is claimed, so that each has its things to itself. */
export class Cloud {
  readonly random: SeededRandom
  readonly projects: readonly Account[]
  readonly users: readonly Account[]
  readonly flavors: readonly Flavor[]
  readonly images: readonly Image[]
  /** Where the interfaces and schedulers run. */
  readonly controller = 'controller-1'
  readonly computeHosts: readonly string[] = ['compute-1', 'compute-2', 'compute-3']
  /** The host of cinder, with the name of its backend. */
  readonly storageHost = 'storage-1@rbd'
  readonly volumeTypeId: string
  readonly securityGroups: ReadonlyMap<Account, string>
  readonly networks: Network[] = []
  readonly instances: Instance[] = []
  readonly volumes: Volume[] = []
  readonly #claimed = new Set<object>()
  readonly #named = new Map<string, number>()

  /** A cloud in which some things are already. */
  constructor(random: SeededRandom, now: Date) {
    this.random = random
    const account = (name: string): Account => ({ id: random.hex(32), name })
    this.projects = ['shop', 'staging', 'analytics'].map(account)
    this.users = ['deployer', 'operator', 'developer'].map(account)
    this.images = ['debian-13', 'ubuntu-24.04', 'cirros-0.6'].map((name) => ({ id: random.uuid(), name }))
    this.flavors = FLAVORS.map(([name, memoryMb, vcpus, rootGb], at) => ({
      number: at + 1,
      id: random.uuid(),
      name: `m1.${name}`,
      memoryMb,
      vcpus,
      rootGb,
    }))
    this.volumeTypeId = random.uuid()
    this.securityGroups = new Map(this.projects.map((project) => [project, random.uuid()]))
    const before = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000)
    for (const project of this.projects) this.networks.push(this.newNetwork(project, before(72)))
    for (let hours = 48; hours > 0; hours -= 12) {
      const instance = this.newInstance(random.pick(this.projects), before(hours))
      instance.launchedAt = new Date(instance.createdAt.getTime() + 9_000)
      this.instances.push(instance)
    }
  }

  newNetwork(project: Account, createdAt: Date): Network {
    const { random } = this
    return {
      id: random.uuid(),
      name: this.#name(`${project.name}-net`),
      project,
      subnetId: random.uuid(),
      prefix: `10.${random.integer(10, 99)}.${random.integer(0, 250)}`,
      createdAt,
    }
  }

  newInstance(project: Account, createdAt: Date): Instance {
    const { random } = this
    const network = random.pick(this.networks.filter((one) => one.project === project))
    return {
      id: random.uuid(),
      name: this.#name(random.pick(ROLES)),
      reservationId: `r-${random.hex(8)}`,
      project,
      owner: random.pick(this.users),
      image: random.pick(this.images),
      port: {
        id: random.uuid(),
        network,
        address: `${network.prefix}.${random.integer(10, 250)}`,
        mac: `fa:16:3e:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`,
        createdAt,
      },
      createdAt,
      host: random.pick(this.computeHosts),
      flavor: random.pick(this.flavors),
      launchedAt: undefined,
    }
  }

  newVolume(project: Account, createdAt: Date): Volume {
    const { random } = this
    return {
      id: random.uuid(),
      name: this.#name('data'),
      project,
      owner: random.pick(this.users),
      sizeGb: random.pick([10, 20, 50, 100]),
      host: `${this.storageHost}#rbd`,
      typeId: this.volumeTypeId,
      createdAt,
      launchedAt: undefined,
      attachment: undefined,
    }
  }

  /** Those of several that no story has. */
  free<T extends object>(things: readonly T[]): readonly T[] {
    return things.filter((thing) => !this.#claimed.has(thing))
  }

  /** A thing that nobody has, for the caller alone until it is {@link release released}; undefined for none. */
  claim<T extends object>(things: readonly T[]): T | undefined {
    const free = this.free(things)
    if (free.length === 0) return undefined
    const thing = this.random.pick(free)
    this.#claimed.add(thing)
    return thing
  }

  release(thing: object): void {
    this.#claimed.delete(thing)
  }

  #name(kind: string): string {
    const number = (this.#named.get(kind) ?? 0) + 1
    this.#named.set(kind, number)
    return `${kind}-${number}`
  }
}
