import type { Command } from 'commander'
import { durationOf, collectValues } from './flag-values.ts'

/** The flags that say which broker, as commander hands them over. */
export interface ConnectionFlags {
  readonly url?: readonly string[]
  readonly urlFile?: string
  readonly fromConf?: string
  readonly connectTimeout?: string
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsServerName?: string
}

/** What the flags ask for, checked, with nothing read yet. */
export interface ConnectionRequest {
  readonly source: ConnectionSource
  readonly connectTimeoutMs: number | undefined
  readonly tls: TlsFlags
}

/** Where the broker's address comes from. Only `flag` is visible in the process list. */
export type ConnectionSource =
  | { readonly type: 'flag'; readonly urls: readonly string[] }
  | { readonly type: 'environment'; readonly url: string }
  | { readonly type: 'url-file'; readonly path: string }
  | { readonly type: 'conf'; readonly path: string }

/** Paths and a name for TLS, as given. */
export interface TlsFlags {
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly serverName: string | undefined
}

/** The variable of the environment that may hold the URL. */
export const URL_VARIABLE = 'HERMOD_URL'

/**
 * Adds the connection flags to a command.
 * @param connectTimeout what `--connect-timeout` does there.
 */
export function addConnectionFlags(
  command: Command,
  connectTimeout = 'give up connecting to one host after this long',
): Command {
  return command
    .option(
      '--url <url>',
      `broker to connect to: amqp://, amqps:// or oslo's rabbit://user:password@host:port/vhost; several hosts after rabbit:// or by repeating the flag (default: $${URL_VARIABLE})`,
      collectValues,
    )
    .option('--url-file <file>', 'read the URL from a file, so that the password is in no process list')
    .option('--from-conf <file>', "take the broker, the topics and the exchange from a service's .conf")
    .option('--connect-timeout <duration>', connectTimeout)
    .option('--tls-ca <file>', 'trust these certificate authorities (PEM)')
    .option('--tls-cert <file>', 'present this client certificate (PEM); needs --tls-key')
    .option('--tls-key <file>', 'the private key of --tls-cert (PEM)')
    .option(
      '--tls-server-name <name>',
      "the name that the broker's certificate must hold (default: the host)",
    )
}

/** Adds them for a command that keeps a transport, which tries each host once. */
export function addTransportFlags(command: Command): Command {
  return addConnectionFlags(
    command,
    `give up when nothing is connected after this long (default: ${CONNECT_TIMEOUT})`,
  )
}

/** How long a transport may take to connect. */
const CONNECT_TIMEOUT = '30s'

/** Whether any broker is named, rightly or wrongly. */
export function namesBroker(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return [flags.url, flags.urlFile, flags.fromConf, env[URL_VARIABLE] || undefined].some(
    (source) => source !== undefined,
  )
}

/** Checks the flags against each other and the environment; the problems go to `issues`. */
export function connectionRequest(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
  issues: string[],
): ConnectionRequest {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined))
    issues.push('--tls-cert and --tls-key belong together; give both or none')
  return {
    source: sourceOf(flags, env, issues),
    connectTimeoutMs: durationOf('--connect-timeout', flags.connectTimeout, issues),
    tls: {
      caFile: flags.tlsCa,
      certFile: flags.tlsCert,
      keyFile: flags.tlsKey,
      serverName: flags.tlsServerName,
    },
  }
}

/** The same for a command that keeps a transport. */
export function transportRequest(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
  issues: string[],
): ConnectionRequest {
  return connectionRequest({ ...flags, connectTimeout: flags.connectTimeout ?? CONNECT_TIMEOUT }, env, issues)
}

function sourceOf(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
  issues: string[],
): ConnectionSource {
  const sources: ConnectionSource[] = []
  if (flags.url !== undefined) sources.push({ type: 'flag', urls: flags.url })
  if (flags.urlFile !== undefined) sources.push({ type: 'url-file', path: flags.urlFile })
  if (flags.fromConf !== undefined) sources.push({ type: 'conf', path: flags.fromConf })
  if (sources.length > 1)
    issues.push('--url, --url-file and --from-conf exclude each other; give one of them')
  if (flags.url?.includes('')) issues.push('--url is empty; give a URL such as amqp://user@host:5672/vhost')
  const fromFlags = sources[0]
  if (fromFlags !== undefined) return fromFlags
  const url = env[URL_VARIABLE] ?? ''
  if (url === '')
    issues.push(
      `no broker named; give --url, --url-file or --from-conf, or set ${URL_VARIABLE}, for example ${URL_VARIABLE}=amqp://user:password@host:5672/vhost`,
    )
  return { type: 'environment', url }
}
