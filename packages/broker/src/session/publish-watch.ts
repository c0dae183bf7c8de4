import type { Message } from '../model/message.ts'
import type { Owner } from '../model/queue.ts'
import type { PublishOutcome, Route } from '../model/virtual-host.ts'

/** What a client has published, and what became of it. */
export interface PublishNotice {
  readonly message: Message
  readonly mandatory: boolean
  readonly outcome: PublishOutcome
  readonly route: Route
  /** Its connection. */
  readonly owner: Owner
  readonly channel: number
  /** Byte string. */
  readonly virtualHost: string
}

/** Who wants to know what is published. */
export interface PublishWatch {
  /** Whether somebody does now: asked at each message, so that nothing is made for nobody. */
  readonly active: boolean
  /** Must neither throw nor change anything: the message is being handled. */
  published(notice: PublishNotice): void
}
