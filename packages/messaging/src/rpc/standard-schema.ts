/**
 * A schema of any library that follows Standard Schema v1 (zod, valibot, arktype and others).
 *
 * @source https://standardschema.dev, version 1
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** The library. */
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>
    /** Never there; tells the compiler what goes in and what comes out. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** The answer of a {@link StandardSchema}. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] }

/** One thing that does not fit. */
export interface StandardSchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema takes. */
export type SchemaInput<Schema> = TypesOf<Schema> extends { readonly input: infer Input } ? Input : never

/** What a schema makes of it. */
export type SchemaOutput<Schema> = TypesOf<Schema> extends { readonly output: infer Output } ? Output : never

/** Asked by member: a schema that takes a type is no `StandardSchema` of another one, not even of never. */
type TypesOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types>
  : never

/** The schemas of one method. */
export interface MethodSchemas<Arguments = unknown, Result = unknown> {
  /** For the arguments, all in one object; what it makes of them is what the method gets. */
  readonly args?: StandardSchema<unknown, Arguments> | undefined
  /** For the result; what it makes of it is what the caller gets. */
  readonly result?: StandardSchema<unknown, Result> | undefined
}
