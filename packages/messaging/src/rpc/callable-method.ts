/** A method as a server calls it. */
export type CallableMethod = (args: unknown, call: unknown) => unknown

/**
 * The function that a remote caller means by a name: on the object itself or on its class chain, but not on the object
 * that ends the chain (`Object.prototype`). Never `constructor`, never an accessor, which is not even read; and what
 * hides a function on the chain hides it here too.
 */
export function callableMethod(endpoint: object, name: string): CallableMethod | undefined {
  if (name === 'constructor') return undefined
  let holder: object | null = endpoint
  while (holder !== null) {
    const next = Object.getPrototypeOf(holder) as object | null
    // The end of the chain, of this realm or of another; an object without a prototype is its own.
    if (next === null && holder !== endpoint) return undefined
    const member = Object.getOwnPropertyDescriptor(holder, name)
    if (member !== undefined)
      return typeof member.value === 'function' ? (member.value as CallableMethod) : undefined
    holder = next
  }
  return undefined
}
