import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import type { BrokerAddress, ConnectionOptions, TlsOptions } from '@hermod/amqp'
import { InvalidUrlError, MASK } from '@hermod/kernel'
import { readTextFile, type TransportHostParts, type TransportUrl } from '@hermod/messaging'
import type { RabbitSettings } from './rabbit-settings.ts'

/** The brokers of a transport. */
export interface RabbitServers {
  /** For `Connection.connect`: asked before each pass over all servers, it reads the files of TLS then. */
  readonly target: () => Promise<readonly BrokerAddress[]>
  /** Without TLS; passwords show in no output. */
  readonly addresses: readonly BrokerAddress[]
  /** What the user should know about them, a sentence each. */
  readonly notes: readonly string[]
}

/** Also with TLS: `rabbit://` has no scheme of its own for it. */
const PORT = 5672

const SCHEMES: readonly string[] = ['rabbit', 'kombu']

/**
 * The brokers of a transport URL, with defaults filled in: `localhost` where the URL names none, `guest` and `guest`
 * for a host without a user of its own (one is not taken over from another host), port 5672, virtual host `/`.
 *
 * @param tls TLS with these settings, which count before the files of the options, whatever `settings.tls` says.
 * @throws {InvalidUrlError} E_URL for another scheme, and for `kombu+…://` and `rabbit+…://`.
 * @source oslo.messaging _drivers/impl_rabbit.py Connection.__init__; kombu transport/pyamqp.py default_connection_params
 */
export function rabbitServers(
  url: TransportUrl,
  settings: Pick<RabbitSettings, 'tls' | 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile' | 'loginMethod'>,
  tls?: TlsOptions,
): RabbitServers {
  if (!SCHEMES.includes(url.scheme)) throw new InvalidUrlError(schemeProblem(url))
  const hosts: readonly TransportHostParts[] = url.hosts.length === 0 ? [{ hostname: '' }] : url.hosts
  const addresses = hosts.map((host) => addressOf(host, url.virtualHost))
  return {
    addresses,
    target: async () => {
      const options = tls === undefined && !settings.tls ? undefined : await readTls(settings, tls)
      return addresses.map((address) => hidingPassword({ ...address, tls: options }))
    },
    notes: settings.loginMethod === 'EXTERNAL' ? [] : guestNotes(hosts),
  }
}

/**
 * What the options say about connections. Each has a name of its own: program, process id and a UUID, as oslo.messaging
 * has them, so that an operator finds either in the broker's list in the same way.
 */
export function rabbitConnectionOptions(
  settings: Pick<
    RabbitSettings,
    | 'processName'
    | 'heartbeatMs'
    | 'retryIntervalMs'
    | 'retryIntervalMaxMs'
    | 'retryBackoffMs'
    | 'loginMethod'
  >,
): Pick<ConnectionOptions, 'name' | 'heartbeatMs' | 'reconnect' | 'mechanism'> {
  const { processName, heartbeatMs, retryIntervalMs, retryIntervalMaxMs, retryBackoffMs, loginMethod } =
    settings
  return {
    name: `${processName}:${process.pid}:${randomUUID()}`,
    heartbeatMs,
    reconnect: {
      initialMs: retryIntervalMs,
      maxMs: Math.max(retryIntervalMs, retryIntervalMaxMs),
      factor: retryBackoffMs === 0 ? 1 : 2,
    },
    // The fourth one is refused where options are read.
    ...(loginMethod !== 'RABBIT-CR-DEMO' && { mechanism: loginMethod }),
  }
}

function addressOf(
  { hostname, port, username, password }: TransportHostParts,
  virtualHost: string,
): BrokerAddress {
  return hidingPassword({
    hostname: hostname === '' ? 'localhost' : hostname,
    port: port ?? PORT,
    // Empty ones too are replaced in kombu.
    username: username || 'guest',
    password: password || 'guest',
    virtualHost: virtualHost === '' ? '/' : virtualHost,
  })
}

async function readTls(
  { tlsCaFile, tlsCertFile, tlsKeyFile }: Pick<RabbitSettings, 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile'>,
  given: TlsOptions = {},
): Promise<TlsOptions> {
  const read = async (what: string, path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : readTextFile(path, what)
  return {
    ...given,
    ca: given.ca ?? (await read('the TLS authorities in', tlsCaFile)),
    cert: given.cert ?? (await read('the TLS certificate in', tlsCertFile)),
    key: given.key ?? (await read('the TLS key in', tlsKeyFile)),
  }
}

function hidingPassword(address: BrokerAddress): BrokerAddress {
  const shown = { value: () => ({ ...address, password: MASK }) }
  return Object.defineProperties(address, { toJSON: shown, [inspect.custom]: shown })
}

function schemeProblem({ scheme, driver }: TransportUrl): string {
  if (scheme.includes('+') && SCHEMES.includes(driver))
    return `${scheme}:// asks for a transport that only kombu itself has; use rabbit:// or kombu://`
  return `the scheme '${scheme}' is not known here; use rabbit:// or kombu://`
}

/** Which hosts of a URL get `guest` although others have a user: mostly an oversight. */
export function guestNotes(hosts: readonly TransportHostParts[]): readonly string[] {
  const without = hosts.filter(({ username }) => !username).map(({ hostname }) => hostname)
  if (without.length === 0 || without.length === hosts.length) return []
  return [
    `the URL names no user for ${without.join(', ')}; guest is tried there, for each host needs its own`,
  ]
}
