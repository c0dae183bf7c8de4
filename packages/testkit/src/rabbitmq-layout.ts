import { mkdtempSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** How a private node differs from RabbitMQ's defaults. */
export interface RabbitMqOptions {
  /** Lines of its `rabbitmq.conf`, for example `{ heartbeat: '2', frame_max: '8192' }`. */
  readonly config?: Readonly<Record<string, string>> | undefined
  /** Plugins to switch on, for example `rabbitmq_auth_mechanism_ssl`; those that they need come with them. */
  readonly plugins?: readonly string[] | undefined
}

/** What a node shares with those that it may form a cluster with. */
export interface RabbitMqSeat {
  /** `name@host` in Erlang's words. */
  readonly nodeName: string
  readonly cookie: string
  readonly epmd: { readonly port: number }
  /** How many threads run Erlang code. */
  readonly schedulers: number
}

/** Where one private node lives: its folder, its ports and the environment that makes it use them. */
export interface RabbitMqLayout {
  readonly folder: string
  readonly port: number
  readonly distributionPort: number
  /** The whole environment: nothing of the tests' own gets through, so no setting of the user's broker either. */
  readonly environment: Readonly<Record<string, string>>
}

/** Creates the folder of a node: configuration, cookie, room for data and logs. */
export async function layOutRabbitMq(seat: RabbitMqSeat, options: RabbitMqOptions): Promise<RabbitMqLayout> {
  const [port, distributionPort] = [await freePort(), await freePort()]
  const folder = mkdtempSync(join(tmpdir(), 'hermod-rabbitmq-'))
  for (const name of ['data', 'log']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, '.erlang.cookie'), seat.cookie, { mode: 0o400 })
  writeFileSync(join(folder, 'enabled_plugins'), `[${(options.plugins ?? []).join(', ')}].\n`)
  const settings = { 'listeners.tcp.1': `127.0.0.1:${port}`, 'log.console': 'false', ...options.config }
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`)
  writeFileSync(join(folder, 'rabbitmq.conf'), lines.join(''))
  const absent = join(folder, 'absent')
  const { schedulers } = seat
  return {
    folder,
    port,
    distributionPort,
    environment: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: folder,
      ERL_EPMD_PORT: String(seat.epmd.port),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_CRASH_DUMP_SECONDS: '0',
      RABBITMQ_NODENAME: seat.nodeName,
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_CONF_ENV_FILE: absent,
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: absent,
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_PID_FILE: join(folder, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+S ${schedulers}:${schedulers} +A 8 -kernel inet_dist_use_interface {127,0,0,1}`,
      // The start script then becomes the node instead of watching over it: our pid is the node's own.
      RUNNING_UNDER_SYSTEMD: 'true',
    },
  }
}

const TAIL_LINES = 100

/** The last lines of everything that the node wrote, for the message of a failed start. */
export function tailOfLogs(folder: string): string {
  const files = ['output', ...readdirSync(join(folder, 'log')).map((name) => join('log', name))]
  return files
    .map((name) => {
      const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
      return `--- ${name}\n${lines.slice(-TAIL_LINES).join('\n')}`
    })
    .join('\n')
}
