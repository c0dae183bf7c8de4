import { ChannelError, isHermodError, type ErrorCode } from '@hermod/kernel'

/** What the exit status of `hermod` means; scripts may rely on it. */
export const EXIT = {
  /** Done as asked. */
  ok: 0,
  /** The answer is no: a check failed, an expectation was not met, or the user does not want it. */
  negative: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** A file or a variable of the environment holds something that cannot be used. */
  configuration: 3,
  /** No connection: network, TLS, credentials or virtual host. */
  connection: 4,
  /** The time was over first. */
  timeout: 5,
  /** The peer answered with an error. */
  remote: 6,
  /** No queue took the message. */
  undeliverable: 7,
  /** The broker refused a permission. */
  permission: 8,
  /** A fault of this program, or of what it was started on. */
  internal: 70,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
  /** SIGTERM (128 + 15). */
  terminated: 143,
} as const

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  E_CONFIG: EXIT.configuration,
  E_URL: EXIT.configuration,
  E_UNSUPPORTED: EXIT.configuration,
  E_TARGET: EXIT.usage,
  E_CONN: EXIT.connection,
  E_CONN_LOST: EXIT.connection,
  E_CONN_CLOSED: EXIT.connection,
  E_HEARTBEAT: EXIT.connection,
  E_AUTH: EXIT.connection,
  E_ACCESS: EXIT.connection,
  E_PROTOCOL: EXIT.connection,
  E_TIMEOUT: EXIT.timeout,
  E_UNCERTAIN: EXIT.connection,
  E_BLOCKED: EXIT.connection,
  E_DELIVERY: EXIT.connection,
  E_CHANNEL: EXIT.remote,
  E_NACKED: EXIT.remote,
  E_REMOTE: EXIT.remote,
  E_NO_METHOD: EXIT.remote,
  E_RPC_VERSION: EXIT.remote,
  E_DECODE: EXIT.remote,
  E_UNROUTABLE: EXIT.undeliverable,
}

const ACCESS_REFUSED = 403

/** The exit status for an error that ends a command. */
export function exitCodeOf(error: unknown): number {
  if (!isHermodError(error)) return EXIT.internal
  // The broker says 403 for a permission and 530 for a virtual host, which is part of connecting.
  const replyCode = error instanceof ChannelError ? error.replyCode : error.details['replyCode']
  if (replyCode === ACCESS_REFUSED && error.code !== 'E_AUTH') return EXIT.permission
  return BY_CODE[error.code] ?? EXIT.internal
}
