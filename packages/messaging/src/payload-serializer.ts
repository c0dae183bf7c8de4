import type { JsonObject, JsonValue } from '@hermod/kernel'

/**
 * Turns what a program passes into what travels, and back: arguments, results and payloads one by one, and the context.
 * Synchronous, so that the order of messages holds.
 *
 * @source oslo.messaging serializer.py Serializer
 */
export interface PayloadSerializer<Context = JsonObject> {
  /** An argument, a result or a payload on its way out. */
  serializeEntity(context: Context, entity: unknown): unknown
  /** The same on its way in. */
  deserializeEntity(context: Context, entity: JsonValue): unknown
  /** @returns what can be written as JSON. */
  serializeContext(context: Context): Readonly<Record<string, unknown>>
  deserializeContext(context: JsonObject): Context
}

/** Changes nothing. */
export const plainSerializer: PayloadSerializer = Object.freeze({
  serializeEntity: (_: JsonObject, entity: unknown) => entity,
  deserializeEntity: (_: JsonObject, entity: JsonValue) => entity,
  serializeContext: (context: JsonObject) => context,
  deserializeContext: (context: JsonObject) => context,
})
