import type { StartupTimes } from '../startup.ts'
import { CEILING, type Standing } from '../tournament.ts'
import { bestLibraryRate, medianRate, OURS } from './standing-table.ts'

/** At least this many times the best library on the null broker, where the client alone is the limit. */
const RATIO_GOAL = 4
/** The null broker can do at least this many times what the fastest client does, or it would be the limit. */
const CEILING_GOAL = 2
/** What `hermod --version` may add to a bare Node process. */
const STARTUP_GOAL_MS = 60

/** The goals that these measurements can judge, each as one Markdown list item. */
export function judgeGoals(standings: readonly Standing[], startup: StartupTimes | undefined): string[] {
  const lines = standings.flatMap((standing) => {
    const ceiling = medianRate(standing, CEILING)
    if (ceiling === undefined) return []
    const ours = medianRate(standing, OURS)
    const best = bestLibraryRate(standing)
    const title = `${standing.broker}, ${standing.task}`
    const goals: string[] = []
    if (ours !== undefined && best > 0)
      goals.push(goal(`${title}: Hermod to the best library`, ours / best, RATIO_GOAL))
    const fastest = Math.max(ours ?? 0, best)
    if (fastest > 0)
      goals.push(
        goal(`${title}: the broker's ceiling to the fastest client`, ceiling / fastest, CEILING_GOAL),
      )
    return goals
  })
  if (startup !== undefined) {
    const addedMs = startup.hermodVersionMs - startup.bareNodeMs
    lines.push(
      `- \`hermod --version\` adds ${addedMs.toFixed(0)} ms to \`node -e 0\` (${startup.hermodVersionMs.toFixed(0)} ms and ` +
        `${startup.bareNodeMs.toFixed(0)} ms, best of 10; goal at most ${STARTUP_GOAL_MS} ms): ${addedMs <= STARTUP_GOAL_MS ? 'met' : '**missed**'}`,
    )
  }
  return lines
}

function goal(what: string, ratio: number, atLeast: number): string {
  return `- ${what}: ${ratio.toFixed(2)} × (goal at least ${atLeast} ×): ${ratio >= atLeast ? 'met' : '**missed**'}`
}
