import { UnsupportedFeatureError } from '@hermod/kernel'

/** What a driver can do, as data: the patterns ask before they begin, and a contract test asks what to test. */
export interface DriverCapabilities {
  /** Requests with and without a reply, to any server of a topic or to one. */
  readonly rpc: boolean
  /** Requests to every server of a topic. */
  readonly fanout: boolean
  /** Refuses a request that no server would get ({@link SendOptions.mandatory}). */
  readonly mandatory: boolean
  /** Servers tell callers that a long call is still being worked on. */
  readonly callMonitoring: boolean
  /** A request that was delivered and not accepted is delivered again when its server dies. */
  readonly redelivery: boolean
  /** Notifications, by topic and priority. */
  readonly notifications: boolean
  /** Several groups of listeners, each of which gets every notification. */
  readonly pools: boolean
  /** A notification can be given back. */
  readonly requeue: boolean
  /** Text headers travel beside a message. */
  readonly headers: boolean
}

const NAMES: Readonly<Record<keyof DriverCapabilities, string>> = {
  rpc: 'remote calls',
  fanout: 'fanout',
  mandatory: 'mandatory requests (at least once)',
  callMonitoring: 'call monitoring',
  redelivery: 'accepting a request after its method has run',
  notifications: 'notifications',
  pools: 'pools of listeners',
  requeue: 'giving notifications back',
  headers: 'headers',
}

/** @throws {UnsupportedFeatureError} E_UNSUPPORTED naming everything that the driver lacks. */
export function requireCapabilities(
  driver: string,
  has: DriverCapabilities,
  needed: readonly (keyof DriverCapabilities)[],
): void {
  const missing = needed.filter((capability) => !has[capability]).map((capability) => NAMES[capability])
  if (missing.length > 0)
    throw new UnsupportedFeatureError(`the driver '${driver}' cannot do this: ${missing.join(', ')}`)
}
