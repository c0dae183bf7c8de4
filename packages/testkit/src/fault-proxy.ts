import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { LinkFaults, StreamMark, type LinkDirection, type LinkStats } from './link-faults.ts'
import { ProxiedConnection } from './proxied-connection.ts'
import { seededRandom } from './seeded-random.ts'

/** Which bytes a fault concerns; `both` where it is left out. */
export type FaultDirection = LinkDirection | 'both'

/** How a proxy is set up. */
export interface FaultProxyOptions {
  /** Decides what is left to chance: the jitter of `delay`, the sizes of `rechunk`. Chosen at random where absent. */
  readonly seed?: number | undefined
}

/** A fault that is on. */
export interface Fault extends Disposable {
  /** Ends this fault and no other. Nothing happens when it is over or was replaced. */
  heal(): void
}

/** How late bytes arrive. */
export interface DelayOptions {
  readonly direction?: FaultDirection | undefined
  readonly delayMs: number
  /** Up to this much more, chosen for each chunk; no chunk overtakes another. */
  readonly jitterMs?: number | undefined
}

/** How fast bytes pass. */
export interface ThrottleOptions {
  readonly direction?: FaultDirection | undefined
  /** Of each connection, and of each direction by itself. */
  readonly bytesPerSecond: number
}

/** In what pieces bytes arrive. */
export interface RechunkOptions {
  readonly direction?: FaultDirection | undefined
  /** The size of a piece; of a range, each piece has a size chosen at random. */
  readonly bytes: number | readonly [min: number, max: number]
  /** How long the beginning of a piece waits for more, so that small writes arrive as one; 0 where absent. */
  readonly holdMs?: number | undefined
}

/** Where a connection breaks. */
export interface CutAfterOptions {
  readonly direction: LinkDirection
  /** How many more bytes pass, 1 at least. */
  readonly bytes: number
}

/** Which bytes are changed, and how. */
export interface CorruptOptions {
  readonly direction: LinkDirection
  /** How many more bytes pass unchanged; 0 where absent. */
  readonly afterBytes?: number | undefined
  /** The bits to flip in one byte, 1 to 255; or the bytes that take the place of as many. All bits where absent. */
  readonly change?: number | Uint8Array | undefined
}

/** What a proxy has done so far. */
export interface FaultProxyStats {
  readonly accepted: number
  /** Connections broken by `refuse`, at their beginning. */
  readonly refused: number
  /** Connections broken by `cut` and `cutAfter`. */
  readonly cut: number
  readonly toBroker: LinkStats
  readonly toClient: LinkStats
}

/**
 * A TCP proxy on loopback that does to a connection what networks do.
 *
 * A fault concerns all connections, open and to come, until it is healed; one of the same kind and direction
 * replaces it. Different kinds add up. Half-close (FIN) and reset (RST) of either side are passed on to the other.
 */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** With the same seed, chance chooses the same: put it into the message of a test that may fail. */
  readonly seed: number
  /** How many connections are open now. */
  readonly connections: number
  /** How many were accepted so far. */
  readonly accepted: number
  /** A URL that leads through this proxy and is otherwise the same. */
  urlFor(url: string): string
  /** Breaks every open connection towards both sides (RST); gives their number. */
  cut(): number
  /**
   * Breaks the first connection on which so many more bytes have passed, exactly behind them, which may be in the
   * middle of a frame. Happens once.
   */
  cutAfter(options: CutAfterOptions): Fault
  /**
   * Swallows bytes, FIN and RST: sockets stay open and the other side never answers. What is swallowed is gone for
   * good; healing leaves a hole in the stream, and passes on that a side has hung up meanwhile.
   */
  halfOpen(direction?: FaultDirection): Fault
  /** Lets bytes arrive late, and in order. */
  delay(options: DelayOptions): Fault
  /** Slows bytes down; what is too much is not read, so that the writer feels it. */
  throttle(options: ThrottleOptions): Fault
  /** Passes bytes in other pieces, each in a turn of the event loop of its own. */
  rechunk(options: RechunkOptions): Fault
  /** Changes bytes on the first connection that gets there. Happens once. */
  corrupt(options: CorruptOptions): Fault
  /** Breaks new connections as soon as they are there (RST); `false` takes them again. Open ones go on. */
  refuse(on?: boolean): Fault
  /** Stops reading and passing; everything is kept. */
  pause(direction?: FaultDirection): Fault
  /** Ends `pause`. */
  resume(direction?: FaultDirection): void
  /** Ends every fault. What was cut stays cut. */
  heal(): void
  stats(): FaultProxyStats
}

/**
 * Starts a proxy on a free port of loopback that passes every connection on to `target`, for example a broker.
 * Without faults it changes nothing. Disposing it breaks all connections.
 */
export async function startFaultProxy(
  target: { readonly host: string; readonly port: number },
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const proxy = new LoopbackFaultProxy(target, options.seed ?? randomInt(2 ** 32))
  await proxy.listen()
  return proxy
}

class LoopbackFaultProxy implements FaultProxy {
  readonly host: string = '127.0.0.1'
  port = 0
  readonly seed: number
  readonly #target: { readonly host: string; readonly port: number }
  readonly #faults: Readonly<Record<LinkDirection, LinkFaults>> = {
    'to-broker': new LinkFaults(),
    'to-client': new LinkFaults(),
  }
  readonly #open = new Set<ProxiedConnection>()
  readonly #server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  #accepted = 0
  #refused = 0
  #cut = 0
  #refuse: object | undefined

  constructor(target: { readonly host: string; readonly port: number }, seed: number) {
    this.#target = target
    this.seed = seed
    this.#server.on('connection', (client) => {
      if (this.#refuse !== undefined) {
        this.#refused++
        client.on('error', () => {})
        client.resetAndDestroy()
        return
      }
      // Two streams of chance for each connection, none of them shared.
      const seedOf = (way: number): number => seed + Math.imul(2 * this.#accepted + way, 0x9e3779b1)
      const random = { 'to-broker': seededRandom(seedOf(0)), 'to-client': seededRandom(seedOf(1)) }
      this.#accepted++
      const connection = new ProxiedConnection(client, this.#target, this.#faults, random, {
        cut: () => {
          this.#cut++
          this.#open.delete(connection)
        },
        closed: () => void this.#open.delete(connection),
      })
      this.#open.add(connection)
    })
  }

  async listen(): Promise<void> {
    this.#server.listen({ host: this.host, port: 0 })
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#open.size
  }

  get accepted(): number {
    return this.#accepted
  }

  urlFor(url: string): string {
    const changed = new URL(url)
    changed.hostname = this.host
    changed.port = String(this.port)
    return changed.href
  }

  cut(): number {
    const connections = [...this.#open]
    this.#open.clear()
    for (const connection of connections) connection.end()
    this.#cut += connections.length
    return connections.length
  }

  cutAfter({ direction, bytes }: CutAfterOptions): Fault {
    atLeast(1, 'bytes', bytes)
    const mark = this.#mark(direction, bytes)
    const { cuts } = this.#faults[direction]
    cuts.add(mark)
    return fault(() => void cuts.delete(mark))
  }

  halfOpen(direction: FaultDirection = 'both'): Fault {
    return this.#inject('vanish', {}, direction)
  }

  delay({ delayMs, jitterMs = 0, direction }: DelayOptions): Fault {
    atLeast(0, 'delayMs', delayMs)
    atLeast(0, 'jitterMs', jitterMs)
    return this.#inject('delay', { delayMs, jitterMs }, direction)
  }

  throttle({ bytesPerSecond, direction }: ThrottleOptions): Fault {
    atLeast(1, 'bytesPerSecond', bytesPerSecond)
    return this.#inject('throttle', { bytesPerSecond }, direction)
  }

  rechunk({ bytes, holdMs = 0, direction }: RechunkOptions): Fault {
    const [minBytes, maxBytes] = typeof bytes === 'number' ? [bytes, bytes] : bytes
    atLeast(1, 'bytes', minBytes)
    atLeast(minBytes, 'bytes', maxBytes)
    atLeast(0, 'holdMs', holdMs)
    return this.#inject('rechunk', { minBytes, maxBytes, holdMs }, direction)
  }

  corrupt({ direction, afterBytes = 0, change = 0xff }: CorruptOptions): Fault {
    atLeast(0, 'afterBytes', afterBytes)
    if (typeof change === 'number' && !(change >= 1 && change <= 0xff)) {
      throw new RangeError(`the change ${change} flips no bit of a byte; give 1 to 255`)
    }
    const corruption = {
      mark: this.#mark(direction, afterBytes),
      length: typeof change === 'number' ? 1 : change.length,
      change: (byte: number, index: number) =>
        typeof change === 'number' ? byte ^ change : (change[index] as number),
    }
    const { corruptions } = this.#faults[direction]
    corruptions.add(corruption)
    return fault(() => void corruptions.delete(corruption))
  }

  refuse(on = true): Fault {
    const refusal = on ? {} : undefined
    this.#refuse = refusal
    return fault(() => {
      if (this.#refuse === refusal) this.#refuse = undefined
    })
  }

  pause(direction: FaultDirection = 'both'): Fault {
    return this.#inject('pause', {}, direction)
  }

  resume(direction: FaultDirection = 'both'): void {
    for (const way of ways(direction)) this.#faults[way].pause = undefined
    this.#wake()
  }

  heal(): void {
    this.#refuse = undefined
    for (const faults of Object.values(this.#faults)) faults.heal()
    this.#wake()
  }

  stats(): FaultProxyStats {
    return {
      accepted: this.#accepted,
      refused: this.#refused,
      cut: this.#cut,
      toBroker: { ...this.#faults['to-broker'].stats },
      toClient: { ...this.#faults['to-client'].stats },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const connection of this.#open) connection.end()
    await closed
  }

  #mark(direction: LinkDirection, bytes: number): StreamMark {
    return new StreamMark(
      bytes,
      Array.from(this.#open, ({ links }) => links[direction]),
    )
  }

  #inject<Kind extends 'vanish' | 'pause' | 'delay' | 'throttle' | 'rechunk'>(
    kind: Kind,
    value: LinkFaults[Kind],
    direction: FaultDirection = 'both',
  ): Fault {
    for (const way of ways(direction)) this.#faults[way][kind] = value
    this.#wake()
    return fault(() => {
      for (const faults of Object.values(this.#faults)) {
        if (faults[kind] === value) faults[kind] = undefined as LinkFaults[Kind]
      }
      this.#wake()
    })
  }

  #wake(): void {
    for (const { links } of this.#open) for (const link of Object.values(links)) link.wake()
  }
}

const ways = (direction: FaultDirection): readonly LinkDirection[] =>
  direction === 'both' ? ['to-broker', 'to-client'] : [direction]

const fault = (heal: () => void): Fault => ({ heal, [Symbol.dispose]: heal })

function atLeast(least: number, name: string, value: number): void {
  if (!(Number.isFinite(value) && value >= least)) {
    throw new RangeError(`${name} is ${value}; give a number from ${least} on`)
  }
}
