import type { JsonObject } from '@hermod/kernel'
import type { Instance } from './cloud.ts'
import { secondsWithZ } from './times.ts'

/** What neutron's events of an instance's port say of it. */
export function portFacts(
  instance: Instance,
  now: Date,
  { securityGroup, bound }: { readonly securityGroup: string; readonly bound: boolean },
): JsonObject {
  const { port, project } = instance
  return {
    id: port.id,
    name: `${instance.name}-port`,
    network_id: port.network.id,
    tenant_id: project.id,
    project_id: project.id,
    mac_address: port.mac,
    status: bound ? 'ACTIVE' : 'DOWN',
    device_id: instance.id,
    device_owner: 'compute:nova',
    fixed_ips: [{ subnet_id: port.network.subnetId, ip_address: port.address }],
    security_groups: [securityGroup],
    'binding:host_id': bound ? instance.host : '',
    'binding:vif_type': bound ? 'ovs' : 'unbound',
    created_at: secondsWithZ(port.createdAt),
    updated_at: secondsWithZ(now),
    revision_number: bound ? 4 : 1,
  }
}
