import type { JsonObject } from '@hermod/kernel'
import type { Account } from './cloud.ts'
import { microseconds } from './times.ts'

/** One request to an API of the cloud: everything that it sets off carries its id. */
export interface Request {
  readonly id: string
  /** The request that this one is a part of, at another service. */
  readonly globalId: string | null
  readonly user: Account
  readonly project: Account
}

/** What of a service's context says who asked, and when. */
export function contextFacts({ id, globalId, user, project }: Request, now: Date): JsonObject {
  return {
    user: user.id,
    user_id: user.id,
    user_name: user.name,
    project: project.id,
    project_id: project.id,
    tenant_id: project.id,
    project_name: project.name,
    tenant_name: project.name,
    user_identity: `${user.id} ${project.id} - default default`,
    user_domain: 'default',
    project_domain: 'default',
    is_admin: false,
    roles: ['member', 'reader'],
    request_id: id,
    global_request_id: globalId,
    timestamp: microseconds(now),
  }
}
