import type { JsonObject } from '@hermod/kernel'
import type { Instance } from './cloud.ts'
import { microseconds, secondsWithOffset } from './times.ts'

/** The state of an instance, and what its service is doing with it. */
export interface InstanceMoment {
  readonly state: string
  readonly task?: string
  /** While it is on none, its events name no host. */
  readonly placed?: boolean
}

/** What nova's events of an instance say of it. @source nova/notifications/base.py info_from_instance */
export function instanceFacts(
  instance: Instance,
  { state, task = '', placed = true }: InstanceMoment,
  more: JsonObject = {},
): JsonObject {
  const { flavor, image, port, launchedAt } = instance
  const host = placed ? instance.host : null
  return {
    tenant_id: instance.project.id,
    user_id: instance.owner.id,
    instance_id: instance.id,
    display_name: instance.name,
    reservation_id: instance.reservationId,
    hostname: instance.name,
    instance_type: flavor.name,
    instance_type_id: flavor.number,
    instance_flavor_id: flavor.id,
    memory_mb: flavor.memoryMb,
    disk_gb: flavor.rootGb,
    vcpus: flavor.vcpus,
    root_gb: flavor.rootGb,
    ephemeral_gb: 0,
    host,
    node: host,
    created_at: secondsWithOffset(instance.createdAt),
    launched_at: launchedAt === undefined ? '' : microseconds(launchedAt),
    image_ref_url: `http://image.example/images/${image.id}`,
    image_name: image.name,
    image_meta: { disk_format: 'qcow2', base_image_ref: image.id },
    metadata: {},
    state,
    state_description: task,
    fixed_ips: [
      {
        address: port.address,
        type: 'fixed',
        version: 4,
        meta: {},
        floating_ips: [],
        label: port.network.name,
        vif_mac: port.mac,
      },
    ],
    ...more,
  }
}
