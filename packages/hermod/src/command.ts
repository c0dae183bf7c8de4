import { createRequire } from 'node:module'
import process from 'node:process'

/**
 * The command `hermod`. Its version is told without loading anything; all else comes from `@hermod/cli`.
 *
 * Ends the process: a connection that does not close must not keep it alive once the command is done.
 */
export async function main(): Promise<void> {
  const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string }
  const argv = process.argv.slice(2)
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${version}\n`)
    return
  }
  const { processIo, run } = await import('@hermod/cli')
  process.exit(await run(argv, processIo(version)))
}
