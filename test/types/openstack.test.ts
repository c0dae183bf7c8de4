import type { JsonObject, JsonValue } from '@hermod/kernel'
import {
  eventToRecord,
  knownExchanges,
  loadCatalogue,
  maskSecrets,
  normalizeNotification,
  NotificationEvent,
  type EventRecord,
  type NormalizeOptions,
  type Phase,
  type RawNotification,
} from '@hermod/openstack'
import { describe, expectTypeOf, it } from 'vitest'

describe('the types of @hermod/openstack', () => {
  it('give an event with no any and no undefined', () => {
    expectTypeOf(normalizeNotification).toBeCallableWith({} as RawNotification)
    expectTypeOf(normalizeNotification).parameter(1).toEqualTypeOf<NormalizeOptions | undefined>()
    expectTypeOf(normalizeNotification).returns.toEqualTypeOf<NotificationEvent>()
    expectTypeOf<NotificationEvent['phase']>().toEqualTypeOf<Phase | null>()
    expectTypeOf<NotificationEvent['payload']>().toEqualTypeOf<JsonValue>()
    expectTypeOf<NotificationEvent['context']>().toEqualTypeOf<JsonObject>()
    expectTypeOf<NotificationEvent['envelope']>().toEqualTypeOf<'1.0' | '2.0'>()
    expectTypeOf<NotificationEvent['projectId']>().toEqualTypeOf<string | null>()
    expectTypeOf<NotificationEvent['resource']['id']>().toEqualTypeOf<string | null>()
  })

  it('give a record with snake_case names', () => {
    expectTypeOf(eventToRecord).returns.toEqualTypeOf<EventRecord>()
    expectTypeOf<EventRecord['v']>().toEqualTypeOf<1>()
    expectTypeOf<EventRecord['publisher']>().toEqualTypeOf<string | null>()
    expectTypeOf<EventRecord['transport']['routing_key']>().toEqualTypeOf<string>()
    expectTypeOf<NotificationEvent['toJSON']>().returns.toEqualTypeOf<EventRecord>()
    // @ts-expect-error camelCase names belong to the event
    expectTypeOf<EventRecord['projectId']>().toBeString()
  })

  it('make what is shared immutable', () => {
    expectTypeOf(knownExchanges).returns.toEqualTypeOf<readonly string[]>()
    expectTypeOf(loadCatalogue().services).not.toHaveProperty('push')
  })

  it('keep the type of what is masked', () => {
    expectTypeOf(maskSecrets<JsonObject>).returns.toEqualTypeOf<{
      readonly value: JsonObject
      readonly masked: number
    }>()
  })
})
