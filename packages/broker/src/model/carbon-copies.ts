import { preconditionFailed } from '../amqp-error.ts'
import type { Field, Fields } from './field.ts'

/** What a routing key has room for everywhere else. Matching topics by longer ones would stop the process. */
const LONGEST_KEY = 255

/**
 * Further routing keys that the headers `CC` and `BCC` name. Values in them that are no text are passed over.
 *
 * @throws {AmqpError} 406 where one of them is no array, or holds a key of more than 255 bytes, which RabbitMQ takes.
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
      if (type !== 'longstr') continue
      const key = value as string
      if (key.length > LONGEST_KEY)
        throw preconditionFailed(
          `invalid message: a key of ${key.length} bytes in header '${name}', ${LONGEST_KEY} are allowed`,
        )
      keys.push(key)
    }
  }
  return keys
}
