import { describe, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import {
  defineEndpoint,
  Target,
  type RpcArguments,
  type RpcCall,
  type RpcMethods,
  type RpcResult,
} from '../../src/index.ts'
import { Endpoint } from '../../src/rpc/endpoint.ts'

class Volumes {
  readonly target: Target = new Target({ namespace: 'volumes' })
  static readonly exposed: readonly string[] = ['create']
  readonly size = 5
  readonly #removed: string[] = []
  async create(
    { name, size }: { name: string; size?: number },
    call: RpcCall,
  ): Promise<{ id: string; at: Date }> {
    await Promise.resolve(call)
    return { id: `${name} ${size}`, at: new Date(0) }
  }
  remove({ id }: { id: string }): void {
    this.#removed.push(id)
  }
  list(from?: { marker: string }): readonly [string, bigint | undefined][] {
    return [[from?.marker ?? '', undefined]]
  }
  _refresh(): void {}
}

describe('defineEndpoint', () => {
  it('keeps what it is given', () => {
    const methods = { add: ({ a }: { a: number }) => a }
    const schema = z.object({ a: z.number() })
    const endpoint = defineEndpoint(methods, {
      namespace: 'ns',
      version: '1.2',
      legacyNamespaces: ['old', undefined],
      expose: ['add'],
      schemas: { add: { args: schema } },
      expectedErrors: { add: [RangeError, 'KeyError'] },
    })
    expect(endpoint.methods).toBe(methods)
    expect(
      endpoint.target.equals(
        new Target({ namespace: 'ns', version: '1.2', legacyNamespaces: ['old', undefined] }),
      ),
    ).toBe(true)
    expect(endpoint.exposed).toEqual(['add'])
    expect(endpoint.schemas).toEqual({ add: { args: schema } })
    expect(endpoint.expectedErrors).toEqual({ add: [RangeError, 'KeyError'] })
  })

  it('refuses an object that says itself where it belongs', () => {
    expect(() => defineEndpoint(new Volumes(), { namespace: 'x' })).toThrow(
      "the object has a 'target' of its own",
    )
  })

  it('offers a method called target', () => {
    const endpoint = new Endpoint(defineEndpoint({ target: () => 'aimed' }), 0)
    expect(endpoint.method('target', 'default')?.(undefined, undefined)).toBe('aimed')
  })

  it.each([
    [{ schemas: { nope: {} } }, "endpoint 3 (default namespace 1.0) has no method 'nope'"],
    [{ expectedErrors: { toString: [] } }, "endpoint 3 (default namespace 1.0) has no method 'toString'"],
    [{ version: 'two' }, "the version of endpoint 3 (default namespace two) 'two' is no version"],
  ])('has options refused that cannot be meant: %j', (options, problem) => {
    const given = defineEndpoint({ add: () => 1 }, options as object)
    expect(() => new Endpoint(given, 3)).toThrow(problem)
  })
})

describe('the class of an endpoint', () => {
  class Archive extends Volumes {}

  it('says in static exposed which methods may be called, for those that extend it too', () => {
    for (const given of [new Volumes(), new Archive()]) {
      const endpoint = new Endpoint(given, 0)
      expect(endpoint.method('create', 'explicit')).toBe(Reflect.get(given, 'create'))
      expect(endpoint.method('remove', 'default')).toBeUndefined()
    }
  })
})

describe('the type of an endpoint', () => {
  it('tells methods, arguments and results', () => {
    expectTypeOf<RpcMethods<Volumes>>().toEqualTypeOf<'create' | 'remove' | 'list'>()
    expectTypeOf<RpcArguments<Volumes, 'create'>>().toEqualTypeOf<{ name: string; size?: number }>()
    expectTypeOf<RpcArguments<Volumes, 'list'>>().toEqualTypeOf<{ marker: string }>()
    expectTypeOf<RpcResult<Volumes, 'create'>>().toEqualTypeOf<{ id: string; at: string }>()
    expectTypeOf<RpcResult<Volumes, 'remove'>>().toEqualTypeOf<null>()
    expectTypeOf<RpcResult<Volumes, 'list'>>().toEqualTypeOf<readonly [string, bigint | null][]>()
  })

  it('narrows with a list, and follows schemas', () => {
    const exposed = defineEndpoint({ a: () => 1, b: () => 'x' }, { expose: ['a'] })
    expectTypeOf<RpcMethods<typeof exposed>>().toEqualTypeOf<'a'>()
    const checked = defineEndpoint(
      { at: ({ when }: { when: Date }) => when.getTime(), other: ({ n }: { n: number }) => n },
      {
        schemas: {
          at: {
            args: z.object({ when: z.string().transform((text) => new Date(text)) }),
            result: z.number().transform(String),
          },
        },
      },
    )
    expectTypeOf<RpcArguments<typeof checked, 'at'>>().toEqualTypeOf<{ when: string }>()
    expectTypeOf<RpcResult<typeof checked, 'at'>>().toEqualTypeOf<string>()
    expectTypeOf<RpcArguments<typeof checked, 'other'>>().toEqualTypeOf<{ n: number }>()
    const text = { a: { args: z.object({ n: z.string() }) } }
    // @ts-expect-error -- the schema makes a text of what is to be a number
    defineEndpoint({ a: ({ n }: { n: number }) => n }, { schemas: text })
    // @ts-expect-error -- there is no such method
    defineEndpoint({ a: () => 1 }, { expose: ['b'] })
  })
})
