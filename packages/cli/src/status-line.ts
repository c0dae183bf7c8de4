import type { TapStatus } from '@hermod/events'
import { formatSeconds } from './duration.ts'

/** What is said about a status of the tap. */
export interface StatusLine {
  readonly text: string
  /** Whether it means that events were or may have been missed: such lines are said even when quiet. */
  readonly loss: boolean
}

/** A status of the tap as a line for people. */
export function statusLine(status: TapStatus): StatusLine {
  switch (status.type) {
    case 'connected':
      return note(
        `connected to ${status.server}; tapping ${count(status.bound.length, 'exchange')} (queue ${status.queue})`,
      )
    case 'bound':
      return loss(
        `exchange '${status.exchange}' appeared and is tapped now; what it carried since ${status.unseenFrom.toISOString()} was not seen`,
      )
    case 'reconnecting': {
      const reason = status.error === undefined ? '' : `cannot connect (${status.error.message.trim()}); `
      return note(`${reason}trying again in ${formatSeconds(status.delayMs)}`)
    }
    case 'disconnected':
      return loss(`connection lost (${status.error.message.trim()})`)
    case 'gap':
      return loss(
        `gap of ${formatSeconds(status.lengthMs)}: ${status.from.toISOString()} to ${status.to.toISOString()}: events in between were not seen`,
      )
    case 'ring-dropped':
      return loss(
        `dropped ${count(status.dropped, 'event')}, ${status.total} in all: they arrive faster than the output takes them`,
      )
    case 'tap-full':
      return loss(
        `tap full: the broker may have dropped events (${status.depth} of at most ${status.limit} wait in its queue)`,
      )
    case 'unreadable':
      return loss(
        `unreadable message on exchange '${status.exchange}' with routing key '${status.routingKey}' (${status.reason}); ${status.total} so far`,
      )
    case 'warning':
      return loss(status.message)
  }
}

function note(text: string): StatusLine {
  return { text, loss: false }
}

function loss(text: string): StatusLine {
  return { text, loss: true }
}

/** `1 event`, `2 events`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
