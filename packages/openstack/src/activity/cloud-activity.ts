import type { ActivityEvent } from './activity-event.ts'
import { Stage } from './stage.ts'
import { bootStory, failedBootStory, noHostStory } from './stories/boot-story.ts'
import {
  deleteStory,
  powerStory,
  rebootStory,
  resizeStory,
  snapshotStory,
} from './stories/instance-stories.ts'
import { failedLoginStory, loginStory } from './stories/login-stories.ts'
import { firewallStory, networkStory, routerStory } from './stories/network-stories.ts'
import { deleteVolumeStory, noStorageStory, volumeStory } from './stories/volume-stories.ts'
import type { Story, Telling } from './story.ts'

/** How the activity of a cloud is made up. */
export interface CloudActivityOptions {
  /** With the same seed the same things happen in the same order, under the same ids. A whole number. */
  readonly seed: number
  /** What times in events are taken from; by default the clock of this machine. */
  readonly now?: (() => Date) | undefined
}

/** These come first: what everybody knows of a cloud. */
const OPENING: readonly Story[] = [loginStory, bootStory]

const STORIES: readonly Story[] = [
  bootStory,
  noHostStory,
  failedBootStory,
  deleteStory,
  resizeStory,
  rebootStory,
  powerStory,
  snapshotStory,
  loginStory,
  failedLoginStory,
  networkStory,
  routerStory,
  firewallStory,
  volumeStory,
  deleteVolumeStory,
  noStorageStory,
]

/** So many stories go on at a time. */
const CONCURRENT = 3

/**
 * What happens in a small, made-up cloud, without end: logins, instances that come and go, networks, volumes, and a
 * failure now and then. Events of several stories mix; those of one come in order, with the ids of one request, one
 * instance, one project and one user. Types, payloads and contexts have the shapes in which Keystone, Neutron and Nova
 * of the Zed release sent them, Cinder's those of its code. There is no secret in any of them.
 *
 * An event is made when it is asked for, so that its times are of that moment; how fast is the caller's choice.
 */
export function* cloudActivity({
  seed,
  now = () => new Date(),
}: CloudActivityOptions): Generator<ActivityEvent, never> {
  const stage = new Stage(seed, now)
  const opening = [...OPENING]
  const running: Telling[] = []
  for (;;) {
    while (running.length < CONCURRENT) running.push(next(stage, opening).tell(stage))
    const telling = stage.random.pick(running)
    const step = telling.next()
    if (step.done === true) running.splice(running.indexOf(telling), 1)
    else yield step.value
  }
}

function next(stage: Stage, opening: Story[]): Story {
  return opening.shift() ?? stage.random.pickWeighted(STORIES, ({ weight }) => weight(stage.cloud))
}
