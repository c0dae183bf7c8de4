/** What a JSON text of Python can hold; a `bigint` is an integer that a `number` would round. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject

/** An object of a JSON text. Every name is an own property, `__proto__` and `constructor` too. */
export interface JsonObject {
  [key: string]: JsonValue
}
