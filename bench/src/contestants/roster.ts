import type { Contestant } from './contestant.ts'

/** One row of the tables. */
export interface RosterEntry {
  readonly name: string
  /** The npm package whose version is reported. */
  readonly package: string
  /** Loads the library; each is loaded only in the process that measures it. */
  load(): Promise<{ readonly contestant: Contestant }>
}

/** Who takes part. The first is ours; the rest are what it is compared with. */
export const ROSTER: readonly RosterEntry[] = [
  { name: 'hermod', package: '@hermod/amqp', load: () => import('./hermod.ts') },
  { name: 'amqplib', package: 'amqplib', load: () => import('./amqplib.ts') },
  { name: 'rabbitmq-client', package: 'rabbitmq-client', load: () => import('./rabbitmq-client.ts') },
  { name: 'cloudamqp', package: '@cloudamqp/amqp-client', load: () => import('./cloudamqp.ts') },
]
