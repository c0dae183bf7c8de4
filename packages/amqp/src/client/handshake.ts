import type { Duplex } from 'node:stream'
import {
  AccessRefusedError,
  AuthenticationError,
  ConnectionError,
  ConnectionLostError,
  createDeferred,
  isHermodError,
  ProtocolError,
  withDeadline,
  type Clock,
  type ConnectPhase,
  type HermodError,
} from '@hermod/kernel'
import { FRAME_MIN_SIZE, PROTOCOL_HEADER } from '../wire/constants.ts'
import type { FieldTable } from '../wire/field-table.ts'
import type { DecodedMethod, MethodName } from '../wire/generated/methods.ts'
import { formatServer, type BrokerAddress } from './broker-address.ts'
import type { Dial } from './dial.ts'
import { chooseMechanism, saslResponse, type SaslMechanism } from './sasl.ts'
import { Session, type SessionListener } from './session.ts'
import { withoutSecret } from './without-secret.ts'

/** What a client asks for in its handshake. */
export interface HandshakeOptions {
  readonly dial: Dial
  readonly clientProperties: FieldTable
  readonly mechanism: SaslMechanism | undefined
  /** The proposals of this side; the smaller of both sides counts, and 0 means no limit (for heartbeats: none). */
  readonly channelMax: number
  readonly frameMax: number
  readonly heartbeatMs: number
  readonly clock: Clock
}

/** An open session and what the broker said of itself. */
export interface OpenedSession {
  readonly session: Session
  readonly serverProperties: FieldTable
}

/** In which phase a method may come. */
const TURN: Partial<Record<MethodName, ConnectPhase>> = {
  'connection.start': 'handshake',
  'connection.secure': 'sasl',
  'connection.tune': 'sasl',
  'connection.open-ok': 'open',
}

const ACCESS_REFUSED = 403
const NOT_ALLOWED = 530

/**
 * Dials a broker and shakes hands: protocol header, start, (secure,) tune, open.
 *
 * @param listener gets what happens after the handshake; a session that fails before is reported by the rejection
 *   alone.
 * @throws {ConnectionError} E_CONN with the phase in which it failed.
 * @throws {AuthenticationError} E_AUTH when the broker refused user name or password.
 * @throws {AccessRefusedError} E_ACCESS when it refused the virtual host.
 * @source AMQP 0-9-1 §2.2.4; RabbitMQ's authentication_failure_close
 */
export async function openSession(
  address: BrokerAddress,
  options: HandshakeOptions,
  listener: Omit<SessionListener, 'onHandshake'>,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const stream = await dialled(address, options.dial, signal)
  const opened = createDeferred<OpenedSession>()
  let phase: ConnectPhase = 'handshake'
  let serverProperties: FieldTable = {}
  let isOpen = false
  let mechanism: SaslMechanism | undefined

  const proceed = (method: DecodedMethod): void => {
    // Out of turn, a broker could leave out the login, or have the limits settled twice.
    const inTurn = TURN[method.name]
    if (inTurn !== undefined && inTurn !== phase) throw new ProtocolError(`${method.name} came out of turn`)
    switch (method.name) {
      case 'connection.start': {
        serverProperties = method.args.serverProperties
        mechanism = chooseMechanism(method.args.mechanisms.toString(), options.mechanism)
        phase = 'sasl'
        return session.send(0, 'connection.start-ok', {
          clientProperties: options.clientProperties,
          mechanism,
          response: saslResponse(mechanism, address),
          locale: 'en_US',
        })
      }
      case 'connection.secure':
        throw new ConnectionError(
          'sasl',
          'the broker asks for more than one answer, which no known login mechanism does',
          {
            retryable: false,
          },
        )
      case 'connection.tune': {
        phase = 'tune'
        const channelMax = smaller(method.args.channelMax, options.channelMax)
        const frameMax = smaller(method.args.frameMax, options.frameMax)
        if (frameMax < FRAME_MIN_SIZE)
          throw new ProtocolError(
            `frames of ${frameMax} bytes are too small; every peer takes ${FRAME_MIN_SIZE}`,
          )
        const heartbeat = Math.min(
          method.args.heartbeat || Infinity,
          Math.ceil(options.heartbeatMs / 1000) || Infinity,
        )
        const heartbeatS = options.heartbeatMs === 0 || heartbeat === Infinity ? 0 : heartbeat
        session.send(0, 'connection.tune-ok', { channelMax, frameMax, heartbeat: heartbeatS })
        session.tuned({ channelMax: channelMax || 0xffff, frameMax, heartbeatMs: heartbeatS * 1000 })
        phase = 'open'
        return session.send(0, 'connection.open', { virtualHost: address.virtualHost })
      }
      case 'connection.open-ok':
        isOpen = true
        session.opened()
        return opened.resolve({ session, serverProperties })
      default:
        throw new ProtocolError(`${method.name} came during the handshake`)
    }
  }

  const session: Session = new Session(
    stream,
    {
      ...listener,
      onHandshake: (method) => {
        try {
          proceed(method)
        } catch (error) {
          session.abort(error as HermodError)
        }
      },
      onEnd: (error, closedByBroker) => {
        if (isOpen) listener.onEnd(error, closedByBroker)
        else opened.reject(handshakeError(address, mechanism, phase, error, closedByBroker))
      },
    },
    options.clock,
  )
  const abort = (): void => session.abort(new ConnectionLostError('the attempt was given up'))
  signal.addEventListener('abort', abort, { once: true })
  session.sendRaw(PROTOCOL_HEADER)
  try {
    return await opened.promise
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Dials, and gives what another one's `dial` throws the form of our errors. */
async function dialled(address: BrokerAddress, dial: Dial, signal: AbortSignal): Promise<Duplex> {
  let stream: Duplex
  const dialling = Promise.resolve().then(() => dial(address, { signal }))
  try {
    stream = await withDeadline(dialling, { signal }, 'dial')
  } catch (error) {
    // One that does not listen to the signal may still come.
    dialling.then(
      (late) => late.destroy(),
      () => {},
    )
    signal.throwIfAborted()
    if (isHermodError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConnectionError('tcp', `no connection to ${formatServer(address)}: ${reason}`, { cause: error })
  }
  if (signal.aborted) {
    stream.destroy()
    throw signal.reason
  }
  return stream
}

/** The smaller of two limits, of which 0 means that there is none. */
function smaller(ours: number, theirs: number): number {
  return Math.min(ours || Infinity, theirs || Infinity) === Infinity
    ? 0
    : Math.min(ours || Infinity, theirs || Infinity)
}

function handshakeError(
  address: BrokerAddress,
  mechanism: SaslMechanism | undefined,
  phase: ConnectPhase,
  error: HermodError,
  closedByBroker: { readonly replyCode: number; readonly replyText: string } | undefined,
): HermodError {
  const server = formatServer(address)
  if (closedByBroker !== undefined) {
    const { replyCode } = closedByBroker
    const { username, password } = address
    const replyText =
      password === username ? closedByBroker.replyText : withoutSecret(closedByBroker.replyText, password)
    const details = { replyCode, replyText }
    if (replyCode === ACCESS_REFUSED && phase !== 'open') {
      const what =
        mechanism === 'EXTERNAL' ? 'the client certificate' : `user name or password of '${username}'`
      return new AuthenticationError(`${server} refused ${what}: ${replyText}`, { details })
    }
    if (replyCode === ACCESS_REFUSED || replyCode === NOT_ALLOWED) {
      // RabbitMQ answers 530 as well while a virtual host is still starting or has too many connections, some of
      // which may be dead; those are worth another attempt.
      const retryable = /is down$|limit \(\d+\) is reached/.test(replyText)
      return new AccessRefusedError(
        `${server} refused the virtual host '${address.virtualHost}' to user '${address.username}': ${replyText}`,
        { details, retryable },
      )
    }
    return new ConnectionError(phase, `${server} refused the connection: ${replyText}`, { details })
  }
  if (error.code === 'E_PROTOCOL') {
    return new ConnectionError(phase, `${server} does not speak AMQP 0-9-1: ${error.message}`, {
      cause: error,
    })
  }
  if (error.code !== 'E_CONN_LOST') return error
  const { cause } = error
  if (phase === 'sasl' && (cause === undefined || (cause as NodeJS.ErrnoException).code === 'ECONNRESET')) {
    // A broker without authentication_failure_close says nothing and hangs up. One that is stopping does the same,
    // so another attempt is not pointless.
    return new AuthenticationError(
      mechanism === 'EXTERNAL'
        ? `${server} hung up while it checked the client certificate: most likely it is not known there`
        : `${server} hung up while it checked the credentials of '${address.username}': most likely they are wrong`,
      { retryable: true, cause: error },
    )
  }
  return new ConnectionError(phase, `${server} hung up during the handshake: is it an AMQP 0-9-1 broker?`, {
    cause: error,
  })
}
