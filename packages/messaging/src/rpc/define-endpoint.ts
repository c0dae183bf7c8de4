import { ConfigurationError } from '@hermod/kernel'
import { Target } from '../target.ts'
import type { RpcArguments, RpcMethods } from './endpoint-types.ts'
import type { MethodSchemas } from './standard-schema.ts'

/**
 * Errors that belong to the interface of a method: they are logged at `debug`. A class, or the name of the exception as
 * the caller gets it, such as `ValueError`.
 */
export type ExpectedError = string | (abstract new (...args: never) => object)

/** Schemas by method; what the one for the arguments makes of them must be what the method takes. */
export type EndpointSchemas<Methods> = {
  readonly [Name in RpcMethods<Methods>]?: MethodSchemas<RpcArguments<Methods, Name>>
}

/** How methods are offered. */
export interface EndpointOptions<Methods, Schemas, Exposed extends string = string> {
  /** Tells methods of the same name apart; absent: the default namespace. */
  readonly namespace?: string | undefined
  /** Of the interface; `1.0` by default. Requests of the same major and no newer minor are served. */
  readonly version?: string | undefined
  /** Former namespaces that are still answered to; undefined among them is the default one. */
  readonly legacyNamespaces?: readonly (string | undefined)[] | undefined
  /** The only methods that may be called; absent: all that the server's access policy allows. */
  readonly expose?: readonly (Exposed & RpcMethods<Methods>)[] | undefined
  readonly schemas?: (Schemas & EndpointSchemas<Methods>) | undefined
  /** By method; see {@link ExpectedError}. */
  readonly expectedErrors?: { readonly [Name in RpcMethods<Methods>]?: readonly ExpectedError[] } | undefined
}

/** Methods and how they are offered, for a server's `endpoints` and, as a type, for a client. */
export class EndpointDefinition<Methods extends object, Schemas = object> {
  readonly methods: Methods
  readonly target: Target
  readonly schemas: Schemas
  readonly exposed: readonly string[] | undefined
  readonly expectedErrors: { readonly [Name in string]?: readonly ExpectedError[] }

  constructor(methods: Methods, options: EndpointOptions<Methods, Schemas>) {
    const { namespace, version, legacyNamespaces } = options
    this.methods = methods
    this.target = new Target({ namespace, version, legacyNamespaces })
    this.schemas = options.schemas ?? ({} as Schemas)
    this.exposed = options.expose
    this.expectedErrors = options.expectedErrors ?? {}
  }
}

/**
 * Offers the methods of an object or of a class instance to remote callers.
 *
 * A method takes one object with the arguments, then the {@link RpcCall}, and returns a value or a promise of one. Only
 * functions on the object itself or on its class chain can be called; no accessors, and nothing that begins with `_`
 * unless the server's access policy is `legacy`.
 *
 * @throws {ConfigurationError} E_CONFIG for a version that is none, and for options that name methods which the object
 *   does not have.
 * @example
 * export const calculator = defineEndpoint(
 *   { add: ({ a, b }: { a: number; b: number }) => a + b },
 *   { namespace: 'calculator', version: '1.1' },
 * )
 */
export function defineEndpoint<
  Methods extends object,
  const Schemas extends EndpointSchemas<Methods> = object,
  const Exposed extends string = RpcMethods<Methods>,
>(
  methods: Methods,
  options: EndpointOptions<Methods, Schemas, Exposed> = {},
): EndpointDefinition<Pick<Methods, Exposed & keyof Methods>, Schemas> {
  if ('target' in methods && methods.target instanceof Target) {
    const problem = "the object has a 'target' of its own: pass it as an endpoint, or take its target away"
    throw new ConfigurationError([problem])
  }
  return new EndpointDefinition(methods, options)
}
