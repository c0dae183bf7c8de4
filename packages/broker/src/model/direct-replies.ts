import { randomBytes } from 'node:crypto'
import type { Message } from './message.ts'

/** The pseudo-queue, and what the names begin with that stand for it in a request. */
export const REPLY_TO = 'amq.rabbitmq.reply-to'
const PREFIX = `${REPLY_TO}.`

/** Where a reply goes that is sent to a name of `amq.rabbitmq.reply-to`. */
export interface ReplyTarget {
  deliver(message: Message): void
}

export const isReplyName = (name: string): boolean => name.startsWith(PREFIX)

/**
 * Channels that wait for direct replies, by names that nobody can guess: whoever has one was given it with a request.
 * A name is looked up and never made into anything (CVE-2026-67238).
 */
export class DirectReplies {
  readonly #targets = new Map<string, ReplyTarget>()

  open(target: ReplyTarget): string {
    const name = `${PREFIX}${randomBytes(16).toString('base64url')}`
    this.#targets.set(name, target)
    return name
  }

  close(name: string): void {
    this.#targets.delete(name)
  }

  has(name: string): boolean {
    return name === REPLY_TO || this.#targets.has(name)
  }

  /** Whether somebody was there to take it. */
  deliver(name: string, message: Message): boolean {
    const target = this.#targets.get(name)
    target?.deliver(message)
    return target !== undefined
  }
}
