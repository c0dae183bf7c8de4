import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  ConfigurationError,
  ConnectionLostError,
  withDeadline,
  type Clock,
  type JsonObject,
} from '@hermod/kernel'
import { messageLine, readMessage, type ControlRequest } from './control-message.ts'

/** Nobody is behind a socket that is not there or takes no connection. */
const NOBODY: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK']

/** Whether a broker is behind this socket. */
export async function isAnswering(path: string): Promise<boolean> {
  const socket = await reach(path)
  socket?.destroy()
  return socket !== undefined
}

/**
 * Asks the broker behind a socket; undefined where there is none.
 *
 * @throws {MessagingTimeoutError} E_TIMEOUT when it does not answer in time.
 * @throws {ConnectionLostError} E_CONN_LOST when it ends without an answer.
 */
export async function askBroker(
  path: string,
  request: ControlRequest,
  {
    timeoutMs,
    signal,
    clock,
  }: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly clock: Clock },
): Promise<JsonObject | undefined> {
  const socket = await reach(path)
  if (socket === undefined) return undefined
  try {
    socket.on('error', () => {})
    socket.write(messageLine({ request }))
    const answer = await withDeadline(readMessage(socket), { timeoutMs, signal }, `broker ${request}`, clock)
    if (answer === undefined) throw new ConnectionLostError('the broker ended without an answer')
    return answer
  } finally {
    socket.destroy()
  }
}

async function reach(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (NOBODY.includes(code ?? '')) return undefined
    throw new ConfigurationError([`the control socket ${path} cannot be used (${code ?? message})`], {
      cause: error,
    })
  }
}
