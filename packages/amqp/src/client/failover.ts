import { ConnectionError, isHermodError, type HermodError } from '@hermod/kernel'
import { formatServer, type BrokerAddress } from './broker-address.ts'
import type { ResolvedConnectionOptions } from './connection-options.ts'
import { openSession, type OpenedSession } from './handshake.ts'
import type { SessionListener } from './session.ts'
import { CLIENT_VERSION } from './version.ts'

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
): Promise<OpenedSession & { readonly address: BrokerAddress }> {
  const errors: HermodError[] = []
  for (const address of shuffled(options.servers)) {
    signal?.throwIfAborted()
    try {
      return { ...(await attempt(address, options, listener, signal)), address }
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
  address: BrokerAddress,
  options: ResolvedConnectionOptions,
  listener: Omit<SessionListener, 'onHandshake'>,
  signal: AbortSignal | undefined,
): Promise<OpenedSession> {
  const { connectTimeoutMs, clock } = options
  const attemptOver = new AbortController()
  const onAbort = (): void => attemptOver.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(connectTimeoutMs, () =>
    attemptOver.abort(
      new ConnectionError('tcp', `${formatServer(address)} did not answer within ${connectTimeoutMs} ms`),
    ),
  )
  try {
    return await openSession(
      address,
      {
        dial: options.dial,
        mechanism: options.mechanism,
        channelMax: options.channelMax,
        frameMax: options.frameMax,
        heartbeatMs: options.heartbeatMs,
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
