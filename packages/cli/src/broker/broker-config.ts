import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { ConfigurationError, type JsonObject, type JsonValue } from '@hermod/kernel'
import { readJsonObject } from '../json-file.ts'

/** A user as flags or a file name it; what has no password gets one elsewhere. */
export interface NamedUser {
  readonly name: string
  readonly password: string | undefined
  /** Those that the user may open; undefined for all. */
  readonly virtualHosts: readonly string[] | undefined
}

/** What a file says of a broker; undefined where it says nothing. */
export interface BrokerConfig {
  readonly listen: string | undefined
  readonly users: readonly NamedUser[]
  readonly virtualHosts: readonly string[]
  readonly profile: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  /** What the user should know about the file, a sentence each. */
  readonly notes: readonly string[]
}

export const NO_CONFIG: BrokerConfig = {
  listen: undefined,
  users: [],
  virtualHosts: [],
  profile: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  notes: [],
}

const KEYS = ['listen', 'users', 'virtual_hosts', 'profile', 'tls_cert', 'tls_key']
const USER_KEYS = ['name', 'password', 'virtual_hosts']

/** The bits of a file's mode that let others than its owner read it. */
const READ_BY_OTHERS = 0o044

/**
 * Reads the file of `--config`: one JSON object.
 *
 * @throws {ConfigurationError} E_CONFIG naming everything in it that cannot be used; never a password.
 */
export async function readBrokerConfig(path: string, stdin: Readable): Promise<BrokerConfig> {
  const object = await readJsonObject(path, 'the configuration', stdin)
  const issues: string[] = []
  const config = {
    listen: textOf(object, 'listen', issues),
    users: usersOf(object['users'], issues),
    virtualHosts: textsOf(object, 'virtual_hosts', issues) ?? [],
    profile: textOf(object, 'profile', issues),
    tlsCert: textOf(object, 'tls_cert', issues),
    tlsKey: textOf(object, 'tls_key', issues),
  }
  rejectUnknown(object, KEYS, '', issues)
  if (issues.length > 0) throw new ConfigurationError(issues.map((issue) => `${path}: ${issue}`))
  const holdsPassword = config.users.some(({ password }) => password !== undefined)
  return { ...config, notes: holdsPassword && (await isReadByOthers(path)) ? [readNote(path)] : [] }
}

const readNote = (path: string): string =>
  `${path} holds a password and can be read by others; chmod 600 keeps it to yourself`

async function isReadByOthers(path: string): Promise<boolean> {
  return path !== '-' && process.platform !== 'win32' && ((await stat(path)).mode & READ_BY_OTHERS) !== 0
}

function usersOf(value: JsonValue | undefined, issues: string[]): readonly NamedUser[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    issues.push("'users' is no list")
    return []
  }
  return value.map((user, at) => {
    const where = `users[${at}].`
    if (typeof user !== 'object' || user === null || Array.isArray(user)) {
      issues.push(`'users[${at}]' is no object`)
      return { name: '', password: undefined, virtualHosts: undefined }
    }
    rejectUnknown(user, USER_KEYS, where, issues)
    const name = textOf(user, 'name', issues, where)
    if (name === undefined || name === '') issues.push(`'${where}name' is missing`)
    const password = textOf(user, 'password', issues, where)
    if (password === '') issues.push(`'${where}password' is empty; leave it out to have one made up`)
    return {
      name: name ?? '',
      password,
      virtualHosts: textsOf(user, 'virtual_hosts', issues, where),
    }
  })
}

function textOf(object: JsonObject, key: string, issues: string[], where = ''): string | undefined {
  const value = object[key]
  if (value === undefined || typeof value === 'string') return value
  issues.push(`'${where}${key}' is no text`)
  return undefined
}

function textsOf(
  object: JsonObject,
  key: string,
  issues: string[],
  where = '',
): readonly string[] | undefined {
  const value = object[key]
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  issues.push(`'${where}${key}' is no list of texts`)
  return undefined
}

function rejectUnknown(object: JsonObject, known: readonly string[], where: string, issues: string[]): void {
  for (const key of Object.keys(object).filter((one) => !known.includes(one)))
    issues.push(`'${where}${key}' is not known; there are ${known.join(', ')}`)
}
