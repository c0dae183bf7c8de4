import { isHermodError, RemoteError, stringifyJson, type JsonValue } from '@hermod/kernel'
import { visibleJson } from '../visible-text.ts'

/** How a remote call ended, for programs. */
export type RpcOutcome =
  { readonly ok: true; readonly result: JsonValue } | { readonly ok: false; readonly error: RpcOutcomeError }

/** What went wrong: as the server wrote it, or, with the module `hermod`, on this side. */
interface RpcOutcomeError {
  readonly class: string
  readonly module: string
  readonly message: string
  readonly args: readonly JsonValue[]
  /** The traceback of the server; empty where there is none. */
  readonly trace: string
}

/** What is told of an error of a call: the failure's own fields where a server sent one, unchanged. */
export function outcomeOfError(error: unknown): RpcOutcome {
  if (error instanceof RemoteError) {
    const { failure, remoteTraceback } = error
    const { class: name, module, message, args } = failure
    return { ok: false, error: { class: name, module, message, args, trace: remoteTraceback } }
  }
  const name = error instanceof Error ? error.name : 'Error'
  const message = isHermodError(error) || error instanceof Error ? error.message : String(error)
  return { ok: false, error: { class: name, module: 'hermod', message, args: [], trace: '' } }
}

/** One line of strict JSON; control characters are JSON escapes, so that it is safe on a terminal too. */
export function outcomeLine(outcome: RpcOutcome | object): string {
  return `${visibleJson(stringifyJson(outcome))}\n`
}

/** A result for people: JSON over several lines. */
export function prettyResult(result: JsonValue): string {
  // Line feeds are the layout's own: JSON text holds none within its strings.
  const lines = stringifyJson(result, { space: 2 }).split('\n')
  return `${lines.map(visibleJson).join('\n')}\n`
}
