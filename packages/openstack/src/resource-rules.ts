/** How to find what an event is about, for the event types that begin with `prefix`. */
export interface ResourceRule {
  /** The first segments of the event type, all of them whole. */
  readonly prefix: string
  readonly type: string
  /** Paths into the unwrapped payload, the best first. */
  readonly id: readonly (readonly string[])[]
  readonly name: readonly (readonly string[])[]
}

const rule = (prefix: string, type: string, id: string, name: string): ResourceRule => ({
  prefix,
  type,
  id: paths(id),
  name: paths(name),
})

/** `a.b c` is two paths. */
const paths = (text: string): readonly (readonly string[])[] =>
  text === '' ? [] : text.split(' ').map((path) => path.split('.'))

/**
 * What events are about where the general rule (see `resourceOf`) does not tell. Of several prefixes that fit the
 * longest counts.
 *
 * @source the payloads that each service's own code builds; see the catalogue's `sources`
 */
export const RESOURCE_RULES: readonly ResourceRule[] = [
  // nova, legacy and versioned
  rule('compute.instance', 'instance', 'instance_id', 'display_name'),
  rule('compute.exception', 'exception', '', 'exception'),
  rule('compute.libvirt', 'host', '', 'ip'),
  rule('compute.metrics', 'host', 'host nodename', 'host'),
  rule('compute_task', 'instance', 'instance_id instance_uuid request_spec.instance_uuid', 'display_name'),
  rule(
    'scheduler.select_destinations',
    'instance',
    'instance_id instance_uuid request_spec.instance_uuid request_spec.instance_properties.uuid',
    'request_spec.instance_properties.display_name',
  ),
  rule('instance', 'instance', 'uuid', 'display_name'),
  rule('keypair', 'keypair', 'key_name name', 'key_name name'),
  rule('aggregate', 'aggregate', 'uuid aggregate_id id', 'name'),
  rule('servergroup', 'server_group', 'server_group_id', 'name'),
  rule('server_group', 'server_group', 'uuid', 'name'),
  rule('flavor', 'flavor', 'flavorid flavor.id', 'name flavor.name'),
  rule('HostAPI', 'host', 'host_name', 'host_name'),
  rule('libvirt', 'host', '', 'ip'),
  rule('metrics', 'host', 'host', 'host'),
  rule('network.floating_ip', 'floatingip', 'floating_ip', 'floating_ip'),
  rule('volume.usage', 'volume', 'volume_id', ''),
  rule('service', 'service', 'uuid id', 'name binary'),
  // neutron
  rule('router.interface', 'router', 'router_interface.id', ''),
  rule('tag', 'tag', 'obj_resource_id', ''),
  rule('dhcp_agent.network', 'network', 'agent.network_id', ''),
  rule('l3_agent.router', 'router', 'agent.router_id', ''),
  rule('l3.meter', 'metering_label', 'label_id resource_id', 'label_name'),
  // keystone: the target of an assignment or of a login is a random id, made for the event
  rule('identity.role_assignment', 'role_assignment', '', ''),
  rule(
    'identity.authenticate',
    'user',
    'initiator.user_id initiator.id',
    'initiator.username initiator.name',
  ),
  rule('identity', '', 'resource_info target.id', 'target.name'),
  // glance
  rule('image', 'image', 'id image_id', 'name'),
  rule('image_volume_cache', 'image', 'image_id', ''),
  rule('metadef_namespace', 'metadef_namespace', 'namespace', 'namespace'),
  rule('metadef_tag', 'metadef_tag', 'name', 'name'),
  // cinder
  rule('scheduler', '', 'volume_id snapshot_id share_id instance_id', ''),
  rule('capacity', '', 'name_to_id', 'name_to_id'),
  rule('groups', 'group', 'id', ''),
  rule('groupsnapshots', 'group_snapshot', 'id', ''),
  rule('volume_type_project', 'volume_type', 'volume_type_id', ''),
  // heat
  rule('orchestration', 'stack', 'stack_identity', 'stack_name'),
  // ironic
  rule('baremetal', '', 'uuid', 'name address'),
  rule('hardware', 'node', 'node_uuid', 'node_name'),
  // octavia: the provider driver's dictionary, or the shape of the API
  rule('octavia.loadbalancer', 'loadbalancer', 'loadbalancer_id id', 'name'),
  // designate; the old alias of a zone is a domain
  rule('dns.domain', 'zone', 'id zone_id', 'name zone_name'),
  rule('dns.recordset', 'recordset', 'id recordset_id', 'name recordset_name'),
  rule('dns.api', 'api', '', ''),
  rule('dns', '', 'id zone_id', 'name zone_name'),
  // manila, magnum, trove, watcher, masakari, blazar, aodh, sahara
  rule('share', 'share', 'share_id', 'name'),
  rule('magnum.cluster', 'cluster', 'target.id', 'target.name'),
  rule('trove.instance', 'instance', 'instance_id', 'instance_name name'),
  rule('dbaas', '', 'instance_id cluster_id backup_id configuration_id id', 'name'),
  rule('dbaas.quota', 'quota', 'resource', 'resource'),
  rule('notification', 'notification', 'notification_uuid', ''),
  rule('alarm', 'alarm', 'alarm_id', 'detail.name'),
  rule('sahara.cluster', 'cluster', 'cluster_id', 'cluster_name'),
  // the audit filter of any API, and swift's
  rule('audit.http', '', 'target.id', 'target.name'),
  rule(
    'objectstore.http',
    'object',
    'target.metadata.object target.metadata.container target.id',
    'target.metadata.object target.metadata.container',
  ),
]
