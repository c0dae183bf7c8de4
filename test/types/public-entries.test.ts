import type * as amqp from '@hermod/amqp'
import type * as wire from '@hermod/amqp/wire'
import type * as cli from '@hermod/cli'
import type * as driverMemory from '@hermod/driver-memory'
import type * as driverRabbit from '@hermod/driver-rabbit'
import type * as events from '@hermod/events'
import type * as kernel from '@hermod/kernel'
import type * as messaging from '@hermod/messaging'
import type * as openstack from '@hermod/openstack'
import type * as otel from '@hermod/otel'
import type * as testkit from '@hermod/testkit'
import type * as testBroker from '@hermod/testkit/test-broker'
import type * as hermod from 'hermod'
import { describe, expectTypeOf, it } from 'vitest'

type IsAny<T> = 0 extends 1 & T ? true : false
type Name<T> = T extends symbol ? 'a symbol' : T & (string | number)

/** The arguments and the result of a function that are `any`. */
type AnyInCall<A extends readonly unknown[], R, Path extends string> =
  | { [I in keyof A]-?: IsAny<A[I]> extends true ? `${Path}: an argument` : never }[number]
  | (IsAny<R> extends true
      ? `${Path}: the result`
      : IsAny<Awaited<R>> extends true
        ? `${Path}: what it resolves with`
        : never)

/** The members of an object that are `any`, or functions that take or give it. */
type AnyInMembers<T, Path extends string> = {
  [K in keyof T]-?: IsAny<T[K]> extends true
    ? `${Path}.${Name<K>}`
    : T[K] extends (...args: infer A extends readonly unknown[]) => infer R
      ? AnyInCall<A, R, `${Path}.${Name<K>}`>
      : never
}[keyof T]

/** The exports of an entry point through which `any` leaks: themselves, their calls, members of their instances. */
type Leaks<Entry> = {
  [K in keyof Entry & string]: IsAny<Entry[K]> extends true
    ? K
    : Entry[K] extends (...args: infer A extends readonly unknown[]) => infer R
      ? AnyInCall<A, R, K>
      : Entry[K] extends abstract new (...args: infer A extends readonly unknown[]) => infer Instance
        ? AnyInCall<A, Instance, K> | AnyInMembers<Instance, K>
        : Entry[K] extends { readonly prototype: infer Instance }
          ? AnyInMembers<Instance, K>
          : never
}[keyof Entry & string]

describe('the public entry points', () => {
  it('leak no any', () => {
    expectTypeOf<Leaks<typeof amqp>>().toBeNever()
    expectTypeOf<Leaks<typeof cli>>().toBeNever()
    expectTypeOf<Leaks<typeof driverMemory>>().toBeNever()
    expectTypeOf<Leaks<typeof driverRabbit>>().toBeNever()
    expectTypeOf<Leaks<typeof events>>().toBeNever()
    expectTypeOf<Leaks<typeof kernel>>().toBeNever()
    expectTypeOf<Leaks<typeof messaging>>().toBeNever()
    expectTypeOf<Leaks<typeof openstack>>().toBeNever()
    expectTypeOf<Leaks<typeof otel>>().toBeNever()
    expectTypeOf<Leaks<typeof testBroker>>().toBeNever()
    expectTypeOf<Leaks<typeof testkit>>().toBeNever()
    expectTypeOf<Leaks<typeof wire>>().toBeNever()
  })

  it('would show one that did', () => {
    interface Leaky {
      readonly parse: (text: string) => Promise<ReturnType<typeof JSON.parse>>
      readonly Box: { readonly prototype: { readonly content: ReturnType<typeof JSON.parse> } }
      readonly sound: (text: string) => unknown
    }
    expectTypeOf<Leaks<Leaky>>().toEqualTypeOf<'parse: what it resolves with' | 'Box.content'>()
  })

  it('are all in hermod, none hidden by another of the same name', () => {
    type Library =
      | keyof typeof amqp
      | keyof typeof driverMemory
      | keyof typeof driverRabbit
      | keyof typeof events
      | keyof typeof kernel
      | keyof typeof messaging
      | keyof typeof openstack
    expectTypeOf<Exclude<Library, keyof typeof hermod>>().toBeNever()
    expectTypeOf<Exclude<keyof typeof hermod, Library>>().toBeNever()
  })
})
