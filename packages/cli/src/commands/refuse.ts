import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'

/** Ends the command as one that cannot be understood, with each problem on a line of its own. */
export function refuse(command: Command, issues: readonly string[]): never {
  return command.error(issues.map((issue) => `hermod: ${issue}`).join('\n'), { exitCode: EXIT.usage })
}
