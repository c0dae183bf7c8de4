import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'

/** The machine in one line: processor, cores, memory, kernel. */
export function describeMachine(): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return `${processors.length} × ${model}, ${memoryGib} GiB, ${type()} ${release()}`
}

/** The installed version of a package that the bench depends on. */
export function packageVersion(name: string): string {
  const found = ['../../node_modules/', '../../../node_modules/']
    .map((folder) => new URL(`${folder}${name}/package.json`, import.meta.url))
    .find((file) => existsSync(file))
  if (found === undefined) throw new Error(`the package '${name}' is not installed; run npm ci`)
  return (JSON.parse(readFileSync(found, 'utf8')) as { readonly version: string }).version
}
