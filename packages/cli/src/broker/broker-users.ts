import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '@hermod/kernel'
import type { NamedUser } from './broker-config.ts'

/** The variable of the environment that may hold the password of a user who is named without one. */
const PASSWORD_VARIABLE = 'HERMOD_BROKER_PASSWORD'

/** Who may connect where nobody is named. */
const DEFAULT_USER = 'hermod'

/** 144 bits. */
const PASSWORD_BYTES = 18

/** A user with a password. */
export interface SettledUser extends NamedUser {
  readonly password: string
  /** Whether it was made up here: nobody knows it yet. */
  readonly generated: boolean
}

/**
 * Finds everybody's password: that of the flag, else that of the file, else that of the environment, else one that is
 * made up. Flags add to the users of the file. Without any user there is one, `hermod`.
 *
 * @throws {ConfigurationError} E_CONFIG where the one password of the environment would be that of several users.
 */
export function settledUsers(
  fromFlags: readonly NamedUser[],
  fromFile: readonly NamedUser[],
  env: Readonly<Record<string, string | undefined>>,
): readonly SettledUser[] {
  const users = new Map(fromFile.map((user) => [user.name, user]))
  for (const { name, password } of fromFlags) {
    const known = users.get(name)
    users.set(name, { name, password: password ?? known?.password, virtualHosts: known?.virtualHosts })
  }
  if (users.size === 0)
    users.set(DEFAULT_USER, { name: DEFAULT_USER, password: undefined, virtualHosts: undefined })
  const without = [...users.values()].filter(({ password }) => password === undefined)
  const ofEnvironment = env[PASSWORD_VARIABLE] || undefined
  if (without.length > 1 && ofEnvironment !== undefined)
    throw new ConfigurationError([
      `${PASSWORD_VARIABLE} is the password of one user, but ${without.map(({ name }) => `'${name}'`).join(' and ')} have none; give theirs in --config`,
    ])
  return [...users.values()].map((user) => ({
    ...user,
    password: user.password ?? ofEnvironment ?? randomBytes(PASSWORD_BYTES).toString('base64url'),
    generated: user.password === undefined && ofEnvironment === undefined,
  }))
}
