import { ConfigurationError, type DeadlineOptions, type JsonObject } from '@hermod/kernel'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { TargetParts } from '../target.ts'
import type { RemoteErrorRegistry } from './remote-error-registry.ts'
import { checkRpcVersion } from './rpc-version.ts'

/** How requests are sent and waited for. */
export interface RpcSendSettings {
  /** How long a call waits, sending included; by default as long as the transport says. */
  readonly timeoutMs?: number | undefined
  /**
   * The server is to give a sign of life within this time, again and again; the call fails when it does not. At least
   * 2000, for servers send one every half of it, in whole seconds. Absent: they need not.
   */
  readonly callMonitorTimeoutMs?: number | undefined
  /** The newest version that may be sent: the same major and no newer minor. A request without a version may not. */
  readonly versionCap?: string | undefined
  /** How often sending is tried again when the peer cannot be reached; absent: for ever. */
  readonly retries?: number | undefined
  /** Refuses a request that no server would get, where it would otherwise be lost without a word. */
  readonly atLeastOnce?: boolean | undefined
}

/** How an RpcClient is made. */
export interface RpcClientOptions<Context = JsonObject, Schemas = object> extends RpcSendSettings {
  /** For contexts, arguments and results; by default they travel as they are. */
  readonly serializer?: PayloadSerializer<Context> | undefined
  /** Which classes the errors of servers become; `RemoteErrorRegistry.standard` by default. */
  readonly errors?: RemoteErrorRegistry | undefined
  /** By method: see ClientSchemas. */
  readonly schemas?: Schemas | undefined
}

/** What `prepare` changes: a part that is given as undefined is left open, one that is not given stays. */
export type RpcPreparation = Omit<TargetParts, 'legacyNamespaces'> & RpcSendSettings

/** How one request is made. */
export interface RpcRequestOptions<Context = JsonObject> extends DeadlineOptions {
  /** Travels with the request; absent: an empty one. */
  readonly context?: Context | undefined
}

/** The shortest time within which a server can give signs of life. */
const MIN_MONITOR_TIMEOUT_MS = 2000

/** @throws {ConfigurationError} E_CONFIG naming everything that cannot be used. */
export function checkSendSettings(settings: RpcSendSettings): void {
  const { timeoutMs, callMonitorTimeoutMs, retries, versionCap } = settings
  const issues: string[] = []
  if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
    issues.push(`'timeoutMs' is ${timeoutMs}; it is a time from 0`)
  }
  if (callMonitorTimeoutMs !== undefined && !(callMonitorTimeoutMs >= MIN_MONITOR_TIMEOUT_MS)) {
    const least = `it is at least ${MIN_MONITOR_TIMEOUT_MS}, for servers count in seconds`
    issues.push(`'callMonitorTimeoutMs' is ${callMonitorTimeoutMs}; ${least}`)
  }
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    issues.push(`'retries' is ${retries}; it is a whole number from 0, or absent for ever`)
  }
  if (issues.length > 0) throw new ConfigurationError(issues)
  if (versionCap !== undefined) checkRpcVersion(versionCap, 'the version cap')
}
