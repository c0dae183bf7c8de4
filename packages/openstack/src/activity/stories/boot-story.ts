import type { Instance } from '../cloud.ts'
import { instanceFacts } from '../instance-facts.ts'
import type { Request } from '../request.ts'
import { specFacts } from '../spec-facts.ts'
import type { Stage } from '../stage.ts'
import type { Story, Telling } from '../story.ts'
import { microseconds } from '../times.ts'
import { bindPort, createPort, deletePort } from './port-story.ts'

const MOST_INSTANCES = 20

/** Somebody boots an instance, and it comes up. */
export const bootStory: Story = {
  name: 'boot',
  weight: ({ instances }) => (instances.length < MOST_INSTANCES ? 6 : 0),
  *tell(stage) {
    const { instance, request } = ordered(stage)
    yield* placed(stage, instance, request)
    yield* createPort(stage, instance, request)
    yield* bindPort(stage, instance, request)
    instance.launchedAt = stage.now()
    const facts = instanceFacts(instance, { state: 'active' }, { message: 'Success' })
    yield stage.event('compute.instance.create.end', instance.host, request, facts)
    stage.cloud.instances.push(instance)
  },
}

/** No host has room for an instance. */
export const noHostStory: Story = {
  name: 'boot without a host',
  weight: () => 1,
  *tell(stage) {
    const { instance, request } = ordered(stage)
    const { controller } = stage.cloud
    const spec = specFacts(instance, request)
    yield stage.event('scheduler.select_destinations.start', controller, request, spec)
    yield stage.event('compute_task.build_instances', controller, request, {
      ...spec,
      instance_id: instance.id,
      state: 'error',
    })
  },
}

/** The hypervisor fails to start an instance, and nova clears up behind it. */
export const failedBootStory: Story = {
  name: 'boot that fails',
  weight: () => 1,
  *tell(stage) {
    const { instance, request } = ordered(stage)
    yield* placed(stage, instance, request)
    yield* createPort(stage, instance, request)
    yield failure(stage, instance, request)
    yield* deletePort(stage, instance, request)
  },
}

function ordered(stage: Stage): { readonly instance: Instance; readonly request: Request } {
  const { cloud, random } = stage
  const instance = cloud.newInstance(random.pick(cloud.projects), stage.now())
  return { instance, request: stage.request(instance.owner, instance.project) }
}

/** From the scheduler's search to the host's first word. */
function* placed(stage: Stage, instance: Instance, request: Request): Telling {
  const { controller } = stage.cloud
  const spec = specFacts(instance, request)
  yield stage.event('scheduler.select_destinations.start', controller, request, spec)
  yield stage.event('scheduler.select_destinations.end', controller, request, spec)
  const now = stage.now()
  const update = {
    old_state: 'building',
    old_task_state: 'scheduling',
    new_task_state: 'scheduling',
    audit_period_beginning: `${now.toISOString().slice(0, 13)}:00:00.000000`,
    audit_period_ending: microseconds(now),
  }
  const scheduling = { state: 'building', task: 'scheduling', placed: false }
  yield stage.event(
    'compute.instance.update',
    controller,
    request,
    instanceFacts(instance, scheduling, update),
  )
  const building = { state: 'building', placed: false }
  yield stage.event(
    'compute.instance.create.start',
    instance.host,
    request,
    instanceFacts(instance, building),
  )
}

const REASON = 'internal error: process exited while connecting to monitor'

/** @source nova/compute/utils.py notify_about_instance_usage: what is known of the instance, then the exception */
function failure(stage: Stage, instance: Instance, request: Request): ReturnType<Stage['event']> {
  const facts = instanceFacts(instance, { state: 'building', task: 'spawning', placed: true })
  const event = stage.event('compute.instance.create.start', instance.host, request, facts)
  const { image_name: _, ...payload } = event.payload as Record<string, typeof event.payload>
  const message = `Build of instance ${instance.id} aborted: ${REASON}`
  return {
    ...event,
    eventType: 'compute.instance.create.error',
    priority: 'error',
    payload: {
      ...payload,
      exception: { kwargs: { instance_uuid: instance.id, reason: REASON, code: 500 } },
      message,
      code: 500,
    },
  }
}
