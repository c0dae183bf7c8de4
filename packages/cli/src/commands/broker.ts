import type { Command } from 'commander'
import type { CliIo } from '../cli-io.ts'
import { collectValues } from '../flag-values.ts'
import type { BrokerControlFlags } from './broker-control-plan.ts'
import type { BrokerStartFlags } from './broker-start-plan.ts'
import { refuse } from './refuse.ts'

const BROKER_HELP = `
For tests, laptops and demos; production stays on RabbitMQ. Everything is in memory only: durable queues and
persistent messages outlive connections, and are gone with the process.

Examples:
  hermod broker start                                 in the foreground, on 127.0.0.1:5672, until Ctrl-C
  export HERMOD_URL=$(hermod broker start --detach)   in the background, and its URL for the other commands
  hermod broker status
  hermod broker stop`

const START_HELP = `
stdout is the URL alone. Without --user there is one user, hermod. A password that is given nowhere is made up,
and shown this once, in the URL; one that is given is not shown.

It listens on 127.0.0.1 unless --listen says otherwise. Addresses that others reach need a --user as well, or
users in --config. guest is taken from this machine alone.

--config names a JSON file, with any of: listen, users (a list of {name, password, virtual_hosts}),
virtual_hosts, profile, tls_cert, tls_key. Flags count before it.

Examples:
  hermod broker start --user guest:guest              as tests expect it that were written for RabbitMQ
  HERMOD_BROKER_PASSWORD=... hermod broker start --user app --vhost /app
  hermod broker start --listen 0.0.0.0:5671 --config users.json --tls-cert cert.pem --tls-key key.pem
  hermod broker start --detach --log broker.log

Exit status: 0 ended by 'hermod broker stop', 2 usage, 3 configuration, or a broker runs there already, 4 the port
cannot be opened, 5 --detach: it did not come up in time, 130 Ctrl-C, 143 SIGTERM.`

const STATUS_HELP = `
Exit status: 0 it runs, 1 none does, 2 usage, 3 configuration, 4 it ended meanwhile, 5 no answer in time.`

const STOP_HELP = `
Clients are told (320) and have a second to agree.

Exit status: 0 it has ended, 1 none runs, 2 usage, 3 configuration, 5 it has not ended in time.`

/** Adds `hermod broker` and what belongs to it; `finish` gets its exit status. */
export function defineBroker(program: Command, io: CliIo, finish: (code: number) => void): void {
  const broker = program
    .command('broker')
    .summary('an AMQP 0-9-1 broker in this process, for tests and laptops')
    .description('Starts, asks and stops a broker: AMQP 0-9-1 in one Node process, in memory.')
    .addHelpText('after', BROKER_HELP)
  defineStart(broker, io, finish)
  defineControl(broker, io, finish)
}

function defineStart(broker: Command, io: CliIo, finish: (code: number) => void): void {
  const command: Command = broker
    .command('start')
    .summary('start a broker')
    .description('Starts a broker and prints its URL.')
    .option('--listen <address>', 'HOST:PORT, or a port, 0 for a free one (default: 127.0.0.1:5672)')
    .option(
      '--user <name[:password]>',
      'who may connect; may be repeated (default password: $HERMOD_BROKER_PASSWORD, else made up)',
      collectValues,
    )
    .option('--vhost <name>', 'a virtual host; may be repeated (default: /)', collectValues)
    .option('--profile <name>', 'which RabbitMQ it behaves like (default: rabbitmq-4.2)')
    .option('--tls-cert <file>', 'speak TLS, with this certificate (PEM); needs --tls-key')
    .option('--tls-key <file>', 'the private key of --tls-cert (PEM)')
    .option('--config <file>', 'read more from a JSON file (- is stdin)')
    .option('--detach', 'leave it in the background once it listens')
    .option('--log <file>', 'keep what it has to say in this file, each line with its time')
    .option('--pid-file <file>', 'where its process is named; its control socket is beside it')
    .option('-q, --quiet', 'say nothing on stderr but failures')
    .addHelpText('after', START_HELP)
    .action(async (flags: BrokerStartFlags) => {
      const { brokerStartPlan } = await import('./broker-start-plan.ts')
      const issues: string[] = []
      const plan = brokerStartPlan(flags, issues)
      if (plan === undefined) refuse(command, issues)
      if (flags.detach === true) {
        const { startDetached } = await import('./broker-detach-session.ts')
        finish(await startDetached(plan, flags, io))
      } else {
        const { startBroker } = await import('./broker-start-session.ts')
        finish(await startBroker(plan, io))
      }
    })
}

function defineControl(broker: Command, io: CliIo, finish: (code: number) => void): void {
  for (const kind of ['stop', 'status'] as const) {
    const isStatus = kind === 'status'
    const command: Command = broker
      .command(kind)
      .summary(isStatus ? 'say how a broker is doing' : 'end a broker')
      .description(isStatus ? 'Says how a running broker is doing.' : 'Ends a running broker.')
      .option('--pid-file <file>', 'that of the broker, where it was started with one')
      .option('--timeout <duration>', `wait this long (default: ${isStatus ? '5s' : '10s'})`)
    if (isStatus)
      command.option('-o, --output <form>', 'pretty or json (default: pretty on a terminal, json otherwise)')
    command
      .option('-q, --quiet', 'say nothing on stderr but failures')
      .addHelpText('after', isStatus ? STATUS_HELP : STOP_HELP)
      .action(async (flags: BrokerControlFlags) => {
        const { brokerControlPlan } = await import('./broker-control-plan.ts')
        const issues: string[] = []
        const plan = brokerControlPlan(kind, flags, io, issues)
        if (plan === undefined) refuse(command, issues)
        const { controlBroker } = await import('./broker-control-session.ts')
        finish(await controlBroker(plan, io))
      })
  }
}
