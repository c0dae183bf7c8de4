import { randomInt } from 'node:crypto'
import type { TestOptions } from 'vitest'

/** How many messages each load has: `HERMOD_FAULT_MESSAGES`. */
export const FAULT_MESSAGES: number = setting('HERMOD_FAULT_MESSAGES', 20_000)

/** Decides everything that the fault tests leave to chance: `HERMOD_FAULT_SEED`. */
export const FAULT_SEED: number = setting('HERMOD_FAULT_SEED', randomInt(2 ** 32))

/** How many messages go through the process whose memory is looked at: `HERMOD_FAULT_RSS_MESSAGES`. */
export const RSS_MESSAGES: number = setting('HERMOD_FAULT_RSS_MESSAGES', 200_000)

/** How often each test runs: `HERMOD_FAULT_ROUNDS`. */
export const FAULT_ROUNDS: number = setting('HERMOD_FAULT_ROUNDS', 1)

/** For each suite of faults: room for the load, and the rounds. */
export const FAULT_SUITE: TestOptions = {
  timeout: 120_000 + 10 * Math.max(FAULT_MESSAGES, RSS_MESSAGES / 5),
  repeats: FAULT_ROUNDS - 1,
}

/** Whether figures are to be shown: in runs by hand, which say how much they want. */
export const SHOWS_FIGURES: boolean = process.env['HERMOD_FAULT_MESSAGES'] !== undefined

function setting(name: string, otherwise: number): number {
  const text = process.env[name] ?? ''
  if (text === '') return otherwise
  if (!/^[1-9]\d*$/.test(text)) throw new TypeError(`${name} is '${text}'; it is a whole number from 1 on`)
  return Number(text)
}
