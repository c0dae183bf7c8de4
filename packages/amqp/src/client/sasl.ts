import { ConnectionError } from '@hermod/kernel'
import { ByteWriter } from '../wire/byte-writer.ts'
import { writeTable } from '../wire/field-table.ts'
import type { BrokerAddress } from './broker-address.ts'

/** How a client proves who it is. `EXTERNAL`: by the certificate that it shows in TLS. */
export type SaslMechanism = 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL'

/** Of a list that may be as long as a frame. */
const LONGEST_SHOWN = 100

/** In the order in which they are preferred; EXTERNAL only where it is asked for, since it says nothing about a user. Over an unencrypted wire neither is better than the other. */
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
 * PLAIN := NUL user NUL password (RFC 4616); AMQPLAIN := a table's fields without its length (RabbitMQ);
 * EXTERNAL := nothing: the broker takes the user from the certificate (rabbitmq_auth_mechanism_ssl).
 */
export function saslResponse(mechanism: SaslMechanism, { username, password }: BrokerAddress): Buffer {
  if (mechanism === 'EXTERNAL') return Buffer.alloc(0)
  if (mechanism === 'PLAIN') return Buffer.from(`\0${username}\0${password}`)
  const writer = new ByteWriter()
  writeTable(writer, { LOGIN: username, PASSWORD: password })
  return writer.written().subarray(4)
}
