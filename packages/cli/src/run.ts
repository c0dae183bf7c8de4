import { CommanderError, type Command } from 'commander'
import { maskUrlCredentials } from '@hermod/kernel'
import type { CliIo } from './cli-io.ts'
import { EXIT } from './exit-codes.ts'
import { createProgram } from './program.ts'
import { visibleText } from './visible-text.ts'

/**
 * Runs one command line.
 *
 * @param argv without the program's name.
 * @returns the exit status; see {@link EXIT}. It never rejects for what a user or a broker did.
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.internal
  const program = createProgram(io, (finished) => {
    code = finished
  })
  for (const command of withCommands(program)) speakThrough(io, command)
  for (const stream of [io.stdout, io.stderr]) stream.on('error', ignore)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  } finally {
    for (const stream of [io.stdout, io.stderr]) stream.off('error', ignore)
  }
}

/** The command and those below it. */
function withCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withCommands)]
}

/** A reader that has gone (`hermod --help | head -1`) is nobody's failure. */
function ignore(): void {}

/** Help goes to stdout, complaints to stderr, in our form and without secrets; nothing ends the process. */
function speakThrough(io: CliIo, command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
    getOutHelpWidth: () => io.columns() ?? 100,
    getErrHelpWidth: () => io.columns() ?? 100,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
    outputError: (text, write) => {
      for (const line of text.trimEnd().split('\n')) write(`${inOurForm(line)}\n`)
    },
  })
}

function inOurForm(line: string): string {
  // An unknown flag is repeated with its value, which may be a secret: `--pasword=...`.
  const withoutValue = line.replace(/'(--?[^=']+)=.*'/, "'$1'")
  return visibleText(maskUrlCredentials(withoutValue.replace(/^error: |^hermod: |^/, 'hermod: ')))
}
