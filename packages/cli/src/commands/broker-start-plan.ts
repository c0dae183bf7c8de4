import { PROFILES, type ProfileName } from '@hermod/broker'
import type { NamedUser } from '../broker/broker-config.ts'
import { isLoopbackHost, parseListenAddress, type ListenAddress } from '../broker/listen-address.ts'
import { choiceOf } from '../flag-values.ts'

/** The flags of `hermod broker start` as commander hands them over. */
export interface BrokerStartFlags {
  readonly listen?: string
  readonly user?: readonly string[]
  readonly vhost?: readonly string[]
  readonly profile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly config?: string
  readonly detach?: boolean
  readonly log?: string
  readonly pidFile?: string
  readonly quiet?: boolean
}

/** What `hermod broker start` shall do: every flag checked, with nothing read yet. */
export interface BrokerStartPlan {
  readonly address: ListenAddress | undefined
  readonly users: readonly NamedUser[]
  readonly virtualHosts: readonly string[]
  readonly profile: ProfileName | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly configFile: string | undefined
  readonly logFile: string | undefined
  readonly pidFile: string | undefined
  readonly quiet: boolean
}

/** The names of what a broker can behave like. */
export const PROFILE_NAMES: readonly ProfileName[] = Object.keys(PROFILES) as ProfileName[]

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function brokerStartPlan(flags: BrokerStartFlags, issues: string[]): BrokerStartPlan | undefined {
  const address = flags.listen === undefined ? undefined : addressOf('--listen', flags.listen, issues)
  const users = (flags.user ?? []).map((text) => userOf(text, issues))
  const names = users.map(({ name }) => name)
  for (const name of new Set(names.filter((one, at) => names.indexOf(one) !== at)))
    issues.push(`--user '${name}' is given twice`)
  if (flags.vhost?.includes('') === true) issues.push('--vhost is empty; give a name, for example --vhost /')
  if (flags.pidFile === '') issues.push('--pid-file is empty; give a path, for example --pid-file broker.pid')
  if (flags.log === '') issues.push('--log is empty; give a path, for example --log broker.log')
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined))
    issues.push('--tls-cert and --tls-key belong together; give both or none')
  if (flags.detach === true && flags.config === '-')
    issues.push('--config - reads stdin, which a broker in the background has not; give a file')
  const isOpen = address !== undefined && !isLoopbackHost(address.host)
  if (isOpen && users.length === 0 && flags.config === undefined)
    issues.push(`--listen ${flags.listen} is reached by others; say who may connect, with --user or --config`)
  const plan = {
    address,
    users,
    virtualHosts: flags.vhost ?? [],
    profile: choiceOf('--profile', flags.profile, PROFILE_NAMES, issues),
    tlsCert: flags.tlsCert,
    tlsKey: flags.tlsKey,
    configFile: flags.config,
    logFile: flags.log,
    pidFile: flags.pidFile,
    quiet: flags.quiet === true,
  }
  return issues.length > 0 ? undefined : plan
}

/** An address; the problem goes to `issues`. */
export function addressOf(origin: string, text: string, issues: string[]): ListenAddress | undefined {
  const address = parseListenAddress(text)
  // It may be a URL with a password in it, so it is not repeated.
  if (address === undefined)
    issues.push(`${origin} is no address; write HOST:PORT, [IPV6]:PORT or a port, for example 127.0.0.1:5672`)
  return address
}

function userOf(text: string, issues: string[]): NamedUser {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  if (name === '') issues.push('--user has an empty name; write NAME or NAME:PASSWORD')
  if (colon === text.length - 1)
    issues.push(`--user '${name}:' has an empty password; leave the colon out to have one made up`)
  return { name, password: colon < 0 ? undefined : text.slice(colon + 1), virtualHosts: undefined }
}
