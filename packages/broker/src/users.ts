import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { toByteString } from './byte-string.ts'

/** Who may connect. */
export interface BrokerUser {
  readonly name: string
  readonly password: string
  /** The virtual hosts that the user may open; all where absent. */
  readonly virtualHosts?: readonly string[] | undefined
}

/** RabbitMQ's own: may come from this machine alone. */
const GUEST = 'guest'

interface Account {
  readonly digest: Buffer
  readonly virtualHosts: ReadonlySet<string> | undefined
}

/** The users of a broker. Names and passwords that come in are byte strings; passwords are kept as salted digests. */
export class Users {
  readonly #accounts = new Map<string, Account>()
  readonly #salt = randomBytes(16)

  /** Adds a user, or replaces the one of this name. */
  put({ name, password, virtualHosts }: BrokerUser): void {
    this.#accounts.set(toByteString(name), {
      digest: this.#digest(toByteString(password)),
      virtualHosts: virtualHosts === undefined ? undefined : new Set(virtualHosts.map(toByteString)),
    })
  }

  /** Whether there was one of this name. */
  delete(name: string): boolean {
    return this.#accounts.delete(toByteString(name))
  }

  /** Whether these are credentials that are good from there. Takes the same time for any name. */
  admits(user: string, password: string, loopback: boolean): boolean {
    const account = this.#accounts.get(user)
    const digest = this.#digest(password)
    const equal = timingSafeEqual(digest, account?.digest ?? this.#digest(''))
    return account !== undefined && equal && (loopback || user !== GUEST)
  }

  mayOpen(user: string, virtualHost: string): boolean {
    const account = this.#accounts.get(user)
    return account !== undefined && (account.virtualHosts?.has(virtualHost) ?? true)
  }

  #digest(password: string): Buffer {
    return createHash('sha256').update(this.#salt).update(password, 'latin1').digest()
  }
}
