import type { FieldTable } from '@hermod/amqp'
import type { MethodArguments } from '@hermod/amqp/wire'
import { AmqpError } from '../amqp-error.ts'
import { readFields } from '../model/field-table.ts'
import type { VirtualHostModel } from '../model/virtual-host.ts'
import type { ByteStringReader } from './byte-string-codec.ts'
import type { Peer } from './link.ts'
import { decodeArguments } from './method-codes.ts'
import { MECHANISMS, readLogin } from './sasl.ts'
import { serverProperties } from './server-properties.ts'
import type { SessionHost } from './session-host.ts'
import { checkTuneOk, type Tuning } from './tuning.ts'

/** What a handshake writes, all of it on channel 0. */
export interface HandshakeWriter {
  send(name: 'connection.start', args: MethodArguments['connection.start']): void
  send(name: 'connection.tune', args: MethodArguments['connection.tune']): void
  send(name: 'connection.open-ok', args: object): void
}

/** A client that may come in. */
export interface Opened {
  readonly user: string
  readonly virtualHost: VirtualHostModel
}

/** The credentials were refused; the client learns no more than that. */
export class LoginRefused extends AmqpError {
  constructor(mechanism: string) {
    super(
      403,
      `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
    )
  }
}

const TUNING_STATES: ReadonlySet<string> = new Set(['opening', 'done'])

/**
 * From the protocol header to connection.open-ok: one method after the other, and no other.
 *
 * @source AMQP 0-9-1 §2.2.4; rabbit_reader:handle_method0
 */
export class Handshake {
  readonly #host: SessionHost
  readonly #peer: Peer
  readonly #writer: HandshakeWriter
  readonly #proposal: Tuning
  #state: 'starting' | 'tuning' | 'opening' | 'done' = 'starting'
  #user = ''
  #clientProperties: FieldTable = {}
  #tuning: Tuning | undefined

  constructor(host: SessionHost, peer: Peer, writer: HandshakeWriter) {
    this.#host = host
    this.#peer = peer
    this.#writer = writer
    const { channelMax, frameMax } = host.limits
    this.#proposal = { channelMax, frameMax, heartbeat: host.heartbeatSeconds }
  }

  get state(): 'starting' | 'tuning' | 'opening' | 'done' {
    return this.#state
  }

  get user(): string {
    return this.#user
  }

  /** What the client said about itself. */
  get clientProperties(): FieldTable {
    return this.#clientProperties
  }

  /** What was agreed on, from tune-ok on. */
  get tuning(): Tuning | undefined {
    return TUNING_STATES.has(this.#state) ? this.#tuning : undefined
  }

  /** Whether the client can do something that it has to announce. */
  can(capability: string): boolean {
    const { capabilities } = this.#clientProperties
    return (capabilities as FieldTable | undefined)?.[capability] === true
  }

  /** The protocol header was right. */
  begin(): void {
    this.#writer.send('connection.start', {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: serverProperties(this.#host.advertise),
      mechanisms: MECHANISMS.join(' '),
      locales: 'en_US',
    })
  }

  /**
   * A method on channel 0; the reader stands behind its code. What the client may do now, when it was the last one.
   *
   * @throws {LoginRefused} for wrong credentials.
   * @throws {AmqpError} for everything else.
   */
  receive(reader: ByteStringReader, code: number): Opened | undefined {
    if (this.#state === 'starting') this.#checkTable(reader)
    const { name, args } = decodeArguments(reader, code)
    if (this.#state === 'starting' && name === 'connection.start-ok') this.#start(args)
    else if (this.#state === 'tuning' && name === 'connection.tune-ok') this.#tune(args)
    else if (this.#state === 'opening' && name === 'connection.open') return this.#open(args)
    else throw new AmqpError(504, `unexpected method in connection state ${this.#state}`)
    return undefined
  }

  /** The table of a client that nobody knows yet has tighter bounds than those to come. */
  #checkTable(reader: ByteStringReader): void {
    const { maxHandshakeTableDepth, maxHandshakeTableFields } = this.#host.limits
    const { offset } = reader
    if (reader.left > 4)
      readFields(reader, { maxDepth: maxHandshakeTableDepth, maxFields: maxHandshakeTableFields })
    reader.offset = offset
  }

  #start({ clientProperties, mechanism, response }: MethodArguments['connection.start-ok']): void {
    this.#clientProperties = clientProperties
    if (!MECHANISMS.includes(mechanism)) throw new AmqpError(503, 'unknown authentication mechanism')
    const { maxHandshakeTableDepth, maxHandshakeTableFields } = this.#host.limits
    const login = readLogin(mechanism, response as Buffer, {
      maxDepth: maxHandshakeTableDepth,
      maxFields: maxHandshakeTableFields,
    })
    if (login === undefined) throw new AmqpError(502, 'malformed authentication response')
    if (!this.#host.admits(login, this.#peer)) throw new LoginRefused(mechanism)
    this.#user = login.user
    this.#state = 'tuning'
    this.#writer.send('connection.tune', this.#proposal)
  }

  #tune(answer: Tuning): void {
    this.#tuning = checkTuneOk(this.#proposal, this.#host.profile.smallestFrameMax, answer)
    this.#state = 'opening'
  }

  #open({ virtualHost: name }: MethodArguments['connection.open']): Opened {
    const virtualHost = this.#host.openVirtualHost(name, this.#user)
    this.#state = 'done'
    this.#writer.send('connection.open-ok', {})
    return { user: this.#user, virtualHost }
  }
}
