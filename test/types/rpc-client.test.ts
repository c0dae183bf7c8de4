import type { JsonValue } from '@hermod/kernel'
import {
  createRpcClient,
  createTransport,
  defineEndpoint,
  fake,
  RemoteErrorRegistry,
  type PayloadSerializer,
  type RpcCall,
  type RpcClient,
} from '@hermod/messaging'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

interface Volume {
  readonly id: string
  readonly sizeGb: number
  readonly createdAt: Date
  readonly host?: string
}

class VolumeApi {
  readonly target = undefined
  #volumes = 0
  /** A method with arguments and a promise of a result. */
  create({ sizeGb }: { sizeGb: number; name?: string }, call: RpcCall): Promise<Volume> {
    this.#volumes++
    return Promise.resolve({ id: `${call.method} ${this.#volumes}`, sizeGb, createdAt: new Date() })
  }
  ping(): string {
    return 'pong'
  }
  remove({ id }: { id: string }): void {
    this.#volumes -= Number(id !== '')
  }
  _internal(): number {
    return this.#volumes
  }
}

const calculator = defineEndpoint(
  {
    add: ({ a, b }: { a: number; b: number }) => a + b,
    big: () => 2n ** 70n,
    version: '1.0',
  },
  { namespace: 'calculator', version: '1.1' },
)

const transport = createTransport('fake://types', { drivers: [fake()] })

/** The types of calls alone: nothing is sent. */
const unsent = <T>(work: () => T): T => work as unknown as T

/** What the compiler is to look at. */
function compile(work: () => unknown): void {
  expectTypeOf(work).toBeFunction()
}

describe('the types of a client', () => {
  it('infer methods, arguments and results of a class', () => {
    const client = createRpcClient<VolumeApi>(transport, { topic: 'volumes' })
    expectTypeOf(unsent(() => client.call('create', { sizeGb: 1 }))).resolves.toEqualTypeOf<{
      readonly id: string
      readonly sizeGb: number
      readonly createdAt: string
      readonly host?: string | undefined
    }>()
    expectTypeOf(unsent(() => client.call('ping'))).resolves.toEqualTypeOf<string>()
    expectTypeOf(unsent(() => client.call('ping', {}, { timeoutMs: 1 }))).resolves.toEqualTypeOf<string>()
    expectTypeOf(unsent(() => client.call('remove', { id: 'v-1' }))).resolves.toEqualTypeOf<null>()
    expectTypeOf(unsent(() => client.cast('remove', { id: 'v-1' }))).resolves.toEqualTypeOf<void>()
    compile(() => [
      // @ts-expect-error -- it needs arguments
      client.call('create'),
      // @ts-expect-error -- of another type
      client.call('create', { sizeGb: '1' }),
      // @ts-expect-error -- and no others
      client.call('create', { sizeGb: 1, colour: 'red' }),
      // @ts-expect-error -- it takes none
      client.call('ping', { loud: true }),
      // @ts-expect-error -- servers refuse what begins with an underscore
      client.call('_internal'),
      // @ts-expect-error -- there is no such method
      client.cast('resize', {}),
      // @ts-expect-error -- it is no method
      client.call('target'),
    ])
  })

  it('infer those of a defined endpoint', () => {
    const client = createRpcClient<typeof calculator>(transport, { topic: 'calculator' })
    expectTypeOf(unsent(() => client.call('add', { a: 1, b: 2 }))).resolves.toEqualTypeOf<number>()
    expectTypeOf(unsent(() => client.call('big'))).resolves.toEqualTypeOf<bigint>()
    compile(() => [
      // @ts-expect-error -- it needs both
      client.call('add', { a: 1 }),
      // @ts-expect-error -- it is no method
      client.call('version'),
    ])
  })

  it('take the members of several endpoints', () => {
    const client = createRpcClient<typeof calculator | VolumeApi>(transport, { topic: 'all' })
    expectTypeOf(unsent(() => client.call('add', { a: 1, b: 2 }))).resolves.toEqualTypeOf<number>()
    expectTypeOf(unsent(() => client.call('ping'))).resolves.toEqualTypeOf<string>()
  })

  it('stay with a prepared client', () => {
    const client = createRpcClient<VolumeApi>(transport, { topic: 'volumes' })
    expectTypeOf(unsent(() => client.prepare({ server: 'a', timeoutMs: undefined }))).toEqualTypeOf(client)
    // @ts-expect-error -- a client has no legacy namespaces
    compile(() => client.prepare({ legacyNamespaces: [] }))
  })

  it('know of an unknown server that results are JSON', () => {
    const client = createRpcClient(transport, { topic: 'any' })
    expectTypeOf(client).toEqualTypeOf<RpcClient>()
    expectTypeOf(unsent(() => client.call('any.method', { a: [1] }))).resolves.toEqualTypeOf<JsonValue>()
    expectTypeOf(unsent(() => client.call('any.method'))).resolves.toEqualTypeOf<JsonValue>()
    // @ts-expect-error -- arguments have names
    compile(() => client.call('any.method', 7))
  })

  it('are those of schemas where the server is unknown', () => {
    const client = createRpcClient(
      transport,
      { topic: 'any' },
      {
        schemas: {
          zod: { args: z.object({ n: z.string().transform(Number) }), result: z.coerce.date() },
          valibot: { args: v.object({ n: v.number() }), result: v.object({ id: v.string() }) },
          arktype: { args: type({ n: 'number' }), result: type('number[]') },
          half: { result: z.number() },
        },
      },
    )
    expectTypeOf(unsent(() => client.call('zod', { n: '7' }))).resolves.toEqualTypeOf<Date>()
    expectTypeOf(unsent(() => client.call('valibot', { n: 7 }))).resolves.toEqualTypeOf<{ id: string }>()
    expectTypeOf(unsent(() => client.call('arktype', { n: 7 }))).resolves.toEqualTypeOf<number[]>()
    expectTypeOf(unsent(() => client.call('half', { any: 1 }))).resolves.toEqualTypeOf<number>()
    expectTypeOf(unsent(() => client.call('other'))).resolves.toEqualTypeOf<JsonValue>()
    compile(() => [
      // @ts-expect-error -- the schema takes a text
      client.call('zod', { n: 7 }),
      // @ts-expect-error -- it needs arguments
      client.cast('arktype'),
    ])
  })

  it('are those of the schemas of an endpoint', () => {
    const endpoint = defineEndpoint(
      { resize: ({ sizeGb }: { sizeGb: number }) => ({ sizeGb }) },
      {
        schemas: {
          resize: {
            args: z.object({ sizeGb: z.number().default(1) }),
            result: z.object({ sizeGb: z.number() }),
          },
        },
      },
    )
    const client = createRpcClient<typeof endpoint>(transport, { topic: 'sizes' })
    expectTypeOf(unsent(() => client.call('resize', {}))).resolves.toEqualTypeOf<{ sizeGb: number }>()
    expectTypeOf(unsent(() => client.call('resize', { sizeGb: 2 }))).resolves.toEqualTypeOf<{
      sizeGb: number
    }>()
    // @ts-expect-error -- of another type
    compile(() => client.call('resize', { sizeGb: 'big' }))
  })

  it('hold the schemas of a typed client against its type', () => {
    const sound = { schemas: { add: { result: z.number() } } }
    const client = createRpcClient<typeof calculator>(transport, {}, sound)
    expectTypeOf(unsent(() => client.call('add', { a: 1, b: 1 }))).resolves.toEqualTypeOf<number>()
    const unsound = { schemas: { add: { result: z.string() } } }
    // @ts-expect-error -- the type promises a number
    compile(() => createRpcClient<typeof calculator>(transport, {}, unsound))
  })

  it('take the context that the serializer takes', () => {
    interface User {
      readonly user: string
    }
    const serializer: PayloadSerializer<User> = {
      serializeEntity: (_, entity) => entity,
      deserializeEntity: (_, entity) => entity,
      serializeContext: ({ user }) => ({ user }),
      deserializeContext: () => ({ user: '' }),
    }
    const client = createRpcClient(transport, { topic: 'any' }, { serializer })
    expectTypeOf(
      unsent(() => client.call('m', {}, { context: { user: 'u' } })),
    ).resolves.toEqualTypeOf<JsonValue>()
    // @ts-expect-error -- it is no user
    compile(() => client.call('m', {}, { context: { name: 'u' } }))
  })

  it('allow classes of errors that take a failure', () => {
    class Taken extends Error {
      constructor(failure: { readonly message: string }) {
        super(failure.message)
      }
    }
    expectTypeOf(
      RemoteErrorRegistry.standard.allow('m', { Taken, Error: Taken }),
    ).toEqualTypeOf<RemoteErrorRegistry>()
    class Other extends Error {
      constructor(text: string, more: number) {
        super(text.repeat(more))
      }
    }
    // @ts-expect-error -- a failure is no text
    compile(() => RemoteErrorRegistry.standard.allow('m', { Other }))
  })
})
