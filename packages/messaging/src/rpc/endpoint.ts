import { ConfigurationError, type Failure } from '@hermod/kernel'
import { Target } from '../target.ts'
import { isAllowed, type AccessPolicy } from './access-policy.ts'
import { callableMethod, type CallableMethod } from './callable-method.ts'
import { EndpointDefinition, type ExpectedError } from './define-endpoint.ts'
import { checkRpcVersion, DEFAULT_RPC_VERSION, isCompatibleVersion } from './rpc-version.ts'
import type { MethodSchemas } from './standard-schema.ts'

type SchemasByMethod = Readonly<Record<string, MethodSchemas | undefined>>

/** One endpoint of a server: an {@link EndpointDefinition}, or any object, whose `target` says where it belongs. */
export class Endpoint {
  /** What methods have for `this`. */
  readonly methods: object
  /** What a log calls it. */
  readonly name: string
  readonly #target: Target
  readonly #version: string
  readonly #exposed: readonly string[] | undefined
  readonly #schemas: SchemasByMethod
  readonly #expectedErrors: Readonly<Record<string, readonly ExpectedError[] | undefined>>

  /**
   * @param place its number among the endpoints, from 0, for errors.
   * @throws {ConfigurationError} E_CONFIG for what is no endpoint.
   */
  constructor(given: object, place: number) {
    const defined = given instanceof EndpointDefinition ? (given as EndpointDefinition<object>) : undefined
    this.methods = defined?.methods ?? given
    // A function is none either: what it inherits (`call`, `bind`) would be offered.
    if (typeof this.methods !== 'object' || this.methods === null)
      throw new ConfigurationError([`endpoint ${place} is no object: pass an instance, not a class`])
    this.#target = defined?.target ?? ownTarget(given, place)
    this.#version = this.#target.version || DEFAULT_RPC_VERSION
    this.#exposed = defined?.exposed ?? exposedByClass(this.methods)
    this.#schemas = (defined?.schemas ?? {}) as SchemasByMethod
    this.#expectedErrors = defined?.expectedErrors ?? {}
    this.name = `endpoint ${place} (${this.#target.namespace ?? 'default namespace'} ${this.#version})`
    checkRpcVersion(this.#version, `the version of ${this.name}`)
    const named = [this.#exposed ?? [], Object.keys(this.#schemas), Object.keys(this.#expectedErrors)].flat()
    const missing = [...new Set(named)].filter((name) => callableMethod(this.methods, name) === undefined)
    if (missing.length > 0)
      throw new ConfigurationError(missing.map((name) => `${this.name} has no method '${name}'`))
  }

  /** Whether requests for this namespace and version are its. */
  serves(namespace: unknown, version: unknown): boolean {
    return (
      (this.#target.acceptedNamespaces as readonly unknown[]).includes(namespace) &&
      typeof version === 'string' &&
      isCompatibleVersion(this.#version, version)
    )
  }

  /** Undefined where it has none of that name, and where the policy refuses it. */
  method(name: string, policy: AccessPolicy): CallableMethod | undefined {
    return isAllowed(policy, name, this.#exposed) ? callableMethod(this.methods, name) : undefined
  }

  schemasOf(method: string): MethodSchemas {
    return (Object.hasOwn(this.#schemas, method) && this.#schemas[method]) || {}
  }

  /** Whether the error belongs to the interface of the method. */
  expects(method: string, error: unknown, failure: Failure): boolean {
    const expected = Object.hasOwn(this.#expectedErrors, method) && this.#expectedErrors[method]
    return expected !== false && expected !== undefined && isExpected(expected, error, failure)
  }
}

/** Whether an error is of one of the classes, or its failure of one of the names. */
export function isExpected(expected: readonly ExpectedError[], error: unknown, failure: Failure): boolean {
  return expected.some((kind) => (typeof kind === 'string' ? kind === failure.class : error instanceof kind))
}

function ownTarget(given: object, place: number): Target {
  const { target } = given as { target?: unknown }
  if (target === undefined || target === null) return new Target()
  if (target instanceof Target) return target
  throw new ConfigurationError([
    `'target' of endpoint ${place} is no Target: the name is reserved for the namespace and version of an endpoint`,
  ])
}

/** `static exposed` of its class, or of one that it extends. */
function exposedByClass(methods: object): readonly string[] | undefined {
  const { constructor } = (Object.getPrototypeOf(methods) ?? {}) as { constructor?: unknown }
  if (typeof constructor !== 'function' || constructor === Object) return undefined
  const { exposed } = constructor as { exposed?: unknown }
  return Array.isArray(exposed) ? (exposed as string[]) : undefined
}
