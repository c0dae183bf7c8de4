import type { JsonObject } from '@hermod/kernel'
import type { Instance } from './cloud.ts'
import type { Request } from './request.ts'
import { microseconds } from './times.ts'

/** What the scheduler and the conductor say of an instance that is to be placed: no catalogue, no token. */
export function specFacts(instance: Instance, { id, user, project }: Request): JsonObject {
  const { flavor, image } = instance
  const createdAt = microseconds(instance.createdAt)
  const properties: JsonObject = {
    uuid: instance.id,
    project_id: project.id,
    user_id: user.id,
    root_gb: flavor.rootGb,
    memory_mb: flavor.memoryMb,
    vcpus: flavor.vcpus,
    pci_requests: {
      _obj_instance_uuid: instance.id,
      _context: {
        _user_id: user.id,
        _project_id: project.id,
        auth_token: null,
        user_name: user.name,
        project_name: project.name,
        is_admin: false,
        roles: ['member', 'reader'],
        request_id: id,
        remote_address: null,
        timestamp: createdAt,
        service_catalog: [],
      },
    },
  }
  return {
    request_spec: {
      image: {
        id: image.id,
        name: image.name,
        checksum: image.id.replaceAll('-', ''),
        owner: project.id,
        size: 629_145_600,
        disk_format: 'qcow2',
        created_at: createdAt,
        updated_at: createdAt,
      },
      instance_properties: properties,
      instance_type: {
        id: flavor.number,
        name: flavor.name,
        memory_mb: flavor.memoryMb,
        vcpus: flavor.vcpus,
        root_gb: flavor.rootGb,
        flavorid: flavor.id,
        created_at: createdAt,
      },
    },
    instance_properties: properties,
  }
}
