import type { Command } from 'commander'
import { addConnectionFlags } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import { collectList } from '../flag-values.ts'
import type { ListenFlags } from './listen-plan.ts'
import { refuse } from './refuse.ts'

const EXAMPLES = `
Patterns match event types: * is any run of characters, ? is one, a leading ! excludes.
Without patterns everything is shown. Quote them, or the shell expands them.

Nothing on the bus changes: hermod reads copies from a queue of its own, which goes when it ends.
Lists may be repeated or separated by commas. Durations: 250ms, 5s, 10m, 2h.

Examples:
  hermod listen --url amqp://user@broker.example/            everything, live
  hermod listen 'compute.instance.*' '!*.exists' -s nova     instances, without the periodic reports
  hermod listen --from-conf /etc/nova/nova.conf -p error     failures; broker taken from nova.conf
  hermod listen -n 1 --for 5m 'volume.create.end'            wait for one event, 5 minutes at most
  hermod listen -o ndjson | jq .resource.name                one JSON object a line, for programs

Exit status: 0 done, 2 usage, 3 configuration, 4 no connection, 5 --for was over before -n,
8 permission refused by the broker, 130 Ctrl-C.`

/** Adds `hermod listen`; `finish` gets its exit status. */
export function defineListen(program: Command, io: CliIo, finish: (code: number) => void): void {
  const command: Command = program
    .command('listen')
    .summary('show notifications as they happen, without disturbing anyone')
    .description(
      'Shows the notifications of OpenStack services as they happen, without disturbing their readers.',
    )
    .argument('[pattern...]', 'event types to show')
  addConnectionFlags(command)
    .option(
      '-x, --exchange <name>',
      'tap only these exchanges instead of all that OpenStack is known to use',
      collectList,
    )
    .option('-t, --topic <name>', 'tap these topics too', collectList)
    .option('-s, --service <name>', 'show only these services', collectList)
    .option('-p, --priority <name>', 'show only these priorities', collectList)
    .option('-n, --count <number>', 'end after this many events')
    .option('--for <duration>', 'end after this long')
    .option('--until-idle <duration>', 'end once no event was shown for this long')
    .option('-o, --output <form>', 'pretty or ndjson (default: pretty on a terminal, ndjson otherwise)')
    .option('--no-color', 'no colours (as does NO_COLOR)')
    .option('-q, --quiet', 'say nothing on stderr but failures and lost events')
    .addHelpText('after', EXAMPLES)
    .action(async (patterns: string[], flags: ListenFlags) => {
      const { listenPlan } = await import('./listen-plan.ts')
      const issues: string[] = []
      const plan = listenPlan(patterns, flags, io, issues)
      if (plan === undefined) refuse(command, issues)
      const { listen } = await import('./listen-session.ts')
      finish(await listen(plan, io))
    })
}
