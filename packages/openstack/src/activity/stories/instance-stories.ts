import { instanceFacts } from '../instance-facts.ts'
import type { Instance } from '../cloud.ts'
import type { Request } from '../request.ts'
import type { Stage } from '../stage.ts'
import type { Story, Telling } from '../story.ts'
import { microseconds, microsecondsAfterBlank } from '../times.ts'
import { deletePort } from './port-story.ts'

const FEW_INSTANCES = 4

/** Somebody gives an instance another flavor, and is content with it. */
export const resizeStory: Story = {
  name: 'resize',
  weight: whereFree(2),
  *tell(stage) {
    yield* withInstance(stage, function* (instance, request) {
      const flavor = stage.random.pick(stage.cloud.flavors.filter((one) => one !== instance.flavor))
      const say = teller(stage, instance, request)
      const now = stage.now()
      yield say('exists', 'active', 'resize_prep', {
        audit_period_beginning: `${now.toISOString().slice(0, 13).replace('T', ' ')}:00:00`,
        audit_period_ending: microsecondsAfterBlank(now),
      })
      yield say('resize.prep.start', 'active', 'resize_prep')
      const next = { new_instance_type: flavor.name, new_instance_type_id: flavor.number }
      yield say('resize.prep.end', 'active', 'resize_prep', next)
      yield say('resize.start', 'active', 'resize_migrating')
      yield say('resize.end', 'active', 'resize_migrated')
      instance.flavor = flavor
      yield say('finish_resize.start', 'active', 'resize_finish')
      instance.launchedAt = stage.now()
      yield say('finish_resize.end', 'resized')
      const confirm = teller(stage, instance, stage.request(request.user, request.project))
      yield confirm('resize.confirm.start', 'resized')
      yield confirm('resize.confirm.end', 'active')
    })
  },
}

/** Somebody reboots an instance. */
export const rebootStory: Story = {
  name: 'reboot',
  weight: whereFree(2),
  *tell(stage) {
    yield* withInstance(stage, function* (instance, request) {
      const say = teller(stage, instance, request)
      yield say('reboot.start', 'active', 'reboot_pending')
      yield say('reboot.end', 'active')
    })
  },
}

/** Somebody stops an instance, and starts it again. */
export const powerStory: Story = {
  name: 'stop and start',
  weight: whereFree(2),
  *tell(stage) {
    yield* withInstance(stage, function* (instance, request) {
      const stop = teller(stage, instance, request)
      yield stop('power_off.start', 'active', 'powering-off')
      yield stop('power_off.end', 'stopped')
      const start = teller(stage, instance, stage.request(request.user, request.project))
      yield start('power_on.start', 'stopped', 'powering-on')
      yield start('power_on.end', 'active')
    })
  },
}

/** Somebody takes a snapshot of an instance. */
export const snapshotStory: Story = {
  name: 'snapshot',
  weight: whereFree(1),
  *tell(stage) {
    yield* withInstance(stage, function* (instance, request) {
      const say = teller(stage, instance, request)
      yield say('snapshot.start', 'active', 'image_snapshot')
      yield say('snapshot.end', 'active')
    })
  },
}

/** Somebody deletes an instance; the more there are, the likelier. */
export const deleteStory: Story = {
  name: 'delete',
  weight: (cloud) => {
    const many = cloud.instances.length > FEW_INSTANCES && cloud.free(cloud.instances).length > 0
    return many ? 1 + cloud.instances.length / 4 : 0
  },
  *tell(stage) {
    yield* withInstance(stage, function* (instance, request) {
      const { instances } = stage.cloud
      instances.splice(instances.indexOf(instance), 1)
      const say = teller(stage, instance, request)
      yield say('delete.start', 'active', 'deleting')
      yield say('shutdown.start', 'active', 'deleting')
      yield* deletePort(stage, instance, request)
      yield say('shutdown.end', 'active', 'deleting')
      const now = microseconds(stage.now())
      yield say('delete.end', 'deleted', '', { terminated_at: now, deleted_at: `${now.slice(0, 19)}.000000` })
    })
  },
}

function whereFree(weight: number): Story['weight'] {
  return (cloud) => (cloud.free(cloud.instances).length > 0 ? weight : 0)
}

/** Takes an instance for a story, and gives it back behind that. Without a free one there is no story. */
function* withInstance(stage: Stage, tell: (instance: Instance, request: Request) => Telling): Telling {
  const { cloud } = stage
  const instance = cloud.claim(cloud.instances)
  if (instance === undefined) return
  try {
    yield* tell(instance, stage.request(instance.owner, instance.project))
  } finally {
    cloud.release(instance)
  }
}

/** What the host of an instance says of it within one request. */
function teller(stage: Stage, instance: Instance, request: Request) {
  return (what: string, state: string, task = '', more = {}): ReturnType<Stage['event']> =>
    stage.event(
      `compute.instance.${what}`,
      instance.host,
      request,
      instanceFacts(instance, { state, task }, more),
    )
}
