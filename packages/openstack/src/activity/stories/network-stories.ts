import type { Network } from '../cloud.ts'
import type { Story } from '../story.ts'
import { secondsWithZ } from '../times.ts'

const MANY_NETWORKS = 12
const PORTS = [22, 80, 443, 5432, 8080] as const

/** Somebody creates a network with a subnet. */
export const networkStory: Story = {
  name: 'network',
  weight: ({ networks }) => (networks.length < MANY_NETWORKS ? 2 : 0.5),
  *tell(stage) {
    const { cloud, random } = stage
    const { controller } = cloud
    const project = random.pick(cloud.projects)
    const network = cloud.newNetwork(project, stage.now())
    const user = random.pick(cloud.users)
    const first = stage.request(user, project)
    yield stage.event('network.create.start', controller, first, { network: { name: network.name } })
    yield stage.event('network.create.end', controller, first, {
      network: {
        ...ownership(network),
        id: network.id,
        name: network.name,
        'provider:segmentation_id': random.integer(100, 4000),
      },
    })
    const second = stage.request(user, project)
    const subnet = {
      network_id: network.id,
      cidr: `${network.prefix}.0/24`,
      name: network.name.replace('-net', '-subnet'),
    }
    yield stage.event('subnet.create.start', controller, second, { subnet })
    yield stage.event('subnet.create.end', controller, second, {
      subnet: {
        ...subnet,
        ...ownership(network),
        id: network.subnetId,
        gateway_ip: `${network.prefix}.1`,
        allocation_pools: [{ start: `${network.prefix}.2`, end: `${network.prefix}.254` }],
      },
    })
    cloud.networks.push(network)
  },
}

/** Somebody makes a router and joins a network to it. */
export const routerStory: Story = {
  name: 'router',
  weight: () => 1,
  *tell(stage) {
    const { cloud, random } = stage
    const { controller } = cloud
    const network = random.pick(cloud.networks)
    const user = random.pick(cloud.users)
    const id = random.uuid()
    const name = network.name.replace('-net', '-router')
    const first = stage.request(user, network.project)
    yield stage.event('router.create.start', controller, first, { router: { name } })
    const now = secondsWithZ(stage.now())
    yield stage.event('router.create.end', controller, first, {
      router: { ...ownership(network), id, name, created_at: now, updated_at: now },
    })
    yield stage.event('router.interface.create', controller, stage.request(user, network.project), {
      router_interface: {
        id,
        tenant_id: network.project.id,
        port_id: random.uuid(),
        network_id: network.id,
        subnet_id: network.subnetId,
        subnet_ids: [network.subnetId],
      },
    })
  },
}

/** Somebody lets traffic through to a port. */
export const firewallStory: Story = {
  name: 'security group rule',
  weight: () => 2,
  *tell(stage) {
    const { cloud, random } = stage
    const project = random.pick(cloud.projects)
    const request = stage.request(random.pick(cloud.users), project)
    const port = random.pick(PORTS)
    const rule = {
      security_group_id: cloud.securityGroups.get(project) as string,
      port_range_min: port,
      port_range_max: port,
    }
    yield stage.event('security_group_rule.create.start', cloud.controller, request, {
      security_group_rule: rule,
    })
    const now = secondsWithZ(stage.now())
    yield stage.event('security_group_rule.create.end', cloud.controller, request, {
      security_group_rule: {
        ...rule,
        id: random.uuid(),
        tenant_id: project.id,
        project_id: project.id,
        created_at: now,
        updated_at: now,
      },
    })
  },
}

function ownership({ project, createdAt }: Network): Record<string, string> {
  const time = secondsWithZ(createdAt)
  return { tenant_id: project.id, project_id: project.id, created_at: time, updated_at: time }
}
