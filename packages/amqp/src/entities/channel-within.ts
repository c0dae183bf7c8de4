import { withDeadline, type DeadlineOptions } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'

/**
 * Waits for a channel that is being opened; one that comes too late is closed.
 * @throws {MessagingTimeoutError} E_TIMEOUT, and whatever the opening throws.
 */
export async function channelWithin(opening: Promise<Channel>, deadline: DeadlineOptions): Promise<Channel> {
  try {
    return await withDeadline(opening, deadline, 'channel.open')
  } catch (error) {
    opening.then(
      (late) => late.close(),
      () => {},
    )
    throw error
  }
}
