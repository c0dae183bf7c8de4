import type { Clock } from '@hermod/kernel'
import type { Profile } from '../profile.ts'
import type { Deadlines } from './deadlines.ts'
import type { LetterKeeper } from './dead-letters.ts'
import type { DeclaredMemory } from './declared-memory.ts'
import type { LongWork } from './long-work.ts'
import type { Message } from './message.ts'
import type { DeathReason, RoutedQueue } from './queue.ts'
import type { QueueSettings } from './queue-arguments.ts'

/** What a queue needs of the virtual host that it stands in. */
export interface QueueHost {
  /** Byte string. */
  readonly name: string
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly longWork: LongWork
  readonly profile: Profile
  readonly declared: DeclaredMemory
  /** A queue holds the message now, or one queue less does: for the account of memory. */
  hold(message: Message): void
  release(message: Message): void
  /** A message has died. It is sent on when the queue's own work is done: see {@link settle}. */
  deadLetter(
    message: Message,
    reason: DeathReason,
    queue: string,
    settings: QueueSettings,
    keeper?: LetterKeeper,
  ): void
  /** Forgets the letters that nobody has taken yet: their queue is gone. */
  dropLetters(keeper: LetterKeeper): void
  /** The queue's work is done, and its state whole: what died may now be sent on, to this queue as well. */
  settle(): void
  /** The queue deletes itself: its lease is over, or its last consumer is gone. */
  remove(queue: RoutedQueue): void
}
