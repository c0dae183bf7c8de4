import { isObserved, MESSAGING_DIAGNOSTICS, runDispatch, type DispatchDiagnostics } from '../diagnostics.ts'
import type { IncomingNotification } from '../driver/driver.ts'
import type { NotificationOutcome } from './notification-outcome.ts'

/** The handling of a notification as subscribers of the diagnostics see it; undefined when there are none. */
export function describeDispatch(
  { notification, topic, headers }: IncomingNotification,
  driver: string,
): DispatchDiagnostics | undefined {
  if (!isObserved(MESSAGING_DIAGNOSTICS.dispatch)) return undefined
  return {
    kind: 'notify',
    driver,
    topic,
    method: undefined,
    eventType: notification.eventType,
    priority: notification.priority,
    headers,
  }
}

/** Runs the handlers where subscribers want them to run. */
export function runObserved<T>(dispatch: DispatchDiagnostics | undefined, work: () => T): T {
  return dispatch === undefined ? work() : runDispatch(dispatch, work)
}

/** Publishes how it ended. */
export function endObserved(dispatch: DispatchDiagnostics | undefined, outcome: NotificationOutcome): void {
  if (dispatch === undefined) return
  const { end, error } = MESSAGING_DIAGNOSTICS.dispatch
  if (outcome.kind === 'failed') {
    dispatch.error = outcome.error
    error.publish(dispatch)
  } else {
    end.publish(dispatch)
  }
}
