import type { JsonObject } from '@hermod/kernel'

/** A notification as it comes from the wire. */
export function aMessage(changes: JsonObject = {}): JsonObject {
  return {
    message_id: '99863dda-97f0-443a-a0c1-6ed317b7fd45',
    publisher_id: 'testpublisher',
    event_type: 'an_event.start',
    priority: 'INFO',
    payload: 'test message',
    timestamp: '2014-03-03 18:21:04.369234',
    ...changes,
  }
}
