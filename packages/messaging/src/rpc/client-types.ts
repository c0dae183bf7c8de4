import type { JsonValue } from '@hermod/kernel'
import type { NoArguments, RpcArguments, RpcMethods, RpcResult } from './endpoint-types.ts'
import type { MethodSchemas, SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.ts'

/** What a client without a type knows of its server: nothing. Every name is a method, every result JSON. */
export type UntypedEndpoint = Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => JsonValue>>

/**
 * Schemas of a client by method. Arguments are held against theirs and sent as they were given; a result becomes what
 * its schema makes of it. For a typed endpoint that must be what the type promises.
 */
export type ClientSchemas<Endpoint> =
  string extends RpcMethods<Endpoint>
    ? Readonly<Record<string, MethodSchemas>>
    : {
        readonly [Method in RpcMethods<Endpoint>]?: {
          readonly args?: StandardSchema | undefined
          readonly result?: StandardSchema<unknown, RpcResult<Endpoint, Method>> | undefined
        }
      }

/** The arguments of a method as a client takes them: those of the client's own schema, else the endpoint's. */
export type ClientArguments<Endpoint, Schemas, Method> = Method extends keyof Schemas
  ? Schemas[Method] extends { readonly args: infer Schema }
    ? SchemaInput<Schema>
    : RpcArguments<Endpoint, Method>
  : RpcArguments<Endpoint, Method>

/** The result of a method as a client gives it: that of the client's own schema, else the endpoint's. */
export type ClientResult<Endpoint, Schemas, Method> = Method extends keyof Schemas
  ? Schemas[Method] extends { readonly result: infer Schema }
    ? SchemaOutput<Schema>
    : EndpointResult<Endpoint, Method>
  : EndpointResult<Endpoint, Method>

type EndpointResult<Endpoint, Method> =
  string extends RpcMethods<Endpoint> ? JsonValue : RpcResult<Endpoint, Method>

/** What follows the name of the method: arguments may be left out where none is needed. */
export type CallParameters<Arguments, Options> = NoArguments extends Arguments
  ? readonly [args?: Arguments, options?: Options]
  : readonly [args: Arguments, options?: Options]
