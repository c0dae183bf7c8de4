import type { Command } from 'commander'
import type { CliIo } from '../cli-io.ts'
import { collectList } from '../flag-values.ts'
import type { DemoFlags } from './demo-plan.ts'
import { refuse } from './refuse.ts'

const HELP = `
A broker in this process, in memory alone; a small made-up cloud, whose services publish their notifications to
it as OpenStack's do; and hermod listen, which shows them. Nothing is installed, no other machine is asked, and
with Ctrl-C all of it is gone. With the same seed the same things happen again.

Patterns and flags of what is shown are those of hermod listen. The broker listens on a free port of 127.0.0.1,
which is said at the start: other programs can join as guest, with the password guest.

Examples:
  hermod demo                                 everything, until Ctrl-C
  hermod demo -p error                        the failures
  hermod demo --rate 20 'compute.instance.*'
  hermod demo --seed 7 -n 100 -o ndjson | jq -r .type

Exit status: 0 done, 2 usage, 4 no port, 5 --for was over before -n, 130 Ctrl-C.`

/** Adds `hermod demo`; `finish` gets its exit status. */
export function defineDemo(program: Command, io: CliIo, finish: (code: number) => void): void {
  const command: Command = program
    .command('demo')
    .summary('a broker, a made-up cloud and listen in one, offline')
    .description('Shows what hermod listen does, with nothing but itself: a broker and a cloud come with it.')
    .argument('[pattern...]', 'event types to show')
    .option('--rate <number>', 'so many events a second (default: 4)')
    .option('--seed <number>', 'what happens, and in which order (default: another one each time)')
    .option('-s, --service <name>', 'show only these services', collectList)
    .option('-p, --priority <name>', 'show only these priorities', collectList)
    .option('-n, --count <number>', 'end after this many events')
    .option('--for <duration>', 'end after this long')
    .option('-o, --output <form>', 'pretty or ndjson (default: pretty on a terminal, ndjson otherwise)')
    .option('--no-color', 'no colours (as does NO_COLOR)')
    .option('-q, --quiet', 'say nothing on stderr but failures and lost events')
    .addHelpText('after', HELP)
    .action(async (patterns: string[], flags: DemoFlags) => {
      const { demoPlan } = await import('./demo-plan.ts')
      const issues: string[] = []
      const plan = demoPlan(patterns, flags, io, issues)
      if (plan === undefined) refuse(command, issues)
      const { demo } = await import('./demo-session.ts')
      finish(await demo(plan, io))
    })
}
