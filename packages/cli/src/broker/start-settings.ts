import { hostname } from 'node:os'
import type { ProfileName } from '@hermod/broker'
import { ConfigurationError } from '@hermod/kernel'
import { readTextFile } from '@hermod/messaging'
import type { CliIo } from '../cli-io.ts'
import { addressOf, PROFILE_NAMES, type BrokerStartPlan } from '../commands/broker-start-plan.ts'
import { choiceOf } from '../flag-values.ts'
import { NO_CONFIG, readBrokerConfig, type BrokerConfig } from './broker-config.ts'
import { settledUsers, type SettledUser } from './broker-users.ts'
import { DEFAULT_ADDRESS, isLoopbackHost, reachableHost, type ListenAddress } from './listen-address.ts'

const DEFAULT_PROFILE: ProfileName = 'rabbitmq-4.2'

/** What a broker is started with. */
export interface StartSettings {
  readonly address: ListenAddress
  readonly users: readonly SettledUser[]
  readonly virtualHosts: readonly string[]
  readonly profile: ProfileName
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** What the user should know about them, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * Reads what a plan names, and decides what it leaves open.
 *
 * @throws {ConfigurationError} E_CONFIG when a file cannot be read or used, or when the whole cannot be.
 */
export async function startSettings(plan: BrokerStartPlan, io: CliIo): Promise<StartSettings> {
  const config = plan.configFile === undefined ? NO_CONFIG : await readBrokerConfig(plan.configFile, io.stdin)
  const issues: string[] = []
  const file = plan.configFile ?? ''
  const ofFile =
    config.listen === undefined ? undefined : addressOf(`${file}: 'listen'`, config.listen, issues)
  const profile = choiceOf(`${file}: 'profile'`, config.profile, PROFILE_NAMES, issues)
  const users = settledUsers(plan.users, config.users, io.env)
  const address = plan.address ?? ofFile ?? DEFAULT_ADDRESS
  if (!isLoopbackHost(address.host) && plan.users.length + config.users.length === 0)
    issues.push(
      `${address.host} is reached by others; say who may connect, with --user or 'users' in --config`,
    )
  const tls = await tlsOf(plan, config, issues)
  if (issues.length > 0) throw new ConfigurationError(issues)
  const virtualHosts = [...plan.virtualHosts, ...config.virtualHosts]
  return {
    address,
    users,
    virtualHosts: virtualHosts.length === 0 ? ['/'] : [...new Set(virtualHosts)],
    profile: plan.profile ?? profile ?? DEFAULT_PROFILE,
    tls,
    notes: [...config.notes, ...notesOf(plan, users, address, tls !== undefined)],
  }
}

async function tlsOf(
  plan: BrokerStartPlan,
  config: BrokerConfig,
  issues: string[],
): Promise<StartSettings['tls']> {
  const [certFile, keyFile] =
    plan.tlsCert === undefined ? [config.tlsCert, config.tlsKey] : [plan.tlsCert, plan.tlsKey]
  if ((certFile === undefined) !== (keyFile === undefined))
    issues.push(`${plan.configFile}: 'tls_cert' and 'tls_key' belong together; give both or none`)
  if (certFile === undefined || keyFile === undefined) return undefined
  return {
    cert: await readTextFile(certFile, 'the TLS certificate in'),
    key: await readTextFile(keyFile, 'the TLS key in'),
  }
}

function notesOf(
  plan: BrokerStartPlan,
  users: readonly SettledUser[],
  { host }: ListenAddress,
  isSecure: boolean,
): readonly string[] {
  const notes: string[] = []
  if (plan.users.some(({ password }) => password !== undefined))
    notes.push(
      'the password in --user can be read by every user of this machine (ps); HERMOD_BROKER_PASSWORD or --config keeps it to yourself',
    )
  if (!isLoopbackHost(host) && !isSecure)
    notes.push(`others reach ${host}, and without --tls-cert passwords and messages can be read on the way`)
  const made = users.filter(({ generated }) => generated).map(({ name }) => `'${name}'`)
  if (made.length > 0)
    notes.push(`the password of ${made.join(' and ')} was made up now and is shown this once, in the URL`)
  return notes
}

/** A URL of a broker; with the password only where that is asked for. */
export function brokerUrl(
  { host, port }: ListenAddress,
  { tls, virtualHosts }: StartSettings,
  user: SettledUser,
  withPassword: boolean,
): string {
  const name = reachableHost(host, hostname())
  const login = [user.name, ...(withPassword ? [user.password] : [])].map(encodeURIComponent).join(':')
  const place = `${name.includes(':') ? `[${name}]` : name}:${port}`
  // `/` is written out: clients do not agree on what an empty path is.
  const path = encodeURIComponent(user.virtualHosts?.[0] ?? virtualHosts[0] ?? '/')
  return `${tls === undefined ? 'amqp' : 'amqps'}://${login}@${place}/${path}`
}
