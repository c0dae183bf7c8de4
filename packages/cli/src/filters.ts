import type { NotificationEvent } from '@hermod/openstack'

/** What an event must be to be shown; an empty list asks for nothing. */
export interface FilterRequest {
  readonly matchesType: (type: string) => boolean
  readonly services: readonly string[]
  readonly priorities: readonly string[]
}

/** Whether an event is shown. Services compare without case; ironic's `warning` is `warn`. */
export function createFilter(request: FilterRequest): (event: NotificationEvent) => boolean {
  const services = new Set(request.services.map((service) => service.toLowerCase()))
  const priorities = new Set(request.priorities)
  return (event) =>
    request.matchesType(event.type) &&
    (services.size === 0 || services.has(event.service.toLowerCase())) &&
    (priorities.size === 0 || priorities.has(event.priority === 'warning' ? 'warn' : event.priority))
}
