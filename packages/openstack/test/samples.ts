import { readFileSync } from 'node:fs'
import type { RawNotification } from '../src/index.ts'

/** A line of the samples: a notification of a real service, as it was on the wire. */
interface Sample {
  readonly exchange: string
  readonly routing_key: string
  readonly properties: { readonly content_type: string }
  readonly body: string
}

const text = readFileSync(new URL('../data/notifications.ndjson', import.meta.url), 'utf8')

/** 110 notifications of Keystone, Neutron and Nova of the Zed release. */
export const samples: readonly Sample[] = text
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sample)

export const receivedAt = new Date('2026-11-22T08:00:00.000Z')

/** The sample as a delivery. */
export function rawSample(sample: Sample): RawNotification {
  return rawBody(sample.body, { exchange: sample.exchange, routingKey: sample.routing_key })
}

/** A delivery of this body. */
export function rawBody(body: string | Uint8Array, changes: Partial<RawNotification> = {}): RawNotification {
  return {
    body: typeof body === 'string' ? Buffer.from(body) : body,
    contentType: 'application/json',
    exchange: 'openstack',
    routingKey: 'notifications.info',
    queue: 'hermod.tap.test',
    redelivered: false,
    receivedAt,
    ...changes,
  }
}

/** A delivery of a notification with these members, in the 2.0 envelope. */
export function rawMessage(
  message: Readonly<Record<string, unknown>>,
  changes: Partial<RawNotification> = {},
): RawNotification {
  const whole = {
    message_id: '5b9bd0f5-6c3a-4cd4-9a1f-3c1f8ad1c0de',
    publisher_id: 'compute.host1',
    event_type: 'compute.instance.create.end',
    priority: 'INFO',
    payload: {},
    timestamp: '2026-05-13 12:53:00.123456',
    _unique_id: '4f1d2e3c5b6a79880011223344556677',
    ...message,
  }
  return rawBody(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(whole) }), changes)
}
