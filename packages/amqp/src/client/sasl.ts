import { ConnectionError } from '@hermod/kernel'
import { ByteWriter } from '../wire/byte-writer.ts'
import { writeTable } from '../wire/field-table.ts'
import type { BrokerAddress } from './broker-address.ts'

/** How a client proves who it is. */
export type SaslMechanism = 'PLAIN' | 'AMQPLAIN'

/** Of a list that may be as long as a frame. */
const LONGEST_SHOWN = 100

/** In the order in which they are preferred; over an unencrypted wire neither is better than the other. */
const PREFERRED: readonly SaslMechanism[] = ['PLAIN', 'AMQPLAIN']

/**
 * Chooses a mechanism that both sides know.
 * @param offered the broker's list, separated by blanks.
 * @throws {ConnectionError} E_CONN, phase `sasl`, when there is none.
 */
export function chooseMechanism(offered: string, wanted: SaslMechanism | undefined): SaslMechanism {
  const names = offered.split(' ')
  const choices = wanted === undefined ? PREFERRED : [wanted]
  const choice = choices.find((mechanism) => names.includes(mechanism))
  if (choice === undefined) {
    throw new ConnectionError(
      'sasl',
      `the broker offers the login mechanisms ${offered.slice(0, LONGEST_SHOWN)}, none of ${choices.join(', ')}`,
      {
        retryable: false,
      },
    )
  }
  return choice
}

/**
 * The response that proves it.
 * PLAIN := NUL user NUL password (RFC 4616); AMQPLAIN := a table's fields without its length (RabbitMQ).
 */
export function saslResponse(mechanism: SaslMechanism, { username, password }: BrokerAddress): Buffer {
  if (mechanism === 'PLAIN') return Buffer.from(`\0${username}\0${password}`)
  const writer = new ByteWriter()
  writeTable(writer, { LOGIN: username, PASSWORD: password })
  return writer.written().subarray(4)
}
