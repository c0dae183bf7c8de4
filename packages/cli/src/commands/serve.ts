import type { Command } from 'commander'
import { addTransportFlags } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import { refuse } from './refuse.ts'
import type { ServeFlags } from './serve-plan.ts'

const HELP = `
Flags stand before the file or the program: what stands behind is the program's own.

A file with handlers is an ES module, loaded as it is. Its default export is an endpoint (an object with methods)
or an array of them; without one, its exported functions are the methods. A method gets the arguments as one
object, then { context, namespace, version, method, signal, ... }. TypeScript needs Node 22.18 or later.

--exec starts the program for each request, without a shell. Its stdin is one JSON object with method, args,
namespace, version and context (which may hold tokens); its stdout is the result as JSON, nothing for null; a
status other than 0 is a failure, with the first line of its stderr. HERMOD_URL is not handed to it.

A request is taken at most once. Pings are answered. Ctrl-C lets what runs end, for 10 s at most; a second one
does not wait, and programs are killed. A topic of an OpenStack service is asked for first, or needs --yes: its
requests would come here instead of there.

Examples:
  hermod serve --topic demo --echo
  hermod serve --topic demo --server server1 ./handlers.mjs
  hermod serve --topic demo --concurrency 4 --timeout 10s --exec ./answer.py --verbose

Exit status: 2 usage, 3 configuration, 4 no connection, 8 permission refused, 130 Ctrl-C.`

/** Adds `hermod serve`; `finish` gets its exit status. */
export function defineServe(program: Command, io: CliIo, finish: (code: number) => void): void {
  const command: Command = program
    .command('serve')
    .summary('serve remote calls: with handlers, a program, or an echo')
    .description('Serves remote calls on a topic: with handlers of yours, with a program, or with an echo.')
    .argument('[handlers]', 'a file with handlers; with --exec the program')
    .argument('[arguments...]', "the program's arguments")
    .passThroughOptions()
  addTransportFlags(command)
    .option('--topic <name>', 'what to serve')
    .option('--server <name>', 'the name of this server (default: the name of this host)')
    .option('-x, --exchange <name>', "the service's exchange (default: the conf file's, else openstack)")
    .option('--namespace <name>', 'the namespace of the methods')
    .option('--version <version>', 'the version of their interface, major.minor (default: 1.0)')
    .option('--echo', 'answer every method with its arguments')
    .option('--exec', 'start the program for each request')
    .option('--concurrency <number>', 'so many requests at a time (default: 64, with --exec 8)')
    .option('--timeout <duration>', 'kill a program that runs longer than this (default: 60s)')
    .option('--access-policy <name>', 'default (no names that begin with _), legacy (these too) or explicit')
    .option('--yes', 'do not ask, whatever the topic')
    .option('-q, --quiet', 'say nothing on stderr but failures')
    .addHelpText('after', HELP)
    .action(async (first: string | undefined, rest: string[], flags: ServeFlags) => {
      const { servePlan } = await import('./serve-plan.ts')
      const issues: string[] = []
      const plan = servePlan(first === undefined ? [] : [first, ...rest], flags, io, issues)
      if (plan === undefined) refuse(command, issues)
      const { serve } = await import('./serve-session.ts')
      finish(await serve(plan, io))
    })
}
