import type { Instance } from '../cloud.ts'
import { portFacts } from '../port-facts.ts'
import type { Request } from '../request.ts'
import type { Stage } from '../stage.ts'
import type { Telling } from '../story.ts'

/** Nova asks neutron for the port of an instance. */
export function* createPort(stage: Stage, instance: Instance, boot: Request): Telling {
  const { port } = instance
  const request = stage.request(boot.user, boot.project, boot)
  const start = { port: { network_id: port.network.id, name: `${instance.name}-port` } }
  yield stage.event('port.create.start', stage.cloud.controller, request, start)
  yield stage.event('port.create.end', stage.cloud.controller, request, {
    port: portFacts(instance, stage.now(), { securityGroup: groupOf(stage, instance), bound: false }),
  })
}

/** Nova tells neutron where the instance is: the port is wired there. */
export function* bindPort(stage: Stage, instance: Instance, boot: Request): Telling {
  const { port } = instance
  const request = stage.request(boot.user, boot.project, boot)
  yield stage.event('port.update.start', stage.cloud.controller, request, {
    port: { name: `${instance.name}-port`, 'binding:host_id': instance.host },
    id: port.id,
  })
  yield stage.event('port.update.end', stage.cloud.controller, request, {
    port: portFacts(instance, stage.now(), { securityGroup: groupOf(stage, instance), bound: true }),
  })
}

/** Nova gives the port back. */
export function* deletePort(stage: Stage, instance: Instance, ending: Request): Telling {
  const { port } = instance
  const request = stage.request(ending.user, ending.project, ending)
  yield stage.event('port.delete.start', stage.cloud.controller, request, { port_id: port.id })
  yield stage.event('port.delete.end', stage.cloud.controller, request, {
    port: {
      ...portFacts(instance, stage.now(), { securityGroup: groupOf(stage, instance), bound: true }),
      standard_attr_id: stage.random.integer(100, 999),
    },
    port_id: port.id,
  })
}

function groupOf({ cloud }: Stage, { project }: Instance): string {
  return cloud.securityGroups.get(project) as string
}
