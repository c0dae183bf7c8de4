import { Command } from 'commander'
import type { CliIo } from './cli-io.ts'
import { defineBroker } from './commands/broker.ts'
import { defineDemo } from './commands/demo.ts'
import { defineListen } from './commands/listen.ts'
import { defineNotify } from './commands/notify.ts'
import { defineRpc } from './commands/rpc.ts'
import { defineServe } from './commands/serve.ts'

/** The command line of `hermod`; `finish` gets the exit status of the command that ran. */
export function createProgram(io: CliIo, finish: (code: number) => void): Command {
  const program = new Command('hermod')
    .description(
      "OpenStack's notifications and remote calls on the terminal and for programs, straight from RabbitMQ.",
    )
    // What stands behind a command is its own: `rpc --version` is the version of a target.
    .enablePositionalOptions()
    .version(io.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText(
      'after',
      `
Examples:
  hermod demo                                        see it work, with nothing installed
  hermod listen --url amqp://user@broker.example/    show what happens
  hermod rpc ping compute@node1 conductor            who answers
  hermod broker start --detach                       a broker for tests, in memory
  hermod help listen                                 all flags, with examples`,
    )
  defineDemo(program, io, finish)
  defineListen(program, io, finish)
  defineNotify(program, io, finish)
  defineRpc(program, io, finish)
  defineServe(program, io, finish)
  defineBroker(program, io, finish)
  return program
}
