import type { NotificationEvent } from '@hermod/openstack'
import { normalizeNotification } from '@hermod/openstack'

/** What a test wants to differ. */
export interface EventParts {
  readonly type?: string
  readonly exchange?: string
  readonly priority?: string
  readonly time?: string
  readonly publisher?: string
  readonly id?: string
  readonly name?: string
  readonly project?: string
  readonly request?: string
  readonly payload?: Readonly<Record<string, unknown>>
  /** Changes the text of the message, for what JSON.stringify cannot write. */
  readonly edit?: (json: string) => string
}

/** An event as it comes out of the normaliser, made from a notification as nova sends it. */
export function anEvent(parts: EventParts = {}): NotificationEvent {
  const {
    type = 'compute.instance.create.end',
    exchange = 'nova',
    priority = 'INFO',
    time = '2026-11-22 12:00:13.530000',
    publisher = 'compute.compute1',
    id = '178b0921-8f85-4257-88b6-2e743b5a975c',
    name = 'web-1',
    project = '6f70656e737461636b20342065766572',
    request = 'req-5b6c791d-5709-4f36-8fbe-c3e02869e35d',
    payload = {},
    edit = (json: string) => json,
  } = parts
  const message = {
    message_id: '5c9d1f6e-0a4e-4b3f-9d2b-6b0f3f6a7c11',
    publisher_id: publisher,
    event_type: type,
    priority,
    timestamp: time,
    payload: { instance_id: id, display_name: name, tenant_id: project, ...payload },
    _unique_id: 'ebffee62618e4c1d9f0c1b2a3d4e5f60',
    _context_request_id: request,
  }
  const body = { 'oslo.version': '2.0', 'oslo.message': edit(JSON.stringify(message)) }
  return normalizeNotification({
    body: Buffer.from(JSON.stringify(body)),
    contentType: 'application/json',
    exchange,
    routingKey: `notifications.${priority.toLowerCase()}`,
    queue: 'hermod.tap.0a1b2c3d',
    redelivered: false,
    receivedAt: new Date('2026-11-22T12:00:13.600Z'),
  })
}
