import type { Frame } from '../../packages/broker/test/frame-client.ts'
import type { Letter } from './broker-model-letter.ts'
import type { Entry, ModelConsumer, ModelQueue } from './broker-model-queue.ts'

/** A message that a channel has and did not settle. */
export interface Held {
  readonly tag: number
  readonly entry: Entry
  readonly queue: ModelQueue
  /** `undefined` for what was got. */
  readonly consumer: ModelConsumer | undefined
}

/** What is to become of messages at a commit. */
export interface Settling {
  readonly how: 'ack' | 'nack' | 'reject' | 'discard'
  readonly held: readonly Held[]
}

type Outcome = 'ack' | 'nack'

/** One opening of a channel: what it has, and what came on it that nobody has explained yet. */
export class ModelChannel {
  readonly connection: number
  readonly number: number
  open = true
  /** Its connection is ending: nobody there gets anything more. */
  stopped = false
  readonly consumers = new Map<string, ModelConsumer>()
  /** By ascending tag. */
  unsettled: Held[] = []
  /** For consumers to come. */
  prefetch = 0
  /** For all consumers together. */
  limit = 0
  mode: 'plain' | 'confirm' | 'tx' = 'plain'
  publications: {
    readonly letter: Letter
    readonly queues: readonly string[]
    readonly mandatory: boolean
  }[] = []
  settlings: Settling[] = []
  /** What is to come. */
  readonly expectedReturns: Letter[] = []
  readonly expectedConfirms: Outcome[] = []
  readonly expectedCancels = new Set<string>()
  /** What came. */
  readonly replies: Frame[] = []
  readonly deliveries = new Map<string, Frame[]>()
  readonly returns: Frame[] = []
  readonly confirms: (Outcome | undefined)[] = []
  readonly cancels: string[] = []
  readonly #live = new Set<string>()
  /** The ids of what was published behind confirm.select, in that order. */
  readonly sent: number[] = []
  confirming = false
  #lastTag = 0

  constructor(connection: number, number: number) {
    this.connection = connection
    this.number = number
  }

  get label(): string {
    return `${this.connection}.${this.number}`
  }

  /** Everything that counts for prefetch: what a transaction has settled does until its commit. */
  held(): readonly Held[] {
    return [...this.unsettled, ...this.settlings.flatMap(({ held }) => held)]
  }

  /** Whether no other consumer of this channel got something before this delivery: it may have taken the last room. */
  isFirst({ args }: Frame): boolean {
    const heads = [...this.deliveries.values()].flatMap(([next]) => next ?? [])
    return heads.every((next) => Number(args['deliveryTag']) <= Number(next.args['deliveryTag']))
  }

  /** Sorts what came, and holds it to what is true of every channel. */
  observe(frame: Frame): void {
    const { name, args } = frame
    if (name === 'basic.deliver') {
      const tag = args['consumerTag'] as string
      this.#numbered(frame)
      if (!this.#live.has(tag)) throw this.#fault(`a delivery to ${tag}, which consumes nothing`)
      this.deliveries.set(tag, [...(this.deliveries.get(tag) ?? []), frame])
    } else if (name === 'basic.return') this.#observeReturn(frame)
    else if (name === 'basic.ack' || name === 'basic.nack')
      this.#observeConfirm(Number(args['deliveryTag']), args['multiple'] as boolean, name)
    else if (name === 'basic.cancel') {
      const tag = args['consumerTag'] as string
      this.cancels.push(tag)
      this.#live.delete(tag)
    } else {
      if (name === 'basic.get-ok') this.#numbered(frame)
      if (name === 'basic.consume-ok') this.#live.add(args['consumerTag'] as string)
      if (name === 'basic.cancel-ok') this.#live.delete(args['consumerTag'] as string)
      this.replies.push(frame)
    }
  }

  #numbered({ name, args }: Frame): void {
    const tag = Number(args['deliveryTag'])
    if (tag !== ++this.#lastTag) throw this.#fault(`${name} with the tag ${tag} behind ${this.#lastTag - 1}`)
  }

  #observeReturn(frame: Frame): void {
    const id = frame.properties?.headers?.['id'] as number
    if (this.confirms[this.sent.indexOf(id)] !== undefined)
      throw this.#fault(`${id} comes back behind its confirm`)
    this.returns.push(frame)
  }

  #observeConfirm(tag: number, multiple: boolean, name: string): void {
    if (tag < 1 || tag > this.sent.length) throw this.#fault(`a confirm of ${tag}, which was not published`)
    if (this.confirms[tag - 1] !== undefined) throw this.#fault(`a second confirm of ${tag}`)
    for (let at = multiple ? 0 : tag - 1; at < tag; at++)
      this.confirms[at] ??= name === 'basic.ack' ? 'ack' : 'nack'
  }

  #fault(what: string): Error {
    return new Error(`on ${this.label}: ${what}`)
  }
}
