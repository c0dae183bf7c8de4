import { relative } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'

const ASKED = process.env['HERMOD_FUZZ_MS']
const SEED = process.env['HERMOD_FUZZ_SEED']
const PATH = process.env['HERMOD_FUZZ_PATH']

/** For all properties of one file together; HERMOD_FUZZ_MS=600000 searches for ten minutes. */
const BUDGET_MS = Number(ASKED ?? 6000)

/** For a test that searches, or that has work of its own beside. */
export const TIMEOUT_MS = BUDGET_MS + 114_000

/**
 * Ends a search between two cases. fast-check's own time limit breaks off the case that is under way, which goes on
 * beside whatever comes next, and fails a search whose first case takes longer than its time.
 */
const untilOver =
  <Ts>(budgetMs: number): fc.Plugin<Ts> =>
  () => {
    const endMs = performance.now() + budgetMs
    let looked = 0
    return {
      decorateRun:
        (run): typeof run =>
        (value) => {
          if (looked++ === 0 || performance.now() < endMs) return run(value)
          return new fc.PreconditionFailure(true)
        },
    }
  }

/**
 * Searches for a counterexample until this share of the file's time is over. A failure says how to see it again; a
 * search that was given its time says how many cases it looked at.
 */
export function search<Ts>(share: number): fc.Parameters<Ts> {
  return {
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    ...(PATH === undefined ? {} : { path: PATH, endOnFailure: true }),
    numRuns: 100_000_000,
    // One case is looked at however short the time is.
    plugins: [untilOver(PATH === undefined ? BUDGET_MS * share : Math.max(BUDGET_MS, 30_000))],
    reporter: (details) => {
      const { currentTestName = '', testPath = '' } = expect.getState()
      const { failed, numRuns, seed, counterexamplePath, errorInstance } = details
      if (ASKED !== undefined)
        console.log(`${currentTestName}: ${numRuns} cases, ${failed ? 'one failed' : 'none failed'}`)
      if (!failed) return
      const again =
        `HERMOD_FUZZ_SEED=${seed} HERMOD_FUZZ_PATH=${counterexamplePath ?? ''} ` +
        `npx vitest run --project fuzz ${relative('', testPath)}`
      const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
      const report = `${fc.defaultReportMessage(details)}\n\nOver: ${why}\nAgain: ${again}`
      // A long search is to say at once what it has found.
      if (ASKED !== undefined) console.log(report)
      throw new Error(report, { cause: errorInstance })
    },
  }
}
