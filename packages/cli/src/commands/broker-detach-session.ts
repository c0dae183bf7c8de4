import { setImmediate as turn } from 'node:timers/promises'
import { isHermodError, withDeadline } from '@hermod/kernel'
import { Announcer } from '../announcer.ts'
import type { BackgroundProcess } from '../background-process.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { EXIT } from '../exit-codes.ts'
import type { BrokerStartFlags, BrokerStartPlan } from './broker-start-plan.ts'

/** How long a broker may take to listen. */
const START_LIMIT_MS = 15_000

/**
 * Starts a broker in the background, and shows its URL once it listens; resolves with the exit status: its own, where it
 * does not come up.
 */
export function startDetached(plan: BrokerStartPlan, flags: BrokerStartFlags, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  return runCommand(io, announcer, {
    connection: { source: { type: 'environment', url: '' } },
    run: async (signal) => {
      const child = await io.startInBackground(argumentsOf(flags))
      const output = new ChildOutput(child)
      try {
        const urls = await withDeadline(
          output.firstLines(),
          { signal, timeoutMs: START_LIMIT_MS },
          'start',
          io.clock,
        )
        io.stderr.write(output.said)
        if (urls === undefined) return await child.ended
        io.stdout.write(urls)
        announcer.note(`it runs in the background (process ${child.pid}); 'hermod broker stop' ends it`)
        return EXIT.ok
      } catch (error) {
        child.kill()
        if (!isHermodError(error) || error.code !== 'E_TIMEOUT') throw error
        io.stderr.write(output.said)
        announcer.alert(`the broker did not come up within ${START_LIMIT_MS / 1000} s, and was ended`)
        return EXIT.timeout
      } finally {
        child.release()
      }
    },
  })
}

/** The same command line again, but for `--detach`. */
function argumentsOf(flags: BrokerStartFlags): readonly string[] {
  const named: readonly (readonly [string, string | undefined])[] = [
    ['--listen', flags.listen],
    ...(flags.user ?? []).map((user) => ['--user', user] as const),
    ...(flags.vhost ?? []).map((name) => ['--vhost', name] as const),
    ['--profile', flags.profile],
    ['--tls-cert', flags.tlsCert],
    ['--tls-key', flags.tlsKey],
    ['--config', flags.config],
    ['--log', flags.log],
    ['--pid-file', flags.pidFile],
  ]
  const given = named.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`]))
  return ['broker', 'start', ...given, ...(flags.quiet === true ? ['--quiet'] : [])]
}

/** What a broker writes until it listens, or ends. */
class ChildOutput {
  readonly #child: BackgroundProcess
  #written = ''
  #said = ''

  constructor(child: BackgroundProcess) {
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
  }

  /** What it said on stderr. */
  get said(): string {
    return this.#said
  }

  /** What it wrote to stdout, with which it says that it listens; undefined when it ended before. */
  async firstLines(): Promise<string | undefined> {
    const lines = new Promise<true>((resolve) =>
      this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.#written += text
        if (this.#written.endsWith('\n')) resolve(true)
      }),
    )
    const listens = await Promise.race([lines, this.#child.ended.then(() => false as const)])
    if (!listens) return undefined
    // It said what it had to say before: that waits in the other pipe, and comes with the next look at both.
    await turn()
    await turn()
    return this.#written
  }
}
