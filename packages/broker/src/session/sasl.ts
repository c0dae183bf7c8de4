import { ByteReader } from '@hermod/amqp/wire'
import { readFields, type TableLimits } from '../model/field-table.ts'

/** What a client claims to be; byte strings. */
export interface Login {
  readonly user: string
  readonly password: string
}

/** The mechanisms in the order in which RabbitMQ offers them. */
export const MECHANISMS: readonly string[] = ['AMQPLAIN', 'PLAIN']

/**
 * Reads the response to a mechanism of {@link MECHANISMS}; `undefined` when it is malformed. What is wrong with it is
 * not said: it holds a password.
 */
export function readLogin(mechanism: string, response: Buffer, limits: TableLimits): Login | undefined {
  return mechanism === 'PLAIN' ? readPlain(response) : readAmqplain(response, limits)
}

/**
 * RFC 4616 without an authorisation identity: NUL, user, NUL, password, and no further NUL.
 * @source rabbit_auth_mechanism_plain:extract_user_pass
 */
function readPlain(response: Buffer): Login | undefined {
  const second = response.indexOf(0, 1)
  if (response[0] !== 0 || second < 0 || response.includes(0, second + 1)) return undefined
  return {
    user: response.toString('latin1', 1, second),
    password: response.toString('latin1', second + 1, response.length),
  }
}

/**
 * The inside of a table, without its length, with the long strings LOGIN and PASSWORD.
 * @source rabbit_auth_mechanism_amqplain:handle_response
 */
function readAmqplain(response: Buffer, limits: TableLimits): Login | undefined {
  const table = Buffer.alloc(4 + response.length)
  table.writeUInt32BE(response.length)
  response.copy(table, 4)
  try {
    const fields = readFields(new ByteReader().reset(table), limits)
    const [user, password] = [fields.get('LOGIN'), fields.get('PASSWORD')]
    if (user?.type !== 'longstr' || password?.type !== 'longstr') return undefined
    return { user: user.value as string, password: password.value as string }
  } catch {
    return undefined
  }
}
