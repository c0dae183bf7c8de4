import { PROTOCOL_HEADER } from '@hermod/amqp/wire'

/** What a client said first. */
export type Greeting = 'amqp' | 'incomplete' | 'http' | 'tls' | 'other'

/** Also taken: what some clients of AMQP 0-9 send. @source rabbit_reader:handshake */
const OLD_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 1, 1, 0, 9])

const LETTERS = Buffer.from('AMQP')
const TLS_HANDSHAKE = 0x16

/** Judges the first bytes of a connection; a protocol header is eight. */
export function readGreeting(bytes: Buffer): Greeting {
  if (bytes[0] === TLS_HANDSHAKE) return 'tls'
  const letters = Math.min(bytes.length, LETTERS.length)
  if (bytes.compare(LETTERS, 0, letters, 0, letters) === 0 && bytes.length < PROTOCOL_HEADER.length)
    return 'incomplete'
  const header = bytes.subarray(0, PROTOCOL_HEADER.length)
  if (header.equals(PROTOCOL_HEADER) || header.equals(OLD_HEADER)) return 'amqp'
  return /^(?:GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT) /.test(bytes.toString('latin1', 0, 8))
    ? 'http'
    : 'other'
}
