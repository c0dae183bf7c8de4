import { Backoff, ChannelError, isHermodError, sleep, type HermodError } from '@hermod/kernel'
import type { Channel } from './channel.ts'
import { isHardError } from './hard-error.ts'
import type { Declaration, Topology } from './topology.ts'

const RESOURCE_LOCKED = 405
/** An exclusive queue stays locked until the broker has noticed that our old connection is dead. */
const LOCKED_ATTEMPTS = 10

/** Opens a channel that does not come back: what is declared on it here must not be recorded twice. */
type OpenChannel = () => Promise<Channel>
type OnRefused = (what: string, error: HermodError) => void

/**
 * Declares everything again: exchanges, queues, bindings.
 *
 * What the broker refuses is reported and left out; the rest goes on.
 *
 * @param oneByOne after a refusal that cost the whole connection, see {@link isHardError}: so that the next one
 *   tells which declaration it was, which is then reported and forgotten.
 * @throws when the connection is lost meanwhile.
 */
export async function restoreTopology(
  topology: Topology,
  openChannel: OpenChannel,
  onRefused: OnRefused,
  oneByOne: boolean,
): Promise<void> {
  const lists = [
    () => topology.exchanges(),
    () => topology.queues().map(([, queue]) => queue),
    () => topology.bindings(),
  ]
  for (const list of lists) {
    if (oneByOne) for (const item of list()) await declareAlone(topology, item, openChannel, onRefused)
    else await declareAll(topology, list, openChannel, onRefused)
  }
}

async function declareAlone(
  topology: Topology,
  item: Declaration,
  openChannel: OpenChannel,
  onRefused: OnRefused,
): Promise<void> {
  try {
    await declareAll(topology, () => [item], openChannel, onRefused)
  } catch (error) {
    if (isHermodError(error) && isHardError(error)) {
      topology.forget(item)
      onRefused(describe(item), error)
    }
    throw error
  }
}

/**
 * Declares one queue of the topology again, with its bindings. What the broker refuses is reported and left out.
 * @returns the refusal of the queue itself.
 * @throws when the connection is lost meanwhile.
 */
export async function declareQueueAgain(
  topology: Topology,
  queue: string,
  openChannel: OpenChannel,
  onRefused: OnRefused,
): Promise<ChannelError | undefined> {
  const found = topology.queues().find(([name]) => name === topology.currentName(queue))
  if (found === undefined) return undefined
  const [refusal] = await declareAll(topology, () => [found[1]], openChannel, onRefused)
  const name = topology.currentName(queue)
  const ofQueue = (item: Declaration): boolean => item.kind === 'queue-binding' && item.args.queue === name
  await declareAll(topology, () => topology.bindings().filter(ofQueue), openChannel, onRefused)
  return refusal
}

/**
 * A refusal costs its channel, so all items are sent at once and what stood behind a refusal is sent again.
 * @returns the refusals.
 */
async function declareAll(
  topology: Topology,
  list: () => Declaration[],
  openChannel: OpenChannel,
  onRefused: OnRefused,
): Promise<ChannelError[]> {
  const refusals: ChannelError[] = []
  const backoff = new Backoff({ initialMs: 100, maxMs: 2_000 })
  let items = list()
  while (items.length > 0) {
    const channel = await openChannel()
    const results = await Promise.allSettled(items.map((item) => declare(topology, channel, item)))
    await channel.close()
    const left: Declaration[] = []
    for (const [at, result] of results.entries()) {
      if (result.status === 'fulfilled') continue
      const item = items[at] as Declaration
      const error: unknown = result.reason
      if (!isHermodError(error)) throw error
      if (!(error instanceof ChannelError)) {
        if (error.code !== 'E_CHANNEL_CLOSED') throw error
        left.push(item)
      } else if (error.replyCode === RESOURCE_LOCKED && backoff.attempts < LOCKED_ATTEMPTS) {
        await sleep(backoff.nextMs())
        left.push(item)
      } else {
        refusals.push(error)
        onRefused(describe(item), error)
      }
    }
    items = left
  }
  return refusals
}

async function declare(topology: Topology, channel: Channel, item: Declaration): Promise<void> {
  switch (item.kind) {
    case 'exchange':
      await channel.call('exchange.declare', { ...item.args, passive: false, noWait: false })
      return
    case 'exchange-binding':
      await channel.call('exchange.bind', { ...item.args, noWait: false })
      return
    case 'queue-binding':
      await channel.call('queue.bind', { ...item.args, noWait: false })
      return
    case 'queue': {
      const previous = topology.queues().find(([, queue]) => queue === item)?.[0]
      const { args } = await channel.call('queue.declare', { ...item.args, passive: false, noWait: false })
      if (previous !== undefined && previous !== args.queue) topology.rename(previous, args.queue)
    }
  }
}

function describe(item: Declaration): string {
  switch (item.kind) {
    case 'exchange':
      return `exchange '${item.args.exchange}'`
    case 'queue':
      return `queue '${item.args.queue}'`
    case 'queue-binding':
      return `binding of queue '${item.args.queue}' to exchange '${item.args.exchange}'`
    case 'exchange-binding':
      return `binding of exchange '${item.args.destination}' to exchange '${item.args.source}'`
  }
}
