import { stringifyJson, type JsonObject } from '@hermod/kernel'
import type { IncomingRequest, Reply } from '../driver.ts'
import type { FakeCounters } from './fake-counters.ts'
import type { FakeHandover } from './fake-subscription.ts'

/** What a request's text holds. */
export interface RequestContent {
  readonly message: JsonObject
  readonly context: JsonObject
}

/** A request in the hands of a server. */
export class FakeRequest implements IncomingRequest {
  readonly message: JsonObject
  readonly context: JsonObject
  readonly #handover: FakeHandover
  readonly #counters: FakeCounters
  #accepted = false

  constructor(content: RequestContent, handover: FakeHandover, counters: FakeCounters) {
    this.message = content.message
    this.context = content.context
    this.#handover = handover
    this.#counters = counters
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#handover.message.headers
  }

  get expectsReply(): boolean {
    return this.#handover.message.call !== undefined
  }

  get monitorTimeoutMs(): number | undefined {
    return this.#handover.message.call?.monitorTimeoutMs
  }

  accept(): 'accepted' | 'duplicate' | 'lost' {
    const { message, queue } = this.#handover
    if (!this.#handover.settle()) return this.#accepted ? 'duplicate' : 'lost'
    this.#accepted = true
    if (queue.accept(message.id)) return 'accepted'
    this.#counters.duplicates++
    return 'duplicate'
  }

  release(): void {
    this.#handover.giveBack()
  }

  async reply(reply: Reply): Promise<void> {
    const { call } = this.#handover.message
    if (call === undefined) return
    const text = stringifyJson(reply)
    this.#counters.sent++
    if (!call.settle(text)) this.#counters.lostReplies++
  }

  heartbeat(): Promise<boolean> {
    return Promise.resolve(this.#handover.message.call?.heartbeat() === true)
  }
}
