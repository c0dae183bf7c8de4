import type { MethodArguments, MethodName } from '@hermod/amqp/wire'
import type { Fields } from '../model/field.ts'
import { readFields, type TableLimits } from '../model/field-table.ts'
import type { ByteStringReader } from './byte-string-codec.ts'

/*
 * The methods of clients that end with a table. The codec would read it into plain values, and a broker needs their
 * types: `int8 5` and `long 5` are equal, `5` and `'5'` are not, and each is repeated in texts by its type.
 */

type WithFields<Name extends MethodName> = Omit<MethodArguments[Name], 'arguments'> & {
  readonly arguments: Fields
}

/** Flags of a method: bit 0 is the first. */
const bit = (bits: number, index: number): boolean => ((bits >>> index) & 1) !== 0

export function readExchangeDeclare(
  reader: ByteStringReader,
  limits: TableLimits,
): WithFields<'exchange.declare'> {
  reader.skip(2)
  const exchange = reader.shortString()
  const type = reader.shortString()
  const bits = reader.uint8()
  return {
    exchange,
    type,
    passive: bit(bits, 0),
    durable: bit(bits, 1),
    autoDelete: bit(bits, 2),
    internal: bit(bits, 3),
    noWait: bit(bits, 4),
    arguments: lastTable(reader, limits),
  }
}

/** exchange.bind and exchange.unbind. */
export function readExchangeBinding(
  reader: ByteStringReader,
  limits: TableLimits,
): WithFields<'exchange.bind'> {
  reader.skip(2)
  const destination = reader.shortString()
  const source = reader.shortString()
  const routingKey = reader.shortString()
  const bits = reader.uint8()
  return { destination, source, routingKey, noWait: bit(bits, 0), arguments: lastTable(reader, limits) }
}

export function readQueueDeclare(reader: ByteStringReader, limits: TableLimits): WithFields<'queue.declare'> {
  reader.skip(2)
  const queue = reader.shortString()
  const bits = reader.uint8()
  return {
    queue,
    passive: bit(bits, 0),
    durable: bit(bits, 1),
    exclusive: bit(bits, 2),
    autoDelete: bit(bits, 3),
    noWait: bit(bits, 4),
    arguments: lastTable(reader, limits),
  }
}

export function readQueueBind(reader: ByteStringReader, limits: TableLimits): WithFields<'queue.bind'> {
  reader.skip(2)
  const queue = reader.shortString()
  const exchange = reader.shortString()
  const routingKey = reader.shortString()
  const bits = reader.uint8()
  return { queue, exchange, routingKey, noWait: bit(bits, 0), arguments: lastTable(reader, limits) }
}

export function readQueueUnbind(reader: ByteStringReader, limits: TableLimits): WithFields<'queue.unbind'> {
  reader.skip(2)
  const queue = reader.shortString()
  const exchange = reader.shortString()
  const routingKey = reader.shortString()
  return { queue, exchange, routingKey, arguments: lastTable(reader, limits) }
}

export function readConsume(reader: ByteStringReader, limits: TableLimits): WithFields<'basic.consume'> {
  reader.skip(2)
  const queue = reader.shortString()
  const consumerTag = reader.shortString()
  const bits = reader.uint8()
  return {
    queue,
    consumerTag,
    noLocal: bit(bits, 0),
    noAck: bit(bits, 1),
    exclusive: bit(bits, 2),
    noWait: bit(bits, 3),
    arguments: lastTable(reader, limits),
  }
}

function lastTable(reader: ByteStringReader, limits: TableLimits): Fields {
  const fields = readFields(reader, limits)
  reader.finish('a method')
  return fields
}
