import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { RosterEntry } from '../contestants/roster.ts'
import { PYTHON } from '../jobs/python.ts'

/** A contestant's name with the versions of what it is made of. */
export function versionsOf(entry: RosterEntry): string {
  return `${entry.name} ${entry.runtime === 'node' ? packageVersion(entry.package) : moduleVersions(entry.modules)}`
}

/** The installed version of a package that the bench depends on. */
function packageVersion(name: string): string {
  const found = ['../../node_modules/', '../../../node_modules/']
    .map((folder) => new URL(`${folder}${name}/package.json`, import.meta.url))
    .find((file) => existsSync(file))
  if (found === undefined) throw new Error(`the package '${name}' is not installed; run npm ci`)
  return (JSON.parse(readFileSync(found, 'utf8')) as { readonly version: string }).version
}

/** `5.2.4 (amqp 5.1.1, Python 3.11.2)`: the first module is what the contestant is named after. */
function moduleVersions(modules: readonly string[]): string {
  const program = [
    'import sys, platform',
    'from importlib.metadata import version',
    'first, *others = [f"{name} {version(name)}" for name in sys.argv[1:]]',
    'print(first.split()[1], "(" + ", ".join([*others, "Python " + platform.python_version()]) + ")")',
  ].join('\n')
  return spawnSync(PYTHON, ['-c', program, ...modules], { encoding: 'utf8' }).stdout.trim()
}
