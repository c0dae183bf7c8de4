import { channel, type Channel } from 'node:diagnostics_channel'
import type { DriverEvent } from './driver/driver.ts'
import type { Priority } from './notification.ts'

/*
 * Each piece of work is one object that is published three times at most: when it begins, when it ends well, when it
 * fails. A subscriber of the beginning may put text headers into `headers`; they travel with the message where the
 * driver has headers, and stand in the `headers` of its delivery. One of a dispatch may also say in which context the
 * method is to run.
 */

/** A request leaves a client (`call`, `cast`), or a notification leaves a notifier. */
export interface SendDiagnostics {
  readonly kind: 'call' | 'cast' | 'notify'
  /** The name of the driver. */
  readonly driver: string
  readonly exchange: string
  readonly topic: string
  readonly server: string | undefined
  readonly fanout: boolean
  /** The method of a request. */
  readonly method: string | undefined
  /** Of a notification. */
  readonly eventType: string | undefined
  readonly priority: Priority | undefined
  readonly headers: Record<string, string>
  /** Why it failed; set before `error` is published. */
  error?: unknown
}

/** A request is dispatched by a server, or a notification by a listener. */
export interface DispatchDiagnostics {
  readonly kind: 'call' | 'cast' | 'notify'
  readonly driver: string
  readonly topic: string
  readonly method: string | undefined
  readonly eventType: string | undefined
  readonly priority: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /**
   * What runs the work: it calls `work` once, at once, and returns what that returns. Set by a subscriber of `start`
   * whose context is not an `AsyncLocalStorage` of its own that it could bind to the channel; it keeps to what another
   * one has set before.
   */
  within?: <T>(work: () => T) => T
  /** Why it failed; set before `error` is published. */
  error?: unknown
}

/** What the connection of a transport does. */
export interface TransportDiagnostics {
  readonly driver: string
  readonly event: DriverEvent
}

/** The three moments of one piece of work. */
export interface WorkChannels {
  readonly start: Channel
  readonly end: Channel
  readonly error: Channel
}

function workChannels(name: string): WorkChannels {
  return {
    start: channel(`hermod.messaging.${name}.start`),
    end: channel(`hermod.messaging.${name}.end`),
    error: channel(`hermod.messaging.${name}.error`),
  }
}

/** The channels of `node:diagnostics_channel` that this package publishes on; without a subscriber nothing is made for them. */
export const MESSAGING_DIAGNOSTICS: {
  /** {@link SendDiagnostics}: from the program's call until its promise settles. */
  readonly send: WorkChannels
  /** {@link DispatchDiagnostics}: from before the method runs until its reply is sent, or the notification is settled. */
  readonly dispatch: WorkChannels
  /** {@link TransportDiagnostics}. */
  readonly transport: Channel
} = {
  send: workChannels('send'),
  dispatch: workChannels('dispatch'),
  transport: channel('hermod.messaging.transport'),
}

/**
 * Publishes the beginning of a dispatch and runs `work` where its subscribers want it to run: within the stores that are
 * bound to `dispatch.start`, and within what they set as `within`. What `work` begins there, a notification for example,
 * belongs to the dispatch. Whoever dispatches calls this instead of publishing `start`, and publishes the end itself.
 *
 * @returns and throws what `work` does.
 */
export function runDispatch<T>(dispatch: DispatchDiagnostics, work: () => T): T {
  return MESSAGING_DIAGNOSTICS.dispatch.start.runStores(dispatch, () =>
    dispatch.within === undefined ? work() : dispatch.within(work),
  )
}

/** Whether anybody wants to hear of this work. */
export function isObserved({ start, end, error }: WorkChannels): boolean {
  return start.hasSubscribers || end.hasSubscribers || error.hasSubscribers
}
