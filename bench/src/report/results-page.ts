import { ROSTER } from '../contestants/roster.ts'
import type { StartupTimes } from '../startup.ts'
import { WINDOWS, type Standing } from '../tournament.ts'
import { judgeGoals } from './goals.ts'
import { describeMachine, packageVersion } from './machine.ts'
import { standingTable } from './standing-table.ts'

/** Everything that one run of the bench found. */
export interface Findings {
  readonly command: string
  readonly date: Date
  readonly rounds: number
  readonly standings: readonly Standing[]
  readonly startup?: StartupTimes
  /** What could not be measured, and why. */
  readonly leftOut: readonly string[]
}

/** The page that `RESULTS.md` holds. */
export function resultsPage(findings: Findings): string {
  const { standings, startup, rounds, leftOut } = findings
  const versions = ROSTER.map(({ name, package: id }) => `${name} ${packageVersion(id)}`).join(', ')
  const brokers = [...new Set(standings.map(({ broker }) => broker))].join('; ')
  const goals = judgeGoals(standings, startup)
  const sections = [
    '# Results',
    [
      `- Command: \`${findings.command}\``,
      `- Date: ${findings.date.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
      `- Machine: ${describeMachine()}`,
      `- Node ${process.version}; ${versions}`,
      `- Brokers: ${brokers === '' ? 'none' : brokers}`,
    ].join('\n'),
    `Cells are medians of ${rounds} rounds with the lowest and the highest in parentheses; the contestants take turns, ` +
      'and one round before these is dropped. The ratio is to the best library other than Hermod in the same table. ' +
      'How it is measured, and what it does not show: [README.md](README.md).',
    ...(goals.length > 0 ? ['## Goals', goals.join('\n')] : []),
    ...standings.flatMap((standing) => [heading(standing), standingTable(standing)]),
    ...(leftOut.length > 0 ? ['## Left out', leftOut.map((line) => `- ${line}`).join('\n')] : []),
  ]
  return `${sections.join('\n\n')}\n`
}

function heading({ broker, task, size }: Standing): string {
  const what =
    task === 'publish'
      ? `publish, each confirmed, ${WINDOWS.publish} in flight`
      : `consume and ack, prefetch ${WINDOWS.consume}`
  return `## ${broker}: ${what}\n\n${size.count.toLocaleString('en')} messages of ${size.bodySize} bytes a round.`
}
