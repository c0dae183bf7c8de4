import type { JsonValue } from '@hermod/kernel'
import type { EndpointDefinition } from './define-endpoint.ts'
import type { SchemaInput, SchemaOutput } from './standard-schema.ts'

/** What can be a method: one object with the arguments, then the call. */
export type RpcMethod = (args: never, call: never) => unknown

/** The methods of an endpoint: the object itself, or what `defineEndpoint` was given. */
type MethodsOf<Endpoint> = Endpoint extends EndpointDefinition<infer Methods, infer _> ? Methods : Endpoint

/** The names of the callable methods; of a union of endpoints, those of any. */
export type RpcMethods<Endpoint> = Endpoint extends unknown ? NamesOf<MethodsOf<Endpoint>> : never

/** Names that begin with `_` are refused by all access policies but `legacy`. */
type NamesOf<Methods> = Exclude<
  Extract<{ [Name in keyof Methods]: Methods[Name] extends RpcMethod ? Name : never }[keyof Methods], string>,
  `_${string}` | 'constructor'
>

/** The arguments of a method that takes none. */
export type NoArguments = Readonly<Record<string, never>>

/**
 * The arguments of a method as its caller passes them: those of its schema where it has one, else its first parameter.
 */
export type RpcArguments<Endpoint, Method> = Endpoint extends unknown
  ? SchemaOf<Endpoint, Method, 'args'> extends infer Schema
    ? [Schema] extends [never]
      ? FirstParameter<MethodOf<Endpoint, Method>>
      : SchemaInput<Schema>
    : never
  : never

/** The result of a method as its caller gets it: as it reads after the way through JSON, and null for none. */
export type RpcResult<Endpoint, Method> = Endpoint extends unknown
  ? SchemaOf<Endpoint, Method, 'result'> extends infer Schema
    ? [Schema] extends [never]
      ? Travelled<ReturnOf<MethodOf<Endpoint, Method>>>
      : Travelled<SchemaOutput<Schema>>
    : never
  : never

type MethodOf<Endpoint, Method> =
  MethodsOf<Endpoint> extends infer Methods ? (Method extends keyof Methods ? Methods[Method] : never) : never

type SchemaOf<Endpoint, Method, Kind extends 'args' | 'result'> =
  Endpoint extends EndpointDefinition<infer _, infer Schemas>
    ? Method extends keyof Schemas
      ? Schemas[Method] extends { readonly [K in Kind]: infer Schema }
        ? Schema
        : never
      : never
    : never

type FirstParameter<Method> = Method extends (...args: infer Parameters) => unknown
  ? Parameters extends readonly []
    ? NoArguments
    : Parameters extends readonly [(infer First)?, ...unknown[]]
      ? Exclude<First, undefined>
      : never
  : never

type ReturnOf<Method> = Method extends (...args: never) => infer Result ? Awaited<Result> : never

/** A value after it was written as JSON and read again. */
export type Travelled<Value> = unknown extends Value
  ? Value
  : Value extends JsonValue
    ? Value
    : Value extends undefined | void
      ? null
      : Value extends { toJSON(...args: never): infer Json }
        ? Travelled<Json>
        : Value extends ((...args: never) => unknown) | symbol
          ? never
          : Value extends readonly unknown[]
            ? { [Index in keyof Value]: Travelled<Value[Index]> }
            : {
                [
                  Name in keyof Value as Value[Name] extends ((...args: never) => unknown) | symbol
                    ? never
                    : Name
                ]: undefined extends Value[Name]
                  ? Travelled<Exclude<Value[Name], undefined>> | undefined
                  : Travelled<Value[Name]>
              }
