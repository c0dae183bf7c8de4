import {
  Connection,
  type Channel,
  type ConnectionOptions,
  type ConnectionStatus,
  type ConnectionTarget,
  type Message,
  type QueueOptions,
  type Subscription,
} from '@hermod/amqp'
import { createDeferred, isHermodError, sleep, type Deferred } from '@hermod/kernel'
import { seededRandom } from '@hermod/testkit'
import { onTestFailed } from 'vitest'
import { FAULT_MESSAGES, FAULT_SEED } from './fault-settings.ts'
import { Lane } from './lane.ts'

/**
 * How the queue of a load is declared. A broker may notice late that a connection is dead, and until then it has two
 * consumers: what the first one held would come to the second behind newer messages.
 */
export const IN_ORDER = { arguments: { 'x-single-active-consumer': true } } as const satisfies QueueOptions

/** What a load is to do. */
export interface LoadOptions {
  /** A queue that is there, declared with {@link IN_ORDER}. */
  readonly queue: string
  readonly publishTo: ConnectionTarget
  /** Default: where it is published. */
  readonly consumeFrom?: ConnectionTarget | undefined
  readonly connection?: ConnectionOptions | undefined
  /** Of the publisher alone, beside those of `connection`. */
  readonly publisher?: ConnectionOptions | undefined
  readonly messages?: number | undefined
  /** The body of every message; by default its lane and number. */
  readonly body?: Buffer | undefined
  readonly mandatory?: boolean | undefined
  /** All messages are handed to the client at once, instead of a thousand at a time. */
  readonly allAtOnce?: boolean | undefined
}

/** How many messages are published and not confirmed at a time, and of those with `resend`. */
const OPEN_PROMISES = { resent: 800, once: 200 }
export const MAX_UNCONFIRMED = 500
export const PREFETCH_COUNT = 200
/** Messages that the consumer keeps before it settles the first of them, so that every fault meets some. */
const KEPT_MESSAGES = 50
const TICK_MS = 10
/** After so many ticks without a message it settles all that it keeps. */
const IDLE_TICKS = 10
/** The share of a load that goes at full speed while its fault is made. A broker that is told slowly still meets the rest. */
const FAST_SHARE = 0.1
/** The longest time in which everything goes on after a fault. */
const RECOVERY_MS = 30_000

const RECONNECT = { initialMs: 20, maxMs: 200 }

/**
 * Publishing and consuming at full speed, through whatever is done to them meanwhile: one connection publishes a lane of
 * messages that are sent again when they are uncertain, and a lane of messages that are not; another consumes them.
 */
export class Load implements AsyncDisposable {
  readonly options: LoadOptions
  readonly resent: Lane
  readonly once: Lane
  /** Everything that the connections reported, in order. */
  readonly published: ConnectionStatus[] = []
  readonly consumed: ConnectionStatus[] = []
  publisher!: Connection
  reader!: Connection
  /** The channels of the two lanes, and of the consumer. */
  again!: Channel
  single!: Channel
  input!: Channel
  subscription!: Subscription
  /** How many messages the consumer settles in 10 ms; by default as fast as they come. */
  settlePerTick = Infinity
  /** Messages that came, and those that were settled too late to count. */
  arrivals = 0
  stale = 0
  /** Bodies that were not what was published. */
  garbled = 0
  readonly startedMs: number = performance.now()
  readonly #random = seededRandom(FAULT_SEED)
  readonly #open = new Set<Promise<void>>()
  readonly #waits: { readonly settled: number; readonly reached: Deferred<void> }[] = []
  readonly #slow: (() => void)[] = []
  #settled = 0
  /** Once so many were published, one message is in 10 ms. */
  #slowFrom = Infinity
  #kept: Message[] = []
  #idleTicks = 0
  #ticking: NodeJS.Timeout | undefined
  #work: Promise<unknown> = Promise.resolve()

  constructor(options: LoadOptions) {
    this.options = options
    const { messages = FAULT_MESSAGES } = options
    const once = Math.floor(messages / 5)
    this.resent = new Lane('resent', true, messages - once)
    this.once = new Lane('once', false, once)
  }

  /** Connects, and begins. */
  async start(): Promise<void> {
    const { publishTo, consumeFrom = publishTo, connection, publisher, queue } = this.options
    const told = (statuses: ConnectionStatus[]): ConnectionOptions => ({
      onStatus: (status) => void statuses.push(status),
    })
    const common = { reconnect: RECONNECT, ...connection }
    this.publisher = await Connection.connect(publishTo, {
      ...common,
      ...publisher,
      ...told(this.published),
      name: 'publisher',
    })
    this.reader = await Connection.connect(consumeFrom, {
      ...common,
      ...told(this.consumed),
      name: 'reader',
    })
    this.again = await this.publisher.openChannel({ maxUnconfirmed: MAX_UNCONFIRMED })
    this.single = await this.publisher.openChannel({ maxUnconfirmed: MAX_UNCONFIRMED })
    this.input = await this.reader.openChannel()
    this.subscription = await this.input.consume(queue, { prefetchCount: PREFETCH_COUNT }, (message) =>
      this.#take(message),
    )
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
    const run = (lane: Lane, channel: Channel, open: number): Promise<unknown>[] =>
      this.options.allAtOnce === true
        ? Array.from({ length: lane.count }, () => this.#publishNext(lane, channel))
        : Array.from({ length: open }, async () => {
            while (await this.#publishNext(lane, channel)) await this.#pace()
          })
    this.#work = Promise.all([
      ...run(this.resent, this.again, OPEN_PROMISES.resent),
      ...run(this.once, this.single, OPEN_PROMISES.once),
    ])
  }

  get total(): number {
    return this.resent.count + this.once.count
  }

  /** How many messages were published so far, whatever became of them. */
  get taken(): number {
    return this.resent.taken + this.once.taken
  }

  /** Whether there is still something to publish. */
  get isRunning(): boolean {
    return this.taken < this.total
  }

  /** Publishes whose promise is open. */
  get openPublishes(): number {
    return this.#open.size
  }

  /** Resolves once this share of all publishes is settled. What is left then lasts until the fault is over. */
  async reaches(share: number): Promise<void> {
    const settled = Math.ceil(share * this.total)
    this.#slowFrom = settled + FAST_SHARE * this.total
    if (this.#settled >= settled) return
    const reached = createDeferred<void>()
    this.#waits.push({ settled, reached })
    await reached.promise
  }

  /**
   * The fault is over: all promises that are open now settle and the consumer consumes, within 30 seconds.
   * @throws {TypeError} what everything waits for, where that is not so.
   */
  async goesOn(): Promise<void> {
    this.#slowFrom = Infinity
    await this.#within(RECOVERY_MS, 'after the fault', async () => {
      await Promise.all(this.#open)
      while (this.subscription.state !== 'consuming') await sleep(TICK_MS)
    })
  }

  /** Every promise settles within 30 seconds. */
  async settles(): Promise<void> {
    this.#slowFrom = Infinity
    await this.#within(RECOVERY_MS, 'after the end', async () => void (await this.#work))
  }

  /** Everything was published, with whatever result, and all that was confirmed has come. */
  async finishes(mayMiss: (lane: Lane, number: number) => boolean = () => false): Promise<void> {
    this.#slowFrom = Infinity
    const timeoutMs = RECOVERY_MS + 5 * this.total
    await this.#within(timeoutMs, 'to finish', async () => {
      await this.#work
      for (const lane of [this.resent, this.once]) {
        while (lane.missing().some((number) => !mayMiss(lane, number))) await sleep(50)
      }
      while (this.reader.state !== 'open' || this.#kept.length > 0 || this.reader.stats().unsettled > 0)
        await sleep(TICK_MS)
    })
  }

  /** What everything does, or waits for. */
  describe(): string {
    const { publisher, reader } = this
    const lanes = [this.resent, this.once].map((lane) => {
      const { name, taken, confirmed, arrived, repeated } = lane
      const missing = lane.missing()
      return {
        name,
        taken,
        confirmed,
        arrived,
        repeated,
        missing: missing.length,
        first: missing.slice(0, 5),
      }
    })
    const text = {
      seed: FAULT_SEED,
      lanes,
      failures: [this.resent.failures(), this.once.failures()],
      open: this.openPublishes,
      states: {
        publisher: publisher?.state,
        again: this.again?.state,
        single: this.single?.state,
        reader: reader?.state,
        input: this.input?.state,
        subscription: this.subscription?.state,
      },
      publisher: publisher?.stats(),
      reader: reader?.stats(),
      published: latest(this.published),
      consumed: latest(this.consumed),
    }
    return JSON.stringify(text, undefined, 1)
  }

  async #within(timeoutMs: number, when: string, work: () => Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new TypeError(`not within ${timeoutMs} ms ${when}: ${this.describe()}`))
      }, timeoutMs)
    })
    await Promise.race([work(), tooLate]).finally(() => clearTimeout(timer))
  }

  /** Publishes the next message of a lane. @returns false when there is none. */
  async #publishNext(lane: Lane, channel: Channel): Promise<boolean> {
    const number = lane.take()
    if (number === undefined) return false
    const { queue, body, mandatory } = this.options
    const messageId = `${lane.name} ${number}`
    const published = channel
      .publish('', queue, body ?? Buffer.from(messageId), {
        properties: { deliveryMode: 2, messageId },
        resend: lane.resend,
        mandatory,
      })
      .then(
        () => lane.wasConfirmed(number),
        (error: unknown) => void lane.failed.set(number, isHermodError(error) ? error.code : String(error)),
      )
    this.#open.add(published)
    await published
    this.#open.delete(published)
    this.#settled++
    for (const wait of this.#waits) if (wait.settled === this.#settled) wait.reached.resolve()
    return true
  }

  async #pace(): Promise<void> {
    // Not what is settled: in the last part of a load all of the rest may be open by then.
    if (this.taken >= this.#slowFrom) await new Promise<void>((go) => this.#slow.push(go))
  }

  #take(message: Message): void {
    this.arrivals++
    this.#idleTicks = 0
    const messageId = String(message.properties.messageId)
    const [name, number] = messageId.split(' ')
    const lane = name === 'resent' ? this.resent : this.once
    lane.hasArrived(Number(number), message.redelivered)
    if (!message.body.equals(this.options.body ?? Buffer.from(messageId))) this.garbled++
    this.#kept.push(message)
    if (this.settlePerTick === Infinity && this.#kept.length > KEPT_MESSAGES) {
      // Mostly in order; the rest leaves gaps, over which no ack may reach.
      const at = this.#random() < 0.8 ? 0 : Math.floor(this.#random() * KEPT_MESSAGES)
      for (const kept of this.#kept.splice(at, 1)) this.#settle(kept)
    }
  }

  #tick(): void {
    for (const go of this.#slow.splice(0, this.taken < this.#slowFrom ? this.#slow.length : 1)) go()
    if (this.settlePerTick < Infinity || ++this.#idleTicks >= IDLE_TICKS) {
      for (const kept of this.#kept.splice(0, this.settlePerTick)) this.#settle(kept)
    }
  }

  #settle(message: Message): void {
    if (!message.ack()) this.stale++
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticking)
    await Promise.all([this.publisher?.close(), this.reader?.close()])
  }
}

/** Starts a load. When the test fails, it says where the load stands, and the seed. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const load = new Load(options)
  onTestFailed(() => console.error(`HERMOD_FAULT_SEED=${FAULT_SEED}`, load.describe()))
  await load.start()
  return load
}

/** The latest events, without those that there may be thousands of. */
function latest(statuses: readonly ConnectionStatus[]): string[] {
  return statuses
    .filter(({ type }) => type !== 'publish-failed')
    .slice(-20)
    .map((status) => ('error' in status ? `${status.type}: ${status.error.message}` : status.type))
}
