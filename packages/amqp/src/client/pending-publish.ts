import type { HermodError } from '@hermod/kernel'
import type { BasicProperties } from '../wire/basic-properties.ts'

const ignore = (): void => {}

/** One message on its way to the broker, until its promise settles. */
export class PendingPublish {
  readonly exchange: string
  readonly routingKey: string
  /** The caller's own bytes; they are not to change before the promise settles. */
  readonly body: Uint8Array
  readonly properties: BasicProperties
  readonly mandatory: boolean
  readonly resend: boolean
  readonly promise: Promise<void>
  /** The confirm tag; 0 until it is written. */
  tag = 0
  /** Set by `basic.return`; the confirm that follows then rejects the promise. */
  returned: HermodError | undefined
  /** Whether the promise is settled. */
  settled = false
  /** Whether it stands in the queue of what is to be written. */
  queued = false
  /** Whether it was written once, on a connection that then broke before its confirm. */
  uncertain = false
  /** Called when the promise settles, to remove timers and listeners. */
  onSettled: (() => void) | undefined
  #resolve!: () => void
  #reject!: (reason: unknown) => void

  constructor(
    exchange: string,
    routingKey: string,
    body: Uint8Array,
    properties: BasicProperties,
    mandatory: boolean,
    resend: boolean,
  ) {
    this.exchange = exchange
    this.routingKey = routingKey
    this.body = body
    this.properties = properties
    this.mandatory = mandatory
    this.resend = resend
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** The broker has it. */
  succeed(): void {
    if (this.settled) return
    this.settled = true
    this.onSettled?.()
    this.#resolve()
  }

  /**
   * It will not arrive, or nobody waits for it any longer. A rejection that nobody awaits must not end the
   * process; whoever awaits the promise still gets it.
   * @returns false when the promise was settled before.
   */
  abandon(reason: unknown): boolean {
    if (this.settled) return false
    this.settled = true
    this.onSettled?.()
    this.promise.catch(ignore)
    this.#reject(reason)
    return true
  }
}
