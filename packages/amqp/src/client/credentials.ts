import { ConnectionError, isHermodError } from '@hermod/kernel'
import type { BrokerAddress } from './broker-address.ts'

/** Who we are to a broker, as a callback gives it. */
export interface Credentials {
  /** Default: the address's own. */
  readonly username?: string | undefined
  /** A password or a token. */
  readonly password: string
  /**
   * How long they are good for from now on, milliseconds. The callback is asked again when four fifths of it are over,
   * and the broker is given the new ones on the living connection (`connection.update-secret`). Default: for ever.
   */
  readonly validForMs?: number | undefined
}

/**
 * Gives the credentials for a server: asked before every attempt to connect, and before they expire.
 * What it throws counts as a failed attempt.
 */
export type CredentialsSource = (
  server: Pick<BrokerAddress, 'hostname' | 'port' | 'username' | 'virtualHost'>,
  options: { readonly signal: AbortSignal },
) => Credentials | Promise<Credentials>

/**
 * Asks for credentials.
 * @throws {ConnectionError} E_CONN, phase `sasl`, when the callback throws or gives no password; what it threw is the cause, and not in the
 *   text, which may be shown.
 */
export async function obtainCredentials(
  source: CredentialsSource,
  { hostname, port, username, virtualHost }: BrokerAddress,
  signal: AbortSignal,
): Promise<Credentials> {
  try {
    const given: unknown = await source({ hostname, port, username, virtualHost }, { signal })
    if (isGiven(given)) return given
  } catch (error) {
    signal.throwIfAborted()
    if (isHermodError(error)) throw error
    throw new ConnectionError('sasl', 'the callback for credentials failed', { cause: error })
  }
  throw new ConnectionError('sasl', 'the callback for credentials gave no password')
}

function isGiven(value: unknown): value is Credentials {
  return (
    typeof value === 'object' && value !== null && 'password' in value && typeof value.password === 'string'
  )
}
