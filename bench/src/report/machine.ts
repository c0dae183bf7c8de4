import { cpus, release, totalmem, type } from 'node:os'

/** The machine in one line: processor, cores, memory, kernel. */
export function describeMachine(): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return `${processors.length} × ${model}, ${memoryGib} GiB, ${type()} ${release()}`
}
