import { parsePythonJson, stringifyJson, type JsonObject } from '@hermod/kernel'
import { RemoteException, type RpcCall } from '@hermod/messaging'
import { anyMethod } from './any-method.ts'
import { runProgram, type ProgramOptions } from './run-program.ts'

/**
 * The methods of an endpoint that starts a program for each request: one JSON object with `method`, `args`, `namespace`,
 * `version` and `context` on its stdin, the result as JSON on its stdout (nothing: null), and a status other than 0 for a
 * failure, with the first line of stderr as its text.
 *
 * @param hurry kills what runs, though its request may still be waited for.
 */
export function programEndpoint(options: ProgramOptions, hurry: AbortSignal): object {
  return anyMethod(async (args: JsonObject, call: RpcCall) => {
    const { method, namespace = null, version, context } = call
    const input = stringifyJson({ method, args, namespace, version, context })
    const stop = new AbortController()
    const onAbort = (): void => stop.abort()
    for (const signal of [call.signal, hurry]) signal.addEventListener('abort', onAbort, { once: true })
    if (call.signal.aborted || hurry.aborted) stop.abort()
    try {
      return resultOf(await runProgram(options, input, stop.signal))
    } finally {
      for (const signal of [call.signal, hurry]) signal.removeEventListener('abort', onAbort)
    }
  })
}

function resultOf(output: string): unknown {
  if (output.trim() === '') return null
  try {
    return parsePythonJson(output)
  } catch (error) {
    throw new RemoteException('CommandFailed', `its output is no JSON: ${(error as Error).message}`, {
      module: 'hermod',
      cause: error,
    })
  }
}
