import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Compression } from '../../src/entities/compression.ts'
import { DEFAULT_COMPRESSIONS } from '../../src/entities/compression-registry.ts'
import { ContentReader, decompressedBody, type ContentOptions } from '../../src/entities/content-reader.ts'
import type { Serializer } from '../../src/entities/serializer.ts'
import { DEFAULT_SERIALIZERS } from '../../src/entities/serializer-registry.ts'
import type { BasicProperties } from '../../src/wire/basic-properties.ts'
import { receivedMessage } from './received-message.ts'

const read = (body: string | Buffer, properties: BasicProperties, options?: ContentOptions): unknown =>
  new ContentReader(options).read(receivedMessage(body, properties))

const json = { contentType: 'application/json' }
const unreadable = expect.objectContaining({ code: 'E_DECODE' })

describe('ContentReader', () => {
  it('reads JSON as Python writes it, and nothing else unless it is told to', () => {
    expect(read('{"a": NaN, "b": 100000000000000000001}', json)).toEqual({
      a: NaN,
      b: 100000000000000000001n,
    })
    expect([...new ContentReader().accepted]).toEqual(['application/json'])
  })

  it('reads text and raw bytes when they are accepted', () => {
    expect(read('π', { contentType: 'text/plain' }, { accept: ['text'] })).toBe('π')
    expect(read('π', { contentType: 'application/data' }, { accept: ['raw'] })).toEqual(Buffer.from('π'))
    expect(read('π', { contentType: 'application/octet-stream' }, { accept: ['raw'] })).toEqual(
      Buffer.from('π'),
    )
  })

  it.each([
    'application/x-python-serialize',
    'application/data',
    'application/text',
    'text/plain',
    'application/json; charset=utf-8',
    '',
  ])('refuses content type %j where only JSON is accepted', (contentType) => {
    expect(() => read('{}', { contentType })).toThrow(expect.objectContaining({ code: 'E_CONTENT' }))
  })

  it('takes a message without a content type for raw bytes, as kombu does, and asks the accept list', () => {
    expect(() => read('{}', {})).toThrow(expect.objectContaining({ code: 'E_CONTENT' }))
    expect(read('{}', {}, { accept: ['application/data'] })).toEqual(Buffer.from('{}'))
  })

  it('says that a body is no JSON without repeating it', () => {
    expect(() => read('hunter2', json)).toThrow(
      expect.objectContaining({ code: 'E_DECODE', message: expect.not.stringContaining('hunter2') }),
    )
  })

  it('knows names and content types on the accept list', () => {
    const { accepted } = new ContentReader({ accept: ['json', 'text/plain'] })
    expect([...accepted]).toEqual(['application/json', 'text/plain', 'application/text'])
  })

  it('refuses what nobody can read, naming it', () => {
    expect(() => new ContentReader({ accept: ['json', 'pickle', 'yaml'] })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringMatching(/pickle.*yaml/s) }),
    )
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses %d as a limit', (maxDecompressedBytes) => {
    expect(() => new ContentReader({ maxDecompressedBytes })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    )
  })

  it.each([
    ['utf-8', Buffer.from('"é"')],
    ['UTF-8', Buffer.from('"é"')],
    ['utf_8', Buffer.from('"é"')],
    ['binary', Buffer.from('"é"')],
    ['latin-1', Buffer.from('"é"', 'latin1')],
    ['iso-8859-1', Buffer.from('"é"', 'latin1')],
    ['utf-16', Buffer.from('\ufeff"é"', 'utf16le')],
    ['utf-16', Buffer.from('\ufeff"é"', 'utf16le').swap16()],
    ['utf-16-be', Buffer.from('"é"', 'utf16le').swap16()],
    ['windows-1252', Buffer.from('"é"', 'latin1')],
  ])('reads JSON in the character set %s', (contentEncoding, body) => {
    expect(read(body, { ...json, contentEncoding })).toBe('é')
  })

  it.each([
    ['utf-8', Buffer.from([0x22, 0xe9, 0x22])],
    ['us-ascii', Buffer.from('"é"')],
    ['utf-16', Buffer.from([0x22, 0x00, 0x00])],
    ['klingon', Buffer.from('"e"')],
    ['__proto__', Buffer.from('"e"')],
    ['gzip', Buffer.from('"e"')],
  ])('refuses what is no text in %s', (contentEncoding, body) => {
    expect(() => read(body, { ...json, contentEncoding })).toThrow(unreadable)
  })

  it('reads latin-1 as Python does and browsers do not', () => {
    const text = read(
      Buffer.from([0x80]),
      { contentType: 'text/plain', contentEncoding: 'latin-1' },
      { accept: ['text'] },
    )
    expect(text).toBe('\u0080')
  })

  it("reads what kombu's raw serializer made of text as text", () => {
    const properties = { contentType: 'application/data', contentEncoding: 'utf-8' }
    expect(read('π', properties, { accept: ['raw'] })).toBe('π')
  })

  it('reads with a serializer that somebody brings, whose faults make the message unreadable', () => {
    const csv: Serializer = {
      name: 'csv',
      contentType: 'text/csv',
      contentEncoding: 'utf-8',
      encode: () => Buffer.of(),
      decode(body) {
        if (body.length === 0) throw new RangeError('nothing there')
        return body.toString().split(',')
      },
    }
    const options = { accept: ['csv'], serializers: DEFAULT_SERIALIZERS.with(csv) }
    expect(read('a,b', { contentType: 'text/csv' }, options)).toEqual(['a', 'b'])
    expect(() => read('', { contentType: 'text/csv' }, options)).toThrow(unreadable)
    expect(() => new ContentReader({ accept: ['csv'] })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    )
  })
})

describe('decompressedBody', () => {
  const body = (bytes: Buffer, compression: string): Buffer =>
    decompressedBody(receivedMessage(bytes, { headers: { compression } }))

  it.each(['application/x-gzip', 'gzip', 'zlib'])(
    "reads kombu's gzip, which is a zlib stream, under the label %s",
    (label) => {
      expect(body(deflateSync('text'), label).toString()).toBe('text')
    },
  )

  it('reads brotli', () => {
    expect(body(brotliCompressSync('text'), 'application/x-brotli').toString()).toBe('text')
  })

  it('leaves a body without the header alone', () => {
    expect(decompressedBody(receivedMessage('text', {})).toString()).toBe('text')
  })

  it.each([
    ['a damaged stream', deflateSync('text').subarray(0, 5), 'application/x-gzip'],
    ['true gzip framing under kombu’s label', gzipSync('text'), 'application/x-gzip'],
    ['a compression that Node lacks', Buffer.from('x'), 'application/x-bz2'],
    ['a name of every object', Buffer.from('x'), '__proto__'],
  ])('refuses %s', (_, bytes, compression) => {
    expect(() => body(bytes, compression)).toThrow(unreadable)
  })

  it('refuses a bomb before it is unfolded, at the limit that was set', () => {
    const bomb = deflateSync(Buffer.alloc(65 * 1024 * 1024))
    expect(() => body(bomb, 'application/x-gzip')).toThrow(unreadable)
    const message = receivedMessage(deflateSync(Buffer.from(`"${'x'.repeat(98)}"`)), {
      ...json,
      headers: { compression: 'application/x-gzip' },
    })
    expect(new ContentReader({ maxDecompressedBytes: 100 }).read(message)).toHaveLength(98)
    expect(() => new ContentReader({ maxDecompressedBytes: 99 }).read(message)).toThrow(unreadable)
  })

  it('holds a compression that somebody brings to the limit', () => {
    const doubled: Compression = {
      contentType: 'application/x-doubled',
      aliases: ['doubled'],
      compress: (bytes) => bytes.subarray(0, bytes.length / 2),
      decompress: (bytes) => Buffer.concat([bytes, bytes]),
    }
    const compressions = DEFAULT_COMPRESSIONS.with(doubled)
    const message = receivedMessage('ab', { headers: { compression: 'doubled' } })
    expect(decompressedBody(message, compressions, 4).toString()).toBe('abab')
    expect(() => decompressedBody(message, compressions, 3)).toThrow(unreadable)
  })
})
