import type { RosterEntry } from '../contestants/roster.ts'
import { TASK_PLANS, type ClientFloor } from '../jobs/task.ts'
import type { StartupTimes } from '../startup.ts'
import { CEILING, type Standing } from '../tournament.ts'
import { judgeGoals } from './goals.ts'
import { versionsOf } from './library-versions.ts'
import { describeMachine } from './machine.ts'
import { standingTable } from './standing-table.ts'

/** Everything that one run of the bench found about one floor. */
export interface Findings {
  readonly floor: ClientFloor
  readonly command: string
  readonly date: Date
  readonly rounds: number
  readonly contestants: readonly RosterEntry[]
  readonly standings: readonly Standing[]
  readonly startup?: StartupTimes
  /** What could not be measured, and why. */
  readonly leftOut: readonly string[]
}

const TITLES: Readonly<Record<ClientFloor, string>> = {
  amqp: 'Results: the AMQP client',
  messaging: 'Results: remote calls and notifications',
}

/** The page of a floor. */
export function resultsPage(findings: Findings): string {
  const { standings, startup, rounds, leftOut } = findings
  // Whoever takes no part on this floor is not named.
  const entrants = findings.contestants.filter(({ name }) =>
    standings.some(({ samples }) => samples.has(name)),
  )
  const versions = entrants.map(versionsOf).join(', ')
  const brokers = [...new Set(standings.map(({ brokerTitle }) => brokerTitle))].join('; ')
  const goals = judgeGoals(standings, startup)
  const sections = [
    `# ${TITLES[findings.floor]}`,
    [
      `- Command: \`${findings.command}\``,
      `- Date: ${findings.date.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
      `- Machine: ${describeMachine()}`,
      `- Node ${process.version}; ${versions}`,
      `- Brokers: ${brokers === '' ? 'none' : brokers}`,
    ].join('\n'),
    `Cells are medians of ${rounds} rounds with the lowest and the highest in parentheses; the contestants take turns, ` +
      'and one round before these is dropped. The ratio is to the best library other than Hermod in the same table. ' +
      'How it is measured, and what it does not show: [README.md](../README.md).',
    ...(goals.length > 0 ? ['## Goals', goals.join('\n\n')] : []),
    ...standings.flatMap((standing) => [heading(standing), standingTable(standing)]),
    ...(leftOut.length > 0 ? ['## Left out', leftOut.map((line) => `- ${line}`).join('\n')] : []),
  ]
  return `${sections.join('\n\n')}\n`
}

function heading({ brokerTitle, task, bodySize, samples }: Standing): string {
  const { title, unit } = TASK_PLANS[task]
  const counts = [...samples].flatMap(([name, [sample]]) =>
    sample === undefined || name === CEILING ? [] : [{ name, count: sample.messages }],
  )
  const most = Math.max(...counts.map(({ count }) => count))
  const fewer = counts
    .filter(({ count }) => count < most)
    .map(({ name, count }) => `; ${name}: ${count.toLocaleString('en')}`)
    .join('')
  return `## ${brokerTitle}: ${title}\n\n${most.toLocaleString('en')} ${unit} of ${bodySize} bytes a round${fewer}.`
}
