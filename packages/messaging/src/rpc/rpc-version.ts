import { ConfigurationError } from '@hermod/kernel'

/** `major.minor` or `major.minor.revision`, as numbers. */
export interface RpcVersion {
  readonly major: number
  readonly minor: number
  readonly revision: number
}

/** What requests and endpoints without a version have. */
export const DEFAULT_RPC_VERSION = '1.0'

/** The parts of a version; undefined for anything else. */
export function parseRpcVersion(version: string): RpcVersion | undefined {
  const parts = /^(\d+)\.(\d+)(?:\.(\d+))?$/.exec(version)
  if (parts === null) return undefined
  return { major: Number(parts[1]), minor: Number(parts[2]), revision: Number(parts[3] ?? 0) }
}

/** @throws {ConfigurationError} E_CONFIG for anything but `major.minor` and `major.minor.revision`. */
export function checkRpcVersion(version: string, what: string): string {
  if (parseRpcVersion(version) !== undefined) return version
  throw new ConfigurationError([`${what} '${version}' is no version: write major.minor, for example 1.0`])
}

/**
 * Whether an endpoint of the version `implemented` can serve a request of the version `requested`: the same major, no
 * newer minor, and in the same minor no newer revision. What is no version serves and is served by nothing.
 *
 * @source oslo.messaging _utils.py version_is_compatible
 */
export function isCompatibleVersion(implemented: string, requested: string): boolean {
  const ours = parseRpcVersion(implemented)
  const theirs = parseRpcVersion(requested)
  if (ours === undefined || theirs === undefined || ours.major !== theirs.major) return false
  return theirs.minor < ours.minor || (theirs.minor === ours.minor && theirs.revision <= ours.revision)
}
