import { openTap, type Tap, type TapEnd, type TapStatus } from '@hermod/events'
import type { HermodError } from '@hermod/kernel'
import type { NotificationEvent } from '@hermod/openstack'
import { describe, expectTypeOf, it } from 'vitest'

describe('the types of @hermod/events', () => {
  it('make a tap an async iterable of events', () => {
    expectTypeOf(openTap).returns.resolves.toEqualTypeOf<Tap>()
    expectTypeOf<Tap>().toExtend<AsyncIterable<NotificationEvent>>()
    expectTypeOf<Tap>().toExtend<AsyncDisposable>()
    expectTypeOf<Tap['closed']>().resolves.toEqualTypeOf<TapEnd>()
  })

  it('hand events to handlers, which may be asynchronous', () => {
    expectTypeOf<Parameters<Tap['on']>[1]>().parameter(0).toEqualTypeOf<NotificationEvent>()
    expectTypeOf<Parameters<Tap['on']>[1]>().returns.toEqualTypeOf<void | Promise<void>>()
    expectTypeOf<Tap['on']>().returns.toEqualTypeOf<() => void>()
  })

  it('tell every loss apart by its type', () => {
    expectTypeOf<TapStatus['type']>().toEqualTypeOf<
      | 'connected'
      | 'bound'
      | 'disconnected'
      | 'reconnecting'
      | 'gap'
      | 'ring-dropped'
      | 'tap-full'
      | 'unreadable'
      | 'warning'
    >()
    expectTypeOf<Extract<TapStatus, { type: 'gap' }>['lengthMs']>().toBeNumber()
    expectTypeOf<Extract<TapStatus, { type: 'disconnected' }>['error']>().toEqualTypeOf<HermodError>()
  })
})
