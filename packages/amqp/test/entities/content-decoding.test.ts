import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Message } from '../../src/client/message.ts'
import { acceptedTypes, decodeContent, decompressedBody } from '../../src/entities/content-decoding.ts'
import { writeProperties, type BasicProperties } from '../../src/wire/basic-properties.ts'
import { ByteWriter } from '../../src/wire/byte-writer.ts'

function message(body: string | Buffer, properties: BasicProperties): Message {
  const writer = new ByteWriter()
  writeProperties(writer, properties)
  const bytes = Buffer.concat([writer.written(), Buffer.from(body)])
  return new Message('tag', 1, false, 'exchange', 'key', bytes, 0, writer.offset, bytes.length, undefined)
}

const json = { contentType: 'application/json' }

describe('decodeContent', () => {
  it('reads JSON as Python writes it', () => {
    const body = decodeContent(
      message('{"a": NaN, "b": 100000000000000000001}', json),
      acceptedTypes(['json']),
    )
    expect(body).toEqual({ a: NaN, b: 100000000000000000001n })
  })

  it('reads text and raw bytes when they are accepted', () => {
    expect(decodeContent(message('π', { contentType: 'text/plain' }), acceptedTypes(['text']))).toBe('π')
    const raw = decodeContent(message('π', { contentType: 'application/data' }), acceptedTypes(['raw']))
    expect(raw).toEqual(Buffer.from('π'))
  })

  it.each(['application/x-python-serialize', 'text/plain', 'application/json; charset=utf-8', ''])(
    'refuses content type %j where only JSON is accepted',
    (contentType) => {
      expect(() => decodeContent(message('{}', { contentType }), acceptedTypes(['json']))).toThrow(
        expect.objectContaining({ code: 'E_CONTENT' }),
      )
    },
  )

  it('takes a message without a content type for raw bytes, as kombu does', () => {
    expect(() => decodeContent(message('{}', {}), acceptedTypes(['json']))).toThrow(
      expect.objectContaining({ code: 'E_CONTENT' }),
    )
    expect(decodeContent(message('{}', {}), acceptedTypes(['application/data']))).toEqual(Buffer.from('{}'))
  })

  it('says that a body is no JSON without repeating it', () => {
    expect(() => decodeContent(message('hunter2', json), acceptedTypes(['json']))).toThrow(
      expect.objectContaining({ code: 'E_DECODE', message: expect.not.stringContaining('hunter2') }),
    )
  })
})

describe('acceptedTypes', () => {
  it('knows names and content types', () => {
    expect([...acceptedTypes(['json', 'text/plain'])]).toEqual(['application/json', 'text/plain'])
  })

  it('refuses what nobody can read, naming it', () => {
    expect(() => acceptedTypes(['json', 'pickle', 'yaml'])).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringMatching(/pickle.*yaml/s) }),
    )
  })
})

describe('decompressedBody', () => {
  const compressed = (body: Buffer, compression: string): Message =>
    message(body, { headers: { compression } })

  it("reads kombu's gzip, which is a zlib stream", () => {
    expect(decompressedBody(compressed(deflateSync('text'), 'application/x-gzip')).toString()).toBe('text')
  })

  it('reads brotli', () => {
    expect(decompressedBody(compressed(brotliCompressSync('text'), 'application/x-brotli')).toString()).toBe(
      'text',
    )
  })

  it('leaves a body without the header alone', () => {
    expect(decompressedBody(message('text', {})).toString()).toBe('text')
  })

  it.each([
    ['a damaged stream', deflateSync('text').subarray(0, 5), 'application/x-gzip'],
    ['true gzip framing under kombu’s label', gzipSync('text'), 'application/x-gzip'],
    ['a compression that Node lacks', Buffer.from('x'), 'application/x-bz2'],
  ])('refuses %s', (_, body, compression) => {
    expect(() => decompressedBody(compressed(body, compression))).toThrow(
      expect.objectContaining({ code: 'E_DECODE' }),
    )
  })

  it('refuses a bomb before it is unfolded', () => {
    const bomb = deflateSync(Buffer.alloc(65 * 1024 * 1024))
    expect(() => decompressedBody(compressed(bomb, 'application/x-gzip'))).toThrow(
      expect.objectContaining({ code: 'E_DECODE' }),
    )
  })
})
