import { sleep, type JsonObject, type JsonValue } from '@hermod/kernel'
import {
  createNotifier,
  createTransport,
  fake,
  notificationTopicsFromConf,
  type NotificationDriver,
  type Transport,
} from '@hermod/messaging'
import { Announcer } from '../announcer.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { EXIT } from '../exit-codes.ts'
import { readJsonObject, readMembers } from '../json-file.ts'
import { createDryRunDriver } from '../dry-run-driver.ts'
import { count as counted } from '../status-line.ts'
import { withTransport } from '../transport-session.ts'
import { transportSettings } from '../transport-settings.ts'
import type { NotifyPlan } from './notify-plan.ts'

/** Sends notifications, or shows what would be sent; resolves with the exit status. */
export function notify(plan: NotifyPlan, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  return runCommand(io, announcer, {
    connection: plan.connection ?? { source: { type: 'environment', url: '' } },
    run: async (signal) => {
      const content = await contentOf(plan, io)
      if (plan.dryRun) return dryRun(plan, content, io, signal)
      const { connection, exchange } = plan
      const request = { connection, purpose: 'notifications', exchange, signal } as const
      return withTransport(request, io, announcer, async (transport) => {
        await new Sending(plan, content, transport, io, signal).run(announcer)
        return EXIT.ok
      })
    },
  })
}

/** What is sent, read from wherever it was. */
interface NotifyContent {
  readonly payload: JsonValue
  readonly context: JsonObject
}

async function contentOf({ payload, sample, contextFile }: NotifyPlan, io: CliIo): Promise<NotifyContent> {
  const members = await readMembers(payload, io.stdin)
  return {
    // A definition, not an assignment, of each member: one may be called `__proto__`.
    payload: Object.fromEntries([...Object.entries(sample?.payload ?? {}), ...Object.entries(members)]),
    context:
      contextFile === undefined
        ? (sample?.context ?? {})
        : await readJsonObject(contextFile, 'the context', io.stdin),
  }
}

/** Makes everything as a sending does, up to the text of the body, and connects to nothing. */
async function dryRun(
  plan: NotifyPlan,
  content: NotifyContent,
  io: CliIo,
  signal: AbortSignal,
): Promise<number> {
  const { connection, envelope, exchange: controlExchange } = plan
  const settings = connection === undefined ? undefined : await transportSettings(connection, 'notifications')
  const transport = createTransport('fake://', {
    drivers: [fake()],
    conf: settings?.conf,
    controlExchange,
    clock: io.clock,
  })
  const topics = topicsOf(plan, transport)
  const driver = await createDryRunDriver({
    stdout: io.stdout,
    lines: !io.isTty,
    place: { url: settings?.url.toString(), exchange: transport.controlExchange, topics, envelope },
  })
  await new Sending(plan, content, transport, io, signal, driver).run()
  return EXIT.ok
}

function topicsOf({ topics }: NotifyPlan, { conf }: Transport): readonly string[] {
  return topics ?? (conf === undefined ? ['notifications'] : notificationTopicsFromConf(conf))
}

/** Sends the notifications of a plan, one after the other. */
class Sending {
  readonly #plan: NotifyPlan
  readonly #content: NotifyContent
  readonly #transport: Transport
  readonly #io: CliIo
  readonly #signal: AbortSignal
  readonly #driver: NotificationDriver | string
  #sent = 0

  constructor(
    plan: NotifyPlan,
    content: NotifyContent,
    transport: Transport,
    io: CliIo,
    signal: AbortSignal,
    driver?: NotificationDriver,
  ) {
    this.#plan = plan
    this.#content = content
    this.#transport = transport
    this.#io = io
    this.#signal = signal
    this.#driver = driver ?? (plan.envelope === '1.0' ? 'messaging' : 'messagingv2')
  }

  /** @param announcer told how many were sent, also when not all were. */
  async run(announcer?: Announcer): Promise<void> {
    const { count, eventType, priority } = this.#plan
    try {
      await this.#sendAll()
    } finally {
      const topics = topicsOf(this.#plan, this.#transport).map((topic) => `${topic}.${priority}`)
      const done = `sent ${counted(this.#sent, 'notification')} '${eventType}' to ${topics.join(', ')} on exchange '${this.#transport.controlExchange}'`
      if (this.#sent === count) announcer?.note(done)
      else if (this.#sent > 0) announcer?.alert(`${done}, of ${count}`)
    }
  }

  async #sendAll(): Promise<void> {
    const { eventType, priority, publisherId, count, intervalMs, timeoutMs } = this.#plan
    const { payload, context } = this.#content
    const { clock } = this.#io
    const signal = this.#signal
    const notifier = createNotifier(this.#transport, {
      publisherId,
      drivers: [this.#driver],
      topics: topicsOf(this.#plan, this.#transport),
      retries: Infinity,
    })
    while (this.#sent < count) {
      const startMs = clock.monotonicMs()
      await notifier.notify(priority, eventType, payload, { context, signal, timeoutMs })
      this.#sent++
      if (intervalMs === undefined || this.#sent === count) continue
      await sleep(Math.max(0, startMs + intervalMs - clock.monotonicMs()), { signal }, clock)
    }
  }
}
