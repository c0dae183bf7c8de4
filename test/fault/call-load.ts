import { createDeferred, isHermodError, RemoteError, sleep, type Deferred } from '@hermod/kernel'
import { createRpcClient, RemoteException, type RpcClient, type Transport } from '@hermod/messaging'
import { eventually } from '@hermod/testkit'
import { expect, onTestFailed } from 'vitest'
import { FAULT_MESSAGES, SHOWS_FIGURES } from './fault-settings.ts'

/** A twentieth of the messages of other loads: each call is two, and those that a fault swallows wait for their time-out. */
const CALLS = Math.ceil(FAULT_MESSAGES / 20)
const AT_A_TIME = 32
const TIMEOUT_MS = 2_000
const RECOVERY_MS = 30_000

/** Methods to be called under faults, and how often each call ran. */
export class CountingEndpoint {
  readonly #runs = new Map<number, number>()

  async work({ id }: { id: number }): Promise<number> {
    this.#runs.set(id, this.ran(id) + 1)
    await sleep(id % 4)
    if (isRefused(id)) throw new RemoteException('ValueError', `not ${id}`)
    return id
  }

  ran(id: number): number {
    return this.#runs.get(id) ?? 0
  }
}

/** Some of them end in an error of the method. */
function isRefused(id: number): boolean {
  return id % 10 === 9
}

/** How a {@link CallLoad} is made. */
export interface CallLoadOptions {
  readonly topic: string
  /** How often a call ran, by id, on all servers together. */
  readonly ran: (id: number) => number
  /** Whether servers refuse some ids, as {@link CountingEndpoint} does. */
  readonly refuses?: boolean | undefined
}

/** Calls, many at a time and one after the other, through whatever is done to broker, connections and servers. */
export class CallLoad {
  readonly client: RpcClient
  readonly total: number = CALLS
  readonly options: CallLoadOptions
  /** How each call ended, by its id: `result`, the code of its error, or what should not be. */
  readonly outcomes: Map<number, string> = new Map()
  readonly #waits: { readonly ended: number; readonly reached: Deferred<void> }[] = []
  /** Resolves when every call has ended. */
  readonly ended: Promise<unknown>
  #next = 0

  constructor(transport: Transport, options: CallLoadOptions) {
    this.options = options
    this.client = createRpcClient(transport, { topic: options.topic })
    onTestFailed(() => console.error(options.topic, this.counts()))
    this.ended = Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        while (this.#next < this.total) await this.#call(this.#next++)
      }),
    )
  }

  /** Resolves once this share of all calls has ended. */
  async reaches(share: number): Promise<void> {
    const ended = Math.ceil(share * this.total)
    if (this.outcomes.size >= ended) return
    const reached = createDeferred<void>()
    this.#waits.push({ ended, reached })
    await reached.promise
  }

  /** How many ended how. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const outcome of this.outcomes.values()) counts[outcome] = (counts[outcome] ?? 0) + 1
    return counts
  }

  /** The fault is over: calls get their results again. */
  async goesOn(): Promise<void> {
    await eventually(async () => (await this.#call(this.total + this.outcomes.size)) === 'result', {
      timeoutMs: RECOVERY_MS,
    })
  }

  async #call(id: number): Promise<string> {
    const outcome = await this.client.call('work', { id }, { timeoutMs: TIMEOUT_MS }).then(
      (result) =>
        result === id && !this.#isRefused(id) ? 'result' : `a wrong result: ${JSON.stringify(result)}`,
      (error: unknown) => this.#failureOf(id, error),
    )
    this.outcomes.set(id, outcome)
    for (const wait of this.#waits) if (wait.ended === this.outcomes.size) wait.reached.resolve()
    return outcome
  }

  #isRefused(id: number): boolean {
    return this.options.refuses === true && isRefused(id)
  }

  #failureOf(id: number, error: unknown): string {
    if (!(error instanceof RemoteError)) return isHermodError(error) ? error.code : String(error)
    const { failure } = error
    const isIts = this.#isRefused(id) && failure.class === 'ValueError' && failure.message === `not ${id}`
    return isIts ? 'E_REMOTE' : `a wrong failure: ${failure.message}`
  }
}

/**
 * Waits for all calls, and holds them against what no fault may change: each ends in its result, in the error of its
 * method or in a time-out, none runs twice, and one with an outcome of its method ran once.
 */
export async function expectCallInvariants(load: CallLoad): Promise<void> {
  await load.ended
  await load.goesOn()
  const { result = 0, E_REMOTE: refused = 0, E_TIMEOUT: late = 0, ...others } = load.counts()
  expect(others).toEqual({})
  expect(result).toBeGreaterThan(load.total / 4)
  const { ran, refuses, topic } = load.options
  expect(refused > 0).toBe(refuses === true)
  const ends = [...load.outcomes]
  expect(ends.filter(([id]) => ran(id) > 1)).toEqual([])
  expect(ends.filter(([id, outcome]) => outcome !== 'E_TIMEOUT' && ran(id) !== 1)).toEqual([])
  expect(load.client.stats()).toMatchObject({ inFlight: 0, timedOut: late, remoteErrors: refused })
  if (SHOWS_FIGURES) console.log(topic, load.counts())
}
