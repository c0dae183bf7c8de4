import { DecodeError, EncodeError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { MAX_BODY_BYTES, readEnvelope, wrapEnvelope } from '../src/index.ts'

/** As Python's `messagingv2` driver writes it: blanks after separators, ASCII only, JSON text inside JSON. */
const V2 =
  '{"oslo.version": "2.0", "oslo.message": "{\\"event_type\\": \\"compute.instance.create.end\\", \\"payload\\": {\\"name\\": \\"caf\\\\u00e9\\", \\"load\\": NaN, \\"id\\": 18446744073709551615}}"}'

const v2 = (version: unknown, message: unknown): string =>
  JSON.stringify({ 'oslo.version': version, 'oslo.message': message })

const bodyOf = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`

describe('readEnvelope', () => {
  it('reads version 2.0 of Python, as text and as bytes', () => {
    const expected = {
      version: '2.0',
      message: {
        event_type: 'compute.instance.create.end',
        payload: { name: 'café', load: NaN, id: 18_446_744_073_709_551_615n },
      },
    }
    expect(readEnvelope(V2)).toEqual(expected)
    expect(readEnvelope(Buffer.from(V2))).toEqual(expected)
    expect(readEnvelope(new TextEncoder().encode(V2))).toEqual(expected)
  })

  it('passes the JSON options on to both texts', () => {
    expect(readEnvelope(V2, { integers: 'number' }).message['payload']).toMatchObject({ id: 2 ** 64 })
    expect(() => readEnvelope(v2('2.0', '{"a": [[1]]}'), { maxDepth: 2 })).toThrow('nested deeper than 2')
    expect(() => readEnvelope('{"a": [[1]]}', { maxDepth: 2 })).toThrow('nested deeper than 2')
  })

  it.each([
    '{"event_type": "x"}',
    '{}',
    '{"oslo.version": "2.0", "payload": {}}',
    '{"oslo.message": "{}", "payload": {}}',
  ])('takes an object that lacks one of the two keys for the message itself: %s', (body) => {
    expect(readEnvelope(body)).toEqual({ version: '1.0', message: JSON.parse(body) as unknown })
  })

  it('does not find its keys on a prototype', () => {
    const body = '{"__proto__": {"oslo.version": "2.0", "oslo.message": "{}"}, "event_type": "x"}'
    const { version, message } = readEnvelope(body)
    expect(version).toBe('1.0')
    expect(Object.keys(message)).toEqual(['__proto__', 'event_type'])
  })

  it('leaves what kombu marks as a Python type as it is', () => {
    const body = '{"payload": {"at": {"__type__": "datetime", "__value__": "2026-01-02T03:04:05"}}}'
    expect(readEnvelope(body).message['payload']).toEqual({
      at: { __type__: 'datetime', __value__: '2026-01-02T03:04:05' },
    })
  })

  it('opens one envelope only', () => {
    const inner = v2('2.0', '{"deeper": true}')
    expect(readEnvelope(v2('2.0', inner)).message).toEqual({
      'oslo.version': '2.0',
      'oslo.message': '{"deeper": true}',
    })
  })

  it('ignores what else the envelope holds', () => {
    expect(readEnvelope('{"a": 1, "oslo.version": "2.0", "oslo.message": "{}"}')).toEqual({
      version: '2.0',
      message: {},
    })
  })

  it.each(['2.0', '2.0.0', '2.00'])('reads version %s', (version) => {
    expect(readEnvelope(v2(version, '{}')).version).toBe('2.0')
  })

  it.each(['2.1', '3.0', '1.0', '2', '2.0.1', '', 'x', '2.0 ', 2, null, ['2.0']])(
    'refuses version %j',
    (version) => {
      expect(() => readEnvelope(v2(version, '{}'))).toThrow(
        new DecodeError("the envelope has a version other than 2.0 in 'oslo.version'"),
      )
    },
  )

  it.each<readonly [string, string]>([
    ['[]', 'the body is JSON, but no object'],
    ['"text"', 'the body is JSON, but no object'],
    ['null', 'the body is JSON, but no object'],
    ['NaN', 'the body is JSON, but no object'],
    ['', 'JSON ends too early at offset 0'],
    ['{"password": hunter2}', 'invalid JSON at offset 13'],
    [v2('2.0', {}), "'oslo.message' of the envelope is no text"],
    [v2('2.0', null), "'oslo.message' of the envelope is no text"],
    [v2('2.0', '[]'), "'oslo.message' of the envelope is JSON, but no object"],
    [v2('2.0', '{"password": hunter2}'), 'invalid JSON at offset 13'],
  ])('refuses %s', (body, message) => {
    expect(() => readEnvelope(body)).toThrow(expect.objectContaining({ code: 'E_DECODE', message }))
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => readEnvelope(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow(
      new DecodeError('the body is not UTF-8'),
    )
    // The decoder is shared: a failure must not spoil the next body.
    expect(readEnvelope(Buffer.from('{"a": "é"}')).message).toEqual({ a: 'é' })
  })

  it('measures the body in bytes', () => {
    const body = '{"a": "éé"}'
    expect(Buffer.byteLength(body)).toBe(13)
    expect(readEnvelope(body, { maxBytes: 13 }).message).toEqual({ a: 'éé' })
    for (const given of [body, Buffer.from(body)]) {
      expect(() => readEnvelope(given, { maxBytes: 12 })).toThrow(
        new DecodeError('the body has 13 bytes, more than the 12 allowed'),
      )
    }
  })

  it('allows 16 MiB and not one byte more', () => {
    expect(readEnvelope(bodyOf(MAX_BODY_BYTES)).version).toBe('1.0')
    expect(() => readEnvelope(bodyOf(MAX_BODY_BYTES + 1))).toThrow(
      '16777217 bytes, more than the 16777216 allowed',
    )
  })
})

describe('wrapEnvelope', () => {
  it('writes exactly the two keys, the message as text', () => {
    expect(JSON.parse(wrapEnvelope({ event_type: 'x', n: 1n }))).toEqual({
      'oslo.version': '2.0',
      'oslo.message': '{"event_type":"x","n":1}',
    })
  })

  it('is undone by readEnvelope', () => {
    const message = { a: [1, 2n ** 70n, 'é😀"\\'], b: { c: null }, 'oslo.message': 'mine' }
    expect(readEnvelope(wrapEnvelope(message))).toEqual({ version: '2.0', message })
  })

  it('refuses a message that contains itself', () => {
    const message: Record<string, never> = {}
    Object.assign(message, { message })
    expect(() => wrapEnvelope(message)).toThrow(EncodeError)
  })
})
