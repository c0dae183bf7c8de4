import { deepEqual, equal, ok } from 'node:assert/strict'
import { connect as connectSocket, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBroker, type Broker, type BrokerOptions } from '@hermod/broker'
import { METHOD_CODES, type ByteReader, type MethodArguments } from '@hermod/amqp/wire'
import { sleep, type Logger } from '@hermod/kernel'
import { eventually } from '@hermod/testkit'
import { expect } from 'vitest'
import { FrameClient, type LoginOptions } from '../../packages/broker/test/frame-client.ts'
import { consumeFrom, queueNamed } from '../../packages/broker/test/session/session-fixture.ts'
import { startWatch, strayErrors } from './hostile-broker.ts'

/** The longest that a client that behaves may wait for its own message, while others do their worst. */
const PATIENCE_MS = 5_000

/** Codes that clients bring about; 541 for properties that are none, and where it is a fault of the broker's own, that is logged. */
const CODES = new Set([320, 403, 404, 405, 406, 501, 502, 503, 504, 505, 506, 530, 540, 541])

const soon = (attempt: () => void): Promise<unknown> =>
  eventually(attempt, { timeoutMs: 20_000, intervalMs: 1 })

/** A client that behaves: it publishes and consumes all the time, and is to notice nothing. */
class Witness {
  readonly #client: FrameClient
  #rounds = 0
  #longestMs = 0
  #longestBusyMs = 0
  #running = true
  readonly #ended: Promise<void>

  constructor(client: FrameClient) {
    this.#client = client
    this.#ended = this.#run()
    // It is awaited at the end; until then its failure is no stray one.
    this.#ended.catch(() => {})
  }

  /** How often its message came back. */
  get rounds(): number {
    return this.#rounds
  }

  /** The longest that one was under way. */
  get longestMs(): number {
    return this.#longestMs
  }

  /** The same, less what the other processes of this machine took meanwhile. */
  get longestBusyMs(): number {
    return this.#longestBusyMs
  }

  async #run(): Promise<void> {
    const client = this.#client
    await client.call(1, 'queue.declare', queueNamed('witness', { exclusive: true }))
    await client.call(1, 'basic.consume', consumeFrom('witness', 'w'))
    while (this.#running) {
      const startMs = performance.now()
      const watch = startWatch()
      client.publish(1, '', 'witness', String(this.#rounds))
      const { body, args } = await client.expect('basic.deliver')
      equal(body, String(this.#rounds))
      client.send(1, 'basic.ack', { deliveryTag: Number(args['deliveryTag']), multiple: false })
      this.#longestMs = Math.max(this.#longestMs, performance.now() - startMs)
      this.#longestBusyMs = Math.max(this.#longestBusyMs, watch())
      this.#rounds++
      // Others are to have most of the time.
      await sleep(1)
    }
  }

  /** Goes round once more, at least. */
  async round(): Promise<void> {
    const { rounds } = this
    await Promise.race([
      eventually(() => this.#rounds > rounds, { timeoutMs: 20_000, intervalMs: 1 }),
      this.#ended,
    ])
  }

  async end(): Promise<void> {
    this.#running = false
    await this.#ended
    this.#client.stream.destroy()
  }
}

/** A broker on a port, a client that behaves, and everything that goes wrong there. */
export class BrokerStage {
  readonly broker: Broker
  readonly witness: Witness
  /** What the broker says went wrong in itself. */
  readonly faults: unknown[]
  readonly #port: number
  readonly #sockets = new Set<Duplex>()

  private constructor(broker: Broker, port: number, witness: Witness, faults: unknown[]) {
    this.broker = broker
    this.witness = witness
    this.faults = faults
    this.#port = port
  }

  static async open(options: BrokerOptions = {}): Promise<BrokerStage> {
    const faults: unknown[] = []
    const error: Logger['error'] = (details) => void faults.push(details)
    const logger: Logger = { debug() {}, info() {}, warn() {}, error }
    const limits = { refusalDelayLoopbackMs: 0, ...options.limits }
    const broker = createBroker({ ...options, limits, logger })
    const { port } = await broker.listen()
    // With Nagle's algorithm an ack before a publish would hold it up for 40 ms, and so each case of a search.
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true })
    const client = await new FrameClient(socket).open()
    await client.call(1, 'channel.open', {})
    const stage = new BrokerStage(broker, port, new Witness(client), faults)
    await stage.witness.round()
    return stage
  }

  /** A socket of somebody who may do anything. */
  socket(options: { allowHalfOpen?: boolean } = {}): Socket {
    return this.#remember(connectSocket({ port: this.#port, host: '127.0.0.1', ...options }))
  }

  /** The same without a socket. */
  stream(): Duplex {
    return this.#remember(this.broker.connect())
  }

  /** Somebody who has logged in over TCP, with channel 1 open. */
  async client(login: LoginOptions = {}): Promise<FrameClient> {
    const client = await new FrameClient(this.socket()).open(login)
    await client.call(1, 'channel.open', {})
    return client
  }

  #remember<S extends Duplex>(stream: S): S {
    this.#sockets.add(stream)
    stream.on('error', () => {})
    stream.on('close', () => void this.#sockets.delete(stream))
    return stream
  }

  /** Whatever happened: the broker is whole, the witness is served, and nothing of the others is left. */
  async calm(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await soon(() => equal(this.broker.connections().length, 1))
    deepEqual(this.faults, [])
    await this.witness.round()
    for (const { name } of this.broker.queues()) if (name !== 'witness') this.broker.deleteQueue(name)
    await this.witness.round()
    await soon(() => {
      const { channels, consumers, queues, memoryBytes } = this.broker.stats()
      // What the witness has under way.
      deepEqual({ channels, consumers, queues }, { channels: 1, consumers: 1, queues: 1 })
      ok(memoryBytes < 1000, `${memoryBytes} bytes are held`)
    })
  }

  /** Ends it. @throws when the witness was not served. */
  async close(): Promise<void> {
    await this.witness.end()
    for (const socket of this.#sockets) socket.destroy()
    await this.broker.close()
    deepEqual(this.faults, [])
  }
}

/**
 * Does the worst to a broker. Nothing may escape from it, the client that behaves is served to the end, and what was
 * taken is given back.
 */
export async function besiege(
  work: (stage: BrokerStage) => Promise<void>,
  options: BrokerOptions = {},
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const stray = await strayErrors(async () => {
    const stage = await BrokerStage.open(options)
    try {
      await work(stage)
      await stage.calm()
      expect(stage.witness.longestMs).toBeLessThan(patienceMs)
    } finally {
      await stage.close()
    }
  })
  expect(stray).toEqual([])
}

/** A client that agrees when a channel is closed, and opens it again. */
class PersistentClient extends FrameClient {
  override method(channel: number, reader: ByteReader): void {
    const code = reader.buffer.readUInt32BE(reader.offset)
    super.method(channel, reader)
    if (code !== METHOD_CODES['channel.close'] || !this.stream.writable) return
    this.send(channel, 'channel.close-ok', {})
    this.send(channel, 'channel.open', {})
  }
}

/** Resolves when a stream has come to its end, also by the reset of a broker that its client does not read from. */
export function hungUp(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

/** Sends pieces, which are whole frames for a client that is persistent, each in a turn of its own, and hangs up; the client has what came back. */
export async function converse(
  stream: Duplex,
  pieces: readonly Uint8Array[],
  persistent = false,
): Promise<FrameClient> {
  const client = persistent ? new PersistentClient(stream) : new FrameClient(stream)
  const closed = hungUp(stream)
  for (const piece of pieces) {
    if (!stream.writable) break
    stream.write(piece)
    await nextTurn()
  }
  stream.end()
  await closed
  return client
}

/** Whether every code that these answers give is one that clients may bring about. */
export async function checkCodes(client: FrameClient): Promise<void> {
  for (let frame = await client.next(); frame !== 'end'; frame = await client.next()) {
    if (frame.name !== 'connection.close' && frame.name !== 'channel.close') continue
    const { replyCode, replyText } = frame.args as MethodArguments['channel.close']
    expect({ known: CODES.has(replyCode), replyText }).toEqual({ known: true, replyText })
  }
}
