import { createDeferred, isHermodError, sleep, type Deferred } from '@hermod/kernel'
import { createNotifier, type Notifier, type Transport } from '@hermod/messaging'
import { eventually } from '@hermod/testkit'
import { expect, onTestFailed } from 'vitest'
import { FAULT_MESSAGES, SHOWS_FIGURES } from './fault-settings.ts'

/** A tenth of the messages of other loads: in front of each there is a handler. */
const NOTES = Math.ceil(FAULT_MESSAGES / 10)
const AT_A_TIME = 100
const RECOVERY_MS = 30_000

/** A handler that keeps how often it began with each notification. */
export class CountingHandler {
  readonly #begun = new Map<number, number>()

  readonly info = async ({ payload }: { payload: unknown }): Promise<void> => {
    const id = Number(payload)
    this.#begun.set(id, this.handled(id) + 1)
    await sleep(id % 2)
  }

  handled(id: number): number {
    return this.#begun.get(id) ?? 0
  }
}

/** How a {@link NoteLoad} is made. */
export interface NoteLoadOptions {
  readonly topic: string
  /** How often a notification was handled, by id, in all listeners together. */
  readonly handled: (id: number) => number
  /** The codes with which the rest may fail when the notifier's transport is closed in the middle. */
  readonly failures?: readonly string[] | undefined
  /** What the last tenth is sent after; nothing where absent. */
  readonly lastAfter?: Promise<unknown> | undefined
  /** How long each sender rests between two, so that listeners can keep up; 0 where absent. */
  readonly restMs?: number | undefined
}

/** Notifications, many at a time, through whatever is done to broker, connections and listeners. */
export class NoteLoad {
  readonly options: NoteLoadOptions
  readonly notifier: Notifier
  readonly total: number = NOTES
  readonly confirmed: number[] = []
  /** The codes with which the others failed. */
  readonly failures: Set<string> = new Set()
  /** Resolves when every notification was confirmed or has failed. */
  readonly ended: Promise<unknown>
  readonly #waits: { readonly confirmed: number; readonly reached: Deferred<void> }[] = []
  #next = 0

  constructor(transport: Transport, options: NoteLoadOptions) {
    this.options = options
    this.notifier = createNotifier(transport, { topics: [options.topic], publisherId: 'faults.host1' })
    onTestFailed(() => console.error(options.topic, this.describe()))
    this.ended = Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        while (this.#next < this.total) {
          const id = this.#next++
          if (id >= 0.9 * this.total) await options.lastAfter
          await this.#notify(id)
          if (options.restMs !== undefined) await sleep(options.restMs)
        }
      }),
    )
  }

  /** Resolves once this share of all was confirmed. */
  async reaches(share: number): Promise<void> {
    const confirmed = Math.ceil(share * this.total)
    if (this.confirmed.length >= confirmed) return
    const reached = createDeferred<void>()
    this.#waits.push({ confirmed, reached })
    await reached.promise
  }

  /** Confirmed, and not handled. */
  missing(): number[] {
    return this.confirmed.filter((id) => this.options.handled(id) === 0)
  }

  /** Handled more than once. */
  repeated(): number[] {
    return Array.from({ length: this.total }, (_, id) => id).filter((id) => this.options.handled(id) > 1)
  }

  describe(): string {
    const [missing, repeated] = [this.missing(), this.repeated()]
    return (
      `${this.confirmed.length} of ${this.total} confirmed, missing ${missing.length} (${missing.slice(0, 5).join()}), ` +
      `repeated ${repeated.length} (${repeated.slice(0, 5).join()}), failures ${[...this.failures].join()}`
    )
  }

  async #notify(id: number): Promise<void> {
    try {
      await this.notifier.info('fault.test', id)
    } catch (error) {
      this.failures.add(isHermodError(error) ? error.code : String(error))
      return
    }
    this.confirmed.push(id)
    for (const wait of this.#waits) if (wait.confirmed === this.confirmed.length) wait.reached.resolve()
  }
}

/**
 * Waits for all notifications, and holds them against what no fault may change: every promise settles, and what was
 * confirmed is handled at least once.
 */
export async function expectNoteInvariants(load: NoteLoad): Promise<void> {
  await load.ended
  const { failures = [], topic } = load.options
  expect(failures).toEqual(expect.arrayContaining([...load.failures]))
  expect(load.confirmed.length < load.total).toBe(failures.length > 0)
  await eventually(() => load.missing().length === 0, { timeoutMs: RECOVERY_MS, intervalMs: 100 })
  const { sent, failed } = load.notifier.stats()
  expect([sent, sent + failed]).toEqual([load.confirmed.length, load.total])
  if (SHOWS_FIGURES) console.log(topic, load.describe())
}
