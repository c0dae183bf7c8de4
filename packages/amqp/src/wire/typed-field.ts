import { FieldEncodeError } from '@hermod/kernel'
import type { ByteWriter } from './byte-writer.ts'

interface Layout {
  readonly letter: string
  readonly min: bigint
  readonly max: bigint
  readonly bytes: 1 | 2 | 4 | 8
}

const signed = (letter: string, bytes: 1 | 2 | 4 | 8): Layout => {
  const half = 2n ** BigInt(bytes * 8 - 1)
  return { letter, bytes, min: -half, max: half - 1n }
}
const unsigned = (letter: string, bytes: 1 | 2 | 4 | 8): Layout => ({
  letter,
  bytes,
  min: 0n,
  max: 2n ** BigInt(bytes * 8) - 1n,
})

type IntegerKind = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'timestamp'

const INTEGERS: { readonly [Kind in IntegerKind]: Layout } = {
  int8: signed('b', 1),
  uint8: unsigned('B', 1),
  int16: signed('s', 2),
  uint16: unsigned('u', 2),
  int32: signed('I', 4),
  uint32: unsigned('i', 4),
  int64: signed('l', 8),
  timestamp: unsigned('T', 8),
}

/** The AMQP types that a {@link TypedField} can force. */
export type TypedFieldKind = IntegerKind | 'float' | 'double' | 'decimal'

/**
 * A value with its AMQP type said out loud, for peers that insist on one (plain values choose their own, see
 * `FieldValue`).
 *
 * @example
 * const headers = { retries: TypedField.uint8(3), price: TypedField.decimal(2, 1999) } // 19.99
 */
export class TypedField {
  /** The AMQP type. */
  readonly kind: TypedFieldKind
  /** The number; of a decimal its digits, without the point. */
  readonly value: number | bigint
  /** Of a decimal: how many of its digits stand behind the point. */
  readonly scale: number

  /** @throws {FieldEncodeError} E_FIELD when the type cannot hold the value. */
  constructor(kind: TypedFieldKind, value: number | bigint, scale = 0) {
    this.kind = kind
    this.value = value
    this.scale = scale
    const integer =
      kind === 'decimal' ? INTEGERS.int32 : kind === 'float' || kind === 'double' ? undefined : INTEGERS[kind]
    if (integer === undefined) {
      const written = kind === 'float' ? Math.fround(Number(value)) : Number(value)
      // RabbitMQ's parser has no case for NaN and the infinities: it closes the connection over them.
      if (!Number.isFinite(written))
        throw new FieldEncodeError(`${value} does not fit into AMQP type ${kind}`)
      return
    }
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new FieldEncodeError(`${value} is no integer for AMQP type ${kind}; beyond 2^53 give a bigint`)
    }
    const wide = BigInt(value)
    if (wide < integer.min || wide > integer.max)
      throw new FieldEncodeError(`${value} does not fit into AMQP type ${kind}`)
    if (!Number.isInteger(scale) || scale < 0 || scale > 255)
      throw new FieldEncodeError(`a decimal's scale is a whole number from 0 to 255, not ${scale}`)
  }

  static int8(value: number): TypedField {
    return new TypedField('int8', value)
  }
  static uint8(value: number): TypedField {
    return new TypedField('uint8', value)
  }
  static int16(value: number): TypedField {
    return new TypedField('int16', value)
  }
  static uint16(value: number): TypedField {
    return new TypedField('uint16', value)
  }
  static int32(value: number): TypedField {
    return new TypedField('int32', value)
  }
  static uint32(value: number): TypedField {
    return new TypedField('uint32', value)
  }
  static int64(value: number | bigint): TypedField {
    return new TypedField('int64', value)
  }
  static float(value: number): TypedField {
    return new TypedField('float', value)
  }
  static double(value: number): TypedField {
    return new TypedField('double', value)
  }
  /** Seconds since 1970. */
  static timestamp(seconds: number | bigint): TypedField {
    return new TypedField('timestamp', seconds)
  }
  /** `digits` · 10^-`scale`. */
  static decimal(scale: number, digits: number): TypedField {
    return new TypedField('decimal', digits, scale)
  }

  /** Appends type letter and value. */
  write(writer: ByteWriter): void {
    if (this.kind === 'float') {
      writer.uint8(0x66)
      writer.float32(Number(this.value))
    } else if (this.kind === 'double') {
      writer.uint8(0x64)
      writer.float64(Number(this.value))
    } else if (this.kind === 'decimal') {
      writer.uint8(0x44)
      writer.uint8(this.scale)
      writer.uint32(Number(this.value) >>> 0)
    } else {
      const { letter, bytes } = INTEGERS[this.kind]
      writer.uint8(letter.charCodeAt(0))
      if (bytes === 8) writer.uint64(this.value)
      else if (bytes === 4) writer.uint32(Number(this.value) >>> 0)
      else if (bytes === 2) writer.uint16(Number(this.value) & 0xffff)
      else writer.uint8(Number(this.value) & 0xff)
    }
  }
}
