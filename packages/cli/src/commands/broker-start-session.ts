import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createBroker } from '@hermod/broker'
import { createDeferred, onAbort } from '@hermod/kernel'
import { announcingLogger } from '../broker/announcing-logger.ts'
import { brokerFiles, prepareFolder, type BrokerFiles } from '../broker/broker-files.ts'
import { brokerStatus, type BrokerIdentityFacts } from '../broker/broker-status.ts'
import { isAnswering } from '../broker/control-client.ts'
import { ControlServer } from '../broker/control-server.ts'
import type { ListenAddress } from '../broker/listen-address.ts'
import { LogFile } from '../broker/log-file.ts'
import { LoggedAnnouncer } from '../broker/logged-announcer.ts'
import { PidFile, readPid } from '../broker/pid-file.ts'
import { brokerUrl, startSettings, type StartSettings } from '../broker/start-settings.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { count } from '../status-line.ts'
import { EXIT } from '../exit-codes.ts'
import type { BrokerStartPlan } from './broker-start-plan.ts'

/** How long a broker may take from its pid file to its control socket. */
const STARTING_MS = 5000

/** Runs a broker until it is told to end; resolves with the exit status. */
export async function startBroker(plan: BrokerStartPlan, io: CliIo): Promise<number> {
  using announcer = new LoggedAnnouncer(io.stderr, plan.quiet, io.clock)
  return await runCommand(io, announcer, {
    connection: { source: { type: 'environment', url: '' } },
    run: async (signal) => {
      if (plan.logFile !== undefined) announcer.keepIn(LogFile.open(plan.logFile))
      const settings = await startSettings(plan, io)
      const files = brokerFiles(plan.pidFile, io.env)
      await prepareFolder(files, io.env)
      const pidFile = await PidFile.take(files.pidFile, () => isRunning(files, io))
      if (pidFile.stale !== undefined)
        announcer.note(`${files.pidFile} was of a broker that has ended (process ${pidFile.stale})`)
      const logFile = plan.logFile === undefined ? undefined : resolve(plan.logFile)
      return new Serving(settings, { ...files, logFile }, pidFile, io, announcer).run(signal)
    },
  })
}

/** Whether the broker of a pid file is there, or is just coming up. */
async function isRunning({ pidFile, controlSocket }: BrokerFiles, { clock }: CliIo): Promise<boolean> {
  if (await isAnswering(controlSocket)) return true
  const pid = await readPid(pidFile)
  if (pid === undefined || !isAlive(pid)) return false
  const facts = await stat(pidFile).catch(() => undefined)
  return facts !== undefined && clock.now() - facts.mtimeMs < STARTING_MS
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

interface ServingFiles extends BrokerFiles {
  readonly logFile: string | undefined
}

/** A broker that runs, with everything by which it is found. */
class Serving {
  readonly #settings: StartSettings
  readonly #files: ServingFiles
  readonly #pidFile: PidFile
  readonly #io: CliIo
  readonly #announcer: LoggedAnnouncer

  constructor(
    settings: StartSettings,
    files: ServingFiles,
    pidFile: PidFile,
    io: CliIo,
    announcer: LoggedAnnouncer,
  ) {
    this.#settings = settings
    this.#files = files
    this.#pidFile = pidFile
    this.#io = io
    this.#announcer = announcer
  }

  async run(signal: AbortSignal): Promise<number> {
    let control: ControlServer | undefined
    const { address, users, virtualHosts, profile, tls } = this.#settings
    const { clock } = this.#io
    const logger = announcingLogger(this.#announcer)
    const broker = createBroker({ profile, users, virtualHosts, clock, logger })
    const lastWords = (error: Error): void =>
      this.#announcer.record(`the process fails: ${error.stack ?? error.message}`)
    process.on('uncaughtExceptionMonitor', lastWords)
    try {
      const { host, port } = await broker.listen({ ...address, tls })
      const stopped = createDeferred<void>()
      const facts = this.#identity({ host, port })
      control = await ControlServer.open(this.#files.controlSocket, {
        status: () => brokerStatus(broker, facts, new Date(clock.now())),
        stop: () => stopped.resolve(),
      })
      this.#say({ host, port })
      using _ = onAbort(signal, () => stopped.resolve())
      await stopped.promise
      this.#announcer.note(`the broker ends; ${count(broker.connections().length, 'connection')} to close`)
      return EXIT.ok
    } finally {
      process.off('uncaughtExceptionMonitor', lastWords)
      await broker.close()
      await this.#pidFile.remove()
      await control?.close()
    }
  }

  #identity(address: ListenAddress): BrokerIdentityFacts {
    const { users, virtualHosts, profile } = this.#settings
    const [first] = users
    return {
      url: first === undefined ? '' : brokerUrl(address, this.#settings, first, false),
      profile,
      virtualHosts,
      users: users.map(({ name }) => name),
      startedAt: new Date(this.#io.clock.now()),
      log: this.#files.logFile,
    }
  }

  /** The URLs go to stdout: one for each user whose password nobody knows, else one without a password. */
  #say(address: ListenAddress): void {
    const { users, profile, notes } = this.#settings
    this.#announcer.record(`process ${process.pid} of hermod ${this.#io.version}`)
    this.#announcer.note(
      `a broker like ${profile} listens on ${address.host}:${address.port}; it keeps everything in memory only: nothing outlives this process`,
    )
    for (const text of notes) this.#announcer.note(text)
    const made = users.filter(({ generated }) => generated)
    const shown = made.length > 0 ? made : users.slice(0, 1)
    const urls = shown.map((user) => brokerUrl(address, this.#settings, user, user.generated))
    this.#io.stdout.write(urls.map((url) => `${url}\n`).join(''))
  }
}
