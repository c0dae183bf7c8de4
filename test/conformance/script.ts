import type { Stage } from './stage.ts'

/** What clients say to a broker, step by step; nothing in it knows which broker it is. */
export interface Script {
  readonly title: string
  readonly run: (stage: Stage) => Promise<void>
}

/** Scripts about one concept. */
export interface ScriptGroup {
  readonly concept: string
  readonly scripts: readonly Script[]
  /** Its scripts declare nothing, so that several run at a time: RabbitMQ takes 3 s to close some connections. */
  readonly apart: boolean
}

/** Begins a group; what it gives adds a script, in the order of the calls. */
export function scriptGroup(
  concept: string,
  write: (script: (title: string, run: Script['run']) => void) => void,
  options: { readonly apart?: boolean } = {},
): ScriptGroup {
  const scripts: Script[] = []
  write((title, run) => scripts.push({ title, run }))
  return { concept, scripts, apart: options.apart ?? false }
}
