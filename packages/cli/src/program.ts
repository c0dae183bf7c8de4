import { Command } from 'commander'
import type { CliIo } from './cli-io.ts'
import { defineListen } from './commands/listen.ts'

/** The command line of `hermod`; `finish` gets the exit status of the command that ran. */
export function createProgram(io: CliIo, finish: (code: number) => void): Command {
  const program = new Command('hermod')
    .description('OpenStack notifications on the terminal and for programs, straight from RabbitMQ.')
    .version(io.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText(
      'after',
      `
Examples:
  hermod listen --url amqp://user@broker.example/    show what happens
  hermod help listen                                 all flags, with examples`,
    )
  defineListen(program, io, finish)
  return program
}
