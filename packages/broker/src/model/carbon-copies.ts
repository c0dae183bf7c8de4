import { preconditionFailed } from '../amqp-error.ts'
import type { Field, Fields } from './field.ts'

/**
 * Further routing keys that the headers `CC` and `BCC` name. Values in them that are no text are passed over.
 *
 * @throws {AmqpError} 406 where one of them is no array.
 * @source rabbit_basic:header_routes
 */
export function carbonCopyKeys(headers: Fields): readonly string[] {
  const keys: string[] = []
  for (const name of ['CC', 'BCC']) {
    const field = headers.get(name)
    if (field === undefined) continue
    if (field.type !== 'array') {
      throw preconditionFailed(
        `invalid message: {unacceptable_type_in_header,${JSON.stringify(name)},${field.type}}`,
      )
    }
    for (const { type, value } of field.value as readonly Field[]) {
      if (type === 'longstr') keys.push(value as string)
    }
  }
  return keys
}
