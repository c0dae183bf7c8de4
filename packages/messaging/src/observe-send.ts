import { isObserved, MESSAGING_DIAGNOSTICS, type SendDiagnostics } from './diagnostics.ts'

/**
 * Sends something and publishes its three moments, if anybody wants to hear of them.
 *
 * @param describe called only then; `headers` of what it returns are those that `send` gets, as a subscriber left them.
 */
export function observeSend<T>(
  describe: () => SendDiagnostics,
  send: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  return isObserved(MESSAGING_DIAGNOSTICS.send) ? published(describe(), send) : send({})
}

async function published<T>(
  work: SendDiagnostics,
  send: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const { start, end, error } = MESSAGING_DIAGNOSTICS.send
  start.publish(work)
  try {
    const result = await send(work.headers)
    end.publish(work)
    return result
  } catch (cause) {
    work.error = cause
    error.publish(work)
    throw cause
  }
}
