import { HermodError, type HermodErrorOptions } from './base.ts'

/** How far an attempt to connect came before it failed. */
export type ConnectPhase = 'dns' | 'tcp' | 'tls' | 'handshake' | 'sasl' | 'tune' | 'open'

/** The connection could not be made. */
export class ConnectionError extends HermodError {
  /** Where it failed. */
  readonly phase: ConnectPhase
  constructor(phase: ConnectPhase, message: string, options: HermodErrorOptions = {}) {
    super('E_CONN', message, { ...options, details: { ...options.details, phase } })
    this.phase = phase
  }
}

/** The broker refused the user name or the password (AMQP 403 during the handshake). */
export class AuthenticationError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_AUTH', message, options)
  }
}

/** The broker refused the virtual host (AMQP 530) or a permission (AMQP 403). */
export class AccessRefusedError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_ACCESS', message, options)
  }
}

/** The connection broke while it was in use. */
export class ConnectionLostError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_CONN_LOST', message, options)
  }
}

/** The connection was closed for good and will not come back by itself. */
export class ConnectionClosedError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_CONN_CLOSED', message, options)
  }
}

/** The peer sent nothing for two heartbeat intervals. */
export class HeartbeatTimeoutError extends HermodError {
  constructor(silentMs: number) {
    super('E_HEARTBEAT', `the broker has been silent for ${Math.round(silentMs)} ms`, {
      details: { silentMs },
    })
  }
}

/**
 * The broker closed a channel over one operation; the connection lives on.
 * @source AMQP 0-9-1 §1.5.2.5, reply codes 311 to 406
 */
export class ChannelError extends HermodError {
  /** The AMQP reply code, for example 404. */
  readonly replyCode: number
  /** The broker's own text. */
  readonly replyText: string
  /** The method that it answers, for example `queue.declare`. */
  readonly method: string

  constructor(replyCode: number, replyText: string, method: string) {
    super('E_CHANNEL', `${method}: ${replyText}`, { details: { replyCode, replyText, method } })
    this.replyCode = replyCode
    this.replyText = replyText
    this.method = method
  }
}

/** The channel is gone; the operation never reached the broker. */
export class ChannelClosedError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_CHANNEL_CLOSED', message, options)
  }
}

/** The peer sent bytes that are not AMQP 0-9-1. The connection ends; nothing of the frame is used. */
export class ProtocolError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_PROTOCOL', message, options)
  }
}
