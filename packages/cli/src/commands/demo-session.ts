import { isHermodError } from '@hermod/kernel'
import { Announcer } from '../announcer.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import type { ActivityPlayer } from '../demo/activity-player.ts'
import { formatSeconds } from '../duration.ts'
import { count } from '../status-line.ts'
import type { DemoPlan } from './demo-plan.ts'
import { listen } from './listen-session.ts'

/** Runs broker, cloud and tap until something ends it; resolves with the exit status of `hermod listen`. */
export function demo(plan: DemoPlan, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  return runCommand(io, announcer, {
    connection: { source: { type: 'environment', url: '' } },
    run: (signal) => show(plan, io, announcer, signal),
  })
}

async function show(plan: DemoPlan, io: CliIo, announcer: Announcer, signal: AbortSignal): Promise<number> {
  // Together they take longer to load than all else.
  const [{ createBroker }, { DEMO_EXCHANGES, DemoCloud }] = await Promise.all([
    import('@hermod/broker'),
    import('../demo/demo-cloud.ts'),
  ])
  const { seed, eventsPerSecond } = plan
  const { clock } = io
  const broker = createBroker({ clock })
  try {
    const { url, host, port } = await broker.listen()
    announcer.note(
      `demo: a broker in this process, in memory only, on ${host}:${port}; a made-up cloud (seed ${seed}) publishes ${count(eventsPerSecond, 'event')} a second`,
    )
    announcer.note(`to join from another terminal: hermod listen --url amqp://${host}:${port}/`)
    const cloud = await DemoCloud.start(broker, url, { seed, eventsPerSecond, clock }, signal)
    try {
      const playing = new Playing(cloud.player, announcer)
      const startMs = clock.monotonicMs()
      const code = await listen({ ...plan, ...brokerAt(url), exchanges: DEMO_EXCHANGES }, io, () =>
        playing.start(),
      )
      await playing.end()
      announcer.note(summary(cloud.player, clock.monotonicMs() - startMs, seed))
      return code
    } finally {
      await cloud.close()
    }
  } finally {
    await broker.close()
  }
}

/** The broker of this process, as `hermod listen` takes it. */
function brokerAt(url: string): Pick<Parameters<typeof listen>[0], 'connection' | 'topics'> {
  return {
    connection: {
      source: { type: 'environment', url },
      connectTimeoutMs: undefined,
      tls: { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined },
    },
    topics: [],
  }
}

function summary({ counts }: ActivityPlayer, tookMs: number, seed: number): string {
  const { published, failures, services } = counts
  return `demo: ${count(published, 'event')} of ${count(services, 'service')} in ${formatSeconds(tookMs)}, ${count(failures, 'failure')} among them; --seed ${seed} shows them again; the broker is gone, and all that it held`
}

/** The player from the moment when there is somebody to see it. */
class Playing {
  readonly #player: ActivityPlayer
  readonly #announcer: Announcer
  readonly #over = new AbortController()
  #run: Promise<void> = Promise.resolve()

  constructor(player: ActivityPlayer, announcer: Announcer) {
    this.#player = player
    this.#announcer = announcer
  }

  start(): void {
    this.#run = this.#player.run(this.#over.signal).catch((error: unknown) => {
      if (this.#over.signal.aborted) return
      const reason = isHermodError(error) ? error.message : String(error)
      this.#announcer.alert(`demo: no more events: one could not be published (${reason})`)
    })
  }

  async end(): Promise<void> {
    this.#over.abort(new Error('the demo is over'))
    await this.#run
  }
}
