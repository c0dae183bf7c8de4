import { ChannelError, type DeadlineOptions } from '@hermod/kernel'
import type { Channel } from './channel.ts'
import type { QueueStatus } from './channel-host.ts'

/** Opens a channel for one question. */
type OpenChannel = () => Promise<Channel>

/** Whether an exchange exists. A "no" closes the channel that asked, which is therefore one of its own. */
export async function askForExchange(
  exchange: string,
  openChannel: OpenChannel,
  deadline: DeadlineOptions,
): Promise<boolean> {
  const flags = { passive: true, durable: false, autoDelete: false, internal: false, noWait: false }
  const args = { exchange, type: '', ...flags, arguments: {} }
  return (await ask(openChannel, (channel) => channel.call('exchange.declare', args, deadline))) !== undefined
}

/** How full a queue is and who reads it; undefined where there is none. See {@link askForExchange}. */
export async function askForQueue(
  queue: string,
  openChannel: OpenChannel,
  deadline: DeadlineOptions,
): Promise<QueueStatus | undefined> {
  const flags = { passive: true, durable: false, exclusive: false, autoDelete: false, noWait: false }
  const args = { queue, ...flags, arguments: {} }
  return (await ask(openChannel, (channel) => channel.call('queue.declare', args, deadline)))?.args
}

async function ask<T>(
  openChannel: OpenChannel,
  question: (channel: Channel) => Promise<T>,
): Promise<T | undefined> {
  const channel = await openChannel()
  try {
    return await question(channel)
  } catch (error) {
    if (error instanceof ChannelError && error.replyCode === 404) return undefined
    throw error
  } finally {
    await channel.close()
  }
}
