import type { Command } from 'commander'
import { addTransportFlags } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import type { PingFlags } from './ping-plan.ts'
import { refuse } from './refuse.ts'
import type { RpcKind, RpcRequestFlags } from './rpc-plan.ts'

const ARGUMENTS = `
Arguments are key=value for a text and key:=json for anything else (count:=3, tags:='["a"]', on:=true),
or @FILE or - (stdin) for one JSON object with all of them, which also keeps them out of the process list.
TOPIC@SERVER names one server; the last @ counts. A topic that holds an @ itself: 'TOPIC@' for any server,
--server NAME for one.`

const EXIT_STATUS = `
Exit status: 0 done, 1 not confirmed, 2 usage, 3 configuration, 4 no connection, 5 no answer in time,
6 the server said that it failed, 7 nobody serves the topic, 8 permission refused, 130 Ctrl-C.`

const RPC_HELP = `
A request to a topic of an OpenStack service (compute, conductor, q-plugin, cinder-volume, ...) is asked for
first on a terminal, and refused without one, unless --yes is given. Pings are sent without asking.

Examples:
  hermod rpc ping compute@node1 conductor scheduler          who is alive, and how fast
  hermod rpc call demo add a:=1 b:=2                         any server of the topic
  hermod rpc call demo@server1 add a:=1 b:=2 --version 1.1   one of them, and a version of its interface
  hermod rpc cast demo rebuild id=42 --namespace admin       no reply is waited for
  hermod rpc fanout demo refresh                             all servers of the topic
${EXIT_STATUS}`

const CALL_HELP = `${ARGUMENTS}

-o json prints one line: {"ok":true,"result":...}, or {"ok":false,"error":{class,module,message,args,trace}} with
the fields as the server sent them (module 'hermod' for what went wrong on this side).
${EXIT_STATUS}`

const PING_HELP = `
Calls 'oslo_rpc_server_ping'. A server that knows no such method answers all the same: it is alive, but its
[DEFAULT] rpc_ping_enabled is not true.

Examples:
  hermod rpc ping compute@node1 conductor --count 5
  hermod rpc ping cinder-volume.host1@lvm@ -x cinder -o json | jq .ms
${EXIT_STATUS}`

const SENDS: readonly (readonly [kind: RpcKind, summary: string, description: string])[] = [
  ['call', 'call a method and print its result', 'Calls a method of a server and prints its result.'],
  [
    'cast',
    'send a request without waiting for a reply',
    'Sends a request to a server and waits for no reply.',
  ],
  ['fanout', 'send a request to every server of a topic', 'Sends a request to every server of a topic.'],
]

/** Adds `hermod rpc` and what belongs to it; `finish` gets its exit status. */
export function defineRpc(program: Command, io: CliIo, finish: (code: number) => void): void {
  const rpc = program
    .command('rpc')
    .summary("call and ping the servers of services, as OpenStack's own components do")
    .description("Remote calls by oslo.messaging's rules.")
    // Its own flags may stand anywhere behind it, also behind `call`; in front of it stand those of hermod.
    .enablePositionalOptions(false)
    .option('--version <version>', "the target's version, major.minor (anywhere after 'rpc')")
    .addHelpText('after', RPC_HELP)
  for (const [kind, summary, description] of SENDS) {
    const command: Command = rpc
      .command(kind)
      .summary(summary)
      .description(description)
      .argument('<target>', 'TOPIC or TOPIC@SERVER')
      .argument('<method>', 'the method to run')
      .argument('[arguments...]', 'key=value, key:=json, @FILE or -')
    addTransportFlags(command)
      .option(
        '-x, --exchange <name>',
        "the service's exchange (default: the conf file's, else that of the topic's service, else openstack)",
      )
      .option('--server <name>', 'the server, where TOPIC holds an @ itself')
      .option('--namespace <name>', "the target's namespace")
      .option('--version <version>', "the target's version, major.minor")
    if (kind === 'call')
      command
        .option('--timeout <duration>', "wait this long for the reply (default: the conf file's, else 60s)")
        .option(
          '--call-monitor <duration>',
          'give up earlier when the server gives no sign of life for this long',
        )
    else command.option('--timeout <duration>', 'give up when it is not sent after this long')
    command
      .option('--context <file>', 'send this JSON object as the context (- is stdin)')
      .option('--yes', 'do not ask, whatever the topic')
      .option('-o, --output <form>', 'pretty or json (default: pretty on a terminal, json otherwise)')
    if (kind === 'call') command.option('-v, --verbose', "show the server's traceback on stderr")
    command
      .option('-q, --quiet', 'say nothing on stderr but failures')
      .addHelpText('after', kind === 'call' ? CALL_HELP : `${ARGUMENTS}\n${EXIT_STATUS}`)
      .action(async (target: string, method: string, words: string[]) => {
        const { rpcRequestPlan } = await import('./rpc-plan.ts')
        const issues: string[] = []
        const flags = command.optsWithGlobals<RpcRequestFlags>()
        const plan = rpcRequestPlan(kind, [target, method, ...words], flags, io, issues)
        if (plan === undefined) refuse(command, issues)
        const { rpcRequest } = await import('./rpc-session.ts')
        finish(await rpcRequest(plan, io))
      })
  }
  definePing(rpc, io, finish)
}

function definePing(rpc: Command, io: CliIo, finish: (code: number) => void): void {
  const command: Command = rpc
    .command('ping')
    .summary('ask servers whether they are alive')
    .description('Asks servers whether they are alive, and says how long the answers took.')
    .argument('<target...>', 'TOPIC or TOPIC@SERVER')
  addTransportFlags(command)
    .option(
      '-x, --exchange <name>',
      "the service's exchange (default: the conf file's, else that of the topic's service, else openstack)",
    )
    .option('--count <number>', 'ping each this often (default: 1)')
    .option('--interval <duration>', 'from one round to the next (default: 1s)')
    .option('--timeout <duration>', 'wait this long for an answer (default: 5s)')
    .option('-o, --output <form>', 'pretty or json, one line an answer (default: pretty on a terminal)')
    .option('-q, --quiet', 'say nothing on stderr but failures')
    .addHelpText('after', PING_HELP)
    .action(async (targets: string[]) => {
      const { pingPlan } = await import('./ping-plan.ts')
      const issues: string[] = []
      const plan = pingPlan(targets, command.optsWithGlobals<PingFlags>(), io, issues)
      if (plan === undefined) refuse(command, issues)
      const { ping } = await import('./ping-session.ts')
      finish(await ping(plan, io))
    })
}
