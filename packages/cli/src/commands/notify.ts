import type { Command } from 'commander'
import { addTransportFlags } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import { collectList } from '../flag-values.ts'
import type { NotifyFlags } from './notify-plan.ts'
import { refuse } from './refuse.ts'

const HELP = `
The payload is key=value for a text and key:=json for anything else (id=42 total:=9.5 tags:='["a"]'), or @FILE
or - (stdin) for one JSON object. --sample begins with a whole notification of that type as keystone, neutron or
nova once sent it, secrets masked: its payload, context, publisher, priority and exchange; what you give wins.

As every notifier it declares the queue TOPIC.PRIORITY, which keeps what nobody reads.

Examples:
  hermod notify demo.order.created id=42 total:=9.5 --publisher-id shop.host1
  hermod notify compute.instance.create.end --sample display_name=web-1 --dry-run
  hermod notify demo.tick -P debug --count 100 --interval 200ms

Exit status: 0 sent, 2 usage, 3 configuration, 4 no connection, 5 not confirmed in time, 6 refused by the broker,
8 permission refused, 130 Ctrl-C.`

/** Adds `hermod notify`; `finish` gets its exit status. */
export function defineNotify(program: Command, io: CliIo, finish: (code: number) => void): void {
  const command: Command = program
    .command('notify')
    .summary('send a notification, as services do')
    .description('Sends a notification, as services do.')
    .argument('<type>', 'the event type')
    .argument('[payload...]', 'key=value, key:=json, @FILE or -')
  addTransportFlags(command)
    .option('-P, --priority <name>', 'audit, debug, info, warn, error, critical or sample (default: info)')
    .option('--publisher-id <name>', 'who sends it, mostly service.host (default: hermod.HOST)')
    .option('-x, --exchange <name>', "the service's exchange (default: the conf file's, else openstack)")
    .option(
      '-t, --topic <name>',
      "the topics to send it to (default: the conf file's, else notifications)",
      collectList,
    )
    .option('--envelope <version>', 'v2, or v1 for readers that know no envelope (default: v2)')
    .option('--context <file>', 'send this JSON object as the context (- is stdin)')
    .option('--sample', 'begin with a notification of this type as a real service sent it')
    .option('--count <number>', 'send this many, each with an id of its own (default: 1)')
    .option('--interval <duration>', 'from one to the next (default: at once)')
    .option('--timeout <duration>', 'give up when one is not confirmed after this long (default: 30s)')
    .option('--dry-run', 'print exactly what would be sent, and where; connect to nothing')
    .option('-q, --quiet', 'say nothing on stderr but failures')
    .addHelpText('after', HELP)
    .action(async (type: string, words: string[], flags: NotifyFlags) => {
      const { notifyPlan } = await import('./notify-plan.ts')
      const issues: string[] = []
      const plan = notifyPlan(type, words, flags, io, issues)
      if (plan === undefined) refuse(command, issues)
      const { notify } = await import('./notify-session.ts')
      finish(await notify(plan, io))
    })
}
