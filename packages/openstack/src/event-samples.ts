import { readFileSync } from 'node:fs'
import type { JsonObject, JsonValue } from '@hermod/kernel'
import { readEnvelope, readNotification, type Priority } from '@hermod/messaging'
import { maskSecrets } from './mask-secrets.ts'

/** A notification as a real service sent it, with secrets masked. */
export interface EventSample {
  readonly eventType: string
  readonly exchange: string
  readonly priority: Priority
  readonly publisherId: string | null
  readonly payload: JsonValue
  readonly context: JsonObject
}

/** A line of the data: one message as it was on the wire. */
interface SampleLine {
  readonly exchange: string
  readonly body: string
}

let samples: ReadonlyMap<string, EventSample> | undefined

/**
 * A notification of this type as keystone, neutron or nova of the Zed release sent it; undefined for a type of which
 * there is none. The samples are read at the first call and kept.
 */
export function eventSample(eventType: string): EventSample | undefined {
  samples ??= readSamples()
  return samples.get(eventType)
}

/** The types of which there is an {@link eventSample}, sorted. */
export function sampledEventTypes(): readonly string[] {
  samples ??= readSamples()
  return [...samples.keys()].toSorted()
}

function readSamples(): ReadonlyMap<string, EventSample> {
  const text = readFileSync(new URL('../data/notifications.ndjson', import.meta.url), 'utf8')
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => sampleOf(JSON.parse(line) as SampleLine))
      .map((sample) => [sample.eventType, sample]),
  )
}

function sampleOf({ exchange, body }: SampleLine): EventSample {
  const { eventType, priority, publisherId, payload, context } = readNotification(readEnvelope(body).message)
  return {
    eventType,
    exchange,
    // These notifiers write their priorities in upper case, and no others than there are.
    priority: priority.toLowerCase() as Priority,
    publisherId,
    payload: maskSecrets(payload).value,
    context: maskSecrets(context).value,
  }
}
