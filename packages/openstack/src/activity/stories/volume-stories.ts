import type { JsonObject } from '@hermod/kernel'
import type { ActivityEvent } from '../activity-event.ts'
import type { Instance, Volume } from '../cloud.ts'
import { fillIn } from '../fill-in.ts'
import { contextFacts, type Request } from '../request.ts'
import { sampleOf, type Stage } from '../stage.ts'
import type { Story, Telling } from '../story.ts'
import { isoWithOffset } from '../times.ts'

const MOST_VOLUMES = 15
const FEW_VOLUMES = 3

/** Somebody creates a volume and attaches it to an instance, where there is one at hand. */
export const volumeStory: Story = {
  name: 'volume',
  weight: ({ volumes }) => (volumes.length < MOST_VOLUMES ? 3 : 0),
  *tell(stage) {
    const { cloud, random } = stage
    const project = random.pick(cloud.projects)
    const volume = cloud.newVolume(project, stage.now())
    const request = stage.request(volume.owner, project)
    yield volumeEvent(stage, 'volume.create.start', request, volume, 'creating')
    volume.launchedAt = stage.now()
    yield volumeEvent(stage, 'volume.create.end', request, volume, 'available')
    yield* attach(stage, volume)
    cloud.volumes.push(volume)
  },
}

/** Somebody takes a volume from its instance, and deletes it. */
export const deleteVolumeStory: Story = {
  name: 'delete a volume',
  weight: ({ volumes }) => (volumes.length > FEW_VOLUMES ? volumes.length / 4 : 0),
  *tell(stage) {
    const { volumes } = stage.cloud
    const [volume] = volumes.splice(stage.random.integer(0, volumes.length - 1), 1)
    if (volume === undefined) return
    if (volume.attachment !== undefined) {
      const detaching = stage.request(volume.owner, volume.project)
      yield volumeEvent(stage, 'volume.detach.start', detaching, volume, 'detaching')
      volume.attachment = undefined
      yield volumeEvent(stage, 'volume.detach.end', detaching, volume, 'available')
    }
    const request = stage.request(volume.owner, volume.project)
    yield volumeEvent(stage, 'volume.delete.start', request, volume, 'deleting')
    yield volumeEvent(stage, 'volume.delete.end', request, volume, 'deleting')
  },
}

/** To an instance of the same project, where one is at hand. */
function* attach(stage: Stage, volume: Volume): Telling {
  const { cloud } = stage
  const instance = cloud.claim(cloud.instances.filter(({ project }) => project === volume.project))
  if (instance === undefined) return
  try {
    const request = stage.request(volume.owner, volume.project)
    yield volumeEvent(stage, 'volume.attach.start', request, volume, 'attaching')
    volume.attachment = attachment(stage, volume, instance)
    yield volumeEvent(stage, 'volume.attach.end', request, volume, 'in-use')
  } finally {
    cloud.release(instance)
  }
}

/** No storage has room for a volume. @source cinder/scheduler/manager.py _set_volume_state_and_notify */
export const noStorageStory: Story = {
  name: 'volume without storage',
  weight: () => 0.5,
  *tell(stage) {
    const { cloud, random } = stage
    const project = random.pick(cloud.projects)
    const volume = cloud.newVolume(project, stage.now())
    const request = stage.request(volume.owner, project)
    const properties: JsonObject = {
      size: volume.sizeGb * 1000,
      display_name: volume.name,
      volume_type_id: volume.typeId,
      availability_zone: 'nova',
      status: 'creating',
    }
    yield cinderEvent(stage, 'scheduler.create_volume', `scheduler.${cloud.controller}`, request, {
      request_spec: { volume_id: volume.id, volume_properties: properties },
      volume_properties: properties,
      volume_id: volume.id,
      state: 'error',
      method: 'create_volume',
      reason: 'No valid backend was found. No weighed backends available',
    })
  },
}

/** @source cinder/volume/volume_utils.py _usage_from_volume */
function volumeEvent(
  stage: Stage,
  eventType: string,
  request: Request,
  volume: Volume,
  status: string,
): ActivityEvent {
  return cinderEvent(stage, eventType, `volume.${stage.cloud.storageHost}`, request, {
    tenant_id: volume.project.id,
    host: volume.host,
    user_id: volume.owner.id,
    availability_zone: 'nova',
    volume_id: volume.id,
    volume_type: volume.typeId,
    display_name: volume.name,
    launched_at: isoWithOffset(volume.launchedAt ?? stage.now()),
    created_at: isoWithOffset(volume.createdAt),
    status,
    snapshot_id: null,
    size: volume.sizeGb,
    replication_status: null,
    replication_extended_status: null,
    replication_driver_data: null,
    metadata: [],
    volume_attachment: volume.attachment === undefined ? [] : [volume.attachment],
  })
}

/** Cinder's context is the one of oslo.context with nova's additions. */
function cinderEvent(
  stage: Stage,
  eventType: string,
  publisherId: string,
  request: Request,
  payload: JsonObject,
): ActivityEvent {
  const { context } = sampleOf('compute.instance.create.start')
  return {
    exchange: 'cinder',
    publisherId,
    priority: payload['state'] === 'error' ? 'error' : 'info',
    eventType,
    payload,
    context: fillIn(context, contextFacts(request, stage.now())),
  }
}

function attachment({ random, now }: Stage, volume: Volume, instance: Instance): JsonObject {
  return {
    id: random.uuid(),
    volume_id: volume.id,
    instance_uuid: instance.id,
    attached_host: instance.host,
    mountpoint: '/dev/vdb',
    attach_time: isoWithOffset(now()),
    detach_time: null,
    attach_status: 'attached',
    attach_mode: 'rw',
  }
}
