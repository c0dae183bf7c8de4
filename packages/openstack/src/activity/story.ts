import type { ActivityEvent } from './activity-event.ts'
import type { Cloud } from './cloud.ts'
import type { Stage } from './stage.ts'

/** Events that belong together, one after the other. Time passes between them, and other stories go on. */
export type Telling = Generator<ActivityEvent, void>

/** A kind of story. */
export interface Story {
  readonly name: string
  /** How likely it begins next, against the others; 0 while the cloud has nothing to tell it of. */
  readonly weight: (cloud: Cloud) => number
  readonly tell: (stage: Stage) => Telling
}
