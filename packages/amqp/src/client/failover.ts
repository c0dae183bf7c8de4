import { ConnectionError, isHermodError, withDeadline, type HermodError } from '@hermod/kernel'
import { formatServer, type AmqpUrl, type BrokerAddress } from './broker-address.ts'
import { CONNECTION_DEFAULTS, type ResolvedConnectionOptions } from './connection-options.ts'
import { obtainCredentials, type Credentials } from './credentials.ts'
import { openSession, type OpenedSession } from './handshake.ts'
import type { SessionListener } from './session.ts'
import { CLIENT_VERSION } from './version.ts'

/** A session, with the server that it was opened with, and how we logged in. */
export interface FoundSession extends OpenedSession {
  readonly address: BrokerAddress
  readonly credentials: Credentials
}

/**
 * Tries the servers once each, in random order, and returns the first that opens. Waiting between rounds is the
 * caller's.
 *
 * @throws the error of the last server, with those of the others as its cause; `signal.reason` when it aborts.
 */
export async function connectToAny(
  options: ResolvedConnectionOptions,
  listener: Omit<SessionListener, 'onHandshake'>,
  signal: AbortSignal | undefined,
): Promise<FoundSession> {
  const errors: HermodError[] = []
  const known = options.servers()
  const timeoutMs = options.connectTimeoutMs ?? CONNECTION_DEFAULTS.connectTimeoutMs
  const servers =
    known instanceof Promise
      ? await withDeadline(known, { signal, timeoutMs }, 'finding the servers', options.clock)
      : known
  for (const address of options.serverOrder === 'random' ? shuffled(servers) : servers) {
    signal?.throwIfAborted()
    try {
      return await attempt(address, options, listener, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isHermodError(error)) throw error
      errors.push(error)
    }
  }
  // What can be tried again counts more than what cannot: one server with a wrong password must not end the
  // search for the others.
  const last = (errors.findLast((error) => error.retryable) ?? errors.at(-1)) as HermodError
  if (errors.length > 1)
    last.cause = new AggregateError(errors, errors.map((error) => error.message).join('; '))
  throw last
}

async function attempt(
  server: AmqpUrl,
  options: ResolvedConnectionOptions,
  listener: Omit<SessionListener, 'onHandshake'>,
  signal: AbortSignal | undefined,
): Promise<FoundSession> {
  const { clock } = options
  const connectTimeoutMs =
    options.connectTimeoutMs ?? server.connectTimeoutMs ?? CONNECTION_DEFAULTS.connectTimeoutMs
  const heartbeatMs = options.heartbeatMs ?? server.heartbeatMs ?? CONNECTION_DEFAULTS.heartbeatMs
  const attemptOver = new AbortController()
  const onAbort = (): void => attemptOver.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(connectTimeoutMs, () =>
    attemptOver.abort(
      new ConnectionError('tcp', `${formatServer(server)} did not answer within ${connectTimeoutMs} ms`),
    ),
  )
  try {
    const credentials: Credentials =
      options.credentials === undefined
        ? server
        : await withDeadline(
            obtainCredentials(options.credentials, server, attemptOver.signal),
            { signal: attemptOver.signal },
            'the callback for credentials',
          )
    const { username = server.username, password } = credentials
    const address = { ...server, username, password }
    const opened = await openSession(
      address,
      {
        dial: options.dial,
        mechanism: options.mechanism ?? server.mechanism,
        channelMax: options.channelMax,
        frameMax: options.frameMax,
        heartbeatMs,
        clock,
        clientProperties: {
          product: 'Hermod',
          version: CLIENT_VERSION,
          platform: `Node.js ${process.version}`,
          connection_name: options.name,
          capabilities: {
            publisher_confirms: true,
            consumer_cancel_notify: true,
            exchange_exchange_bindings: true,
            'basic.nack': true,
            'connection.blocked': true,
            authentication_failure_close: true,
          },
          ...options.clientProperties,
        },
      },
      listener,
      attemptOver.signal,
    )
    return { ...opened, address: server, credentials }
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Clients that all begin with the same server would all return to the same one. */
function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
  }
  return copy
}
