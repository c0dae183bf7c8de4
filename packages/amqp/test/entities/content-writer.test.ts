import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { DEFAULT_COMPRESSIONS } from '../../src/entities/compression-registry.ts'
import { writeContent, type ContentChoice, type WrittenContent } from '../../src/entities/content-writer.ts'
import type { Serializer } from '../../src/entities/serializer.ts'
import { DEFAULT_SERIALIZERS } from '../../src/entities/serializer-registry.ts'

const write = (value: unknown, choice: ContentChoice = {}): WrittenContent =>
  writeContent(value, choice, DEFAULT_SERIALIZERS, DEFAULT_COMPRESSIONS)

const shown = ({ body, contentType, contentEncoding, compression }: WrittenContent): unknown[] => [
  Buffer.from(body).toString('latin1'),
  contentType,
  contentEncoding,
  ...(compression === undefined ? [] : [compression]),
]

describe('writeContent', () => {
  it.each<[string, unknown, ContentChoice, unknown[]]>([
    ['an object', { a: 1n }, {}, ['{"a":1}', 'application/json', 'utf-8']],
    ['nothing', null, {}, ['null', 'application/json', 'utf-8']],
    ['bytes', Buffer.from([0xff]), {}, ['ÿ', 'application/data', 'binary']],
    ['text', 'é', {}, ['Ã©', 'text/plain', 'utf-8']],
    ['text with a serializer', 'x', { serializer: 'json' }, ['"x"', 'application/json', 'utf-8']],
    [
      'a serializer by content type',
      'x',
      { serializer: 'application/json' },
      ['"x"', 'application/json', 'utf-8'],
    ],
    ['labelled bytes', Buffer.from('a,b'), { contentType: 'text/csv' }, ['a,b', 'text/csv', 'binary']],
    ['labelled text', 'é', { contentType: 'text/csv' }, ['Ã©', 'text/csv', 'utf-8']],
    [
      'labelled text in a character set',
      'é',
      { contentType: 'text/csv', contentEncoding: 'latin-1' },
      ['é', 'text/csv', 'latin-1'],
    ],
    [
      'labelled bytes with a character set',
      Buffer.from('é', 'latin1'),
      { contentType: 'text/csv', contentEncoding: 'latin-1' },
      ['é', 'text/csv', 'latin-1'],
    ],
  ])('writes %s as kombu does', (_, value, choice, expected) => {
    expect(shown(write(value, choice))).toEqual(expected)
  })

  it('leaves the caller’s bytes where they are', () => {
    const bytes = Buffer.from('{}')
    expect(write(bytes).body).toBe(bytes)
    expect(write(bytes, { contentType: 'application/json' }).body).toBe(bytes)
  })

  it.each(['gzip', 'zlib', 'application/x-gzip'])(
    'compresses as kombu does under the name %s',
    (compression) => {
      const { body, ...labels } = write({ a: 1 }, { compression })
      expect(inflateSync(body).toString()).toBe('{"a":1}')
      expect(labels).toEqual({
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        compression: 'application/x-gzip',
      })
    },
  )

  it.each<[string, unknown, ContentChoice, string]>([
    ['a value without a JSON form', () => {}, {}, 'E_ENCODE'],
    ['half a character', '\ud800', {}, 'E_ENCODE'],
    ['an object as text', {}, { serializer: 'text' }, 'E_ENCODE'],
    ['text as bytes', 'x', { serializer: 'raw' }, 'E_ENCODE'],
    ['an object with a contentType', {}, { contentType: 'text/csv' }, 'E_ENCODE'],
    [
      'characters that a character set lacks',
      'π',
      { contentType: 'text/csv', contentEncoding: 'latin-1' },
      'E_ENCODE',
    ],
    [
      'a character set that nobody knows',
      'x',
      { contentType: 'text/csv', contentEncoding: 'klingon' },
      'E_ENCODE',
    ],
    ['a serializer that is not there', {}, { serializer: 'pickle' }, 'E_ENCODE'],
    ['a compression that is not there', {}, { compression: 'bzip2' }, 'E_ENCODE'],
    ['a serializer and a contentType', {}, { serializer: 'json', contentType: 'text/csv' }, 'E_CONFIG'],
    ['a character set without a contentType', {}, { contentEncoding: 'latin-1' }, 'E_CONFIG'],
  ])('refuses %s', (_, value, choice, code) => {
    expect(() => write(value, choice)).toThrow(expect.objectContaining({ code }))
  })

  it('says which serializer failed, and keeps why', () => {
    const cause = new RangeError('not today')
    const broken: Serializer = {
      name: 'broken',
      contentType: 'application/x-broken',
      contentEncoding: 'binary',
      encode() {
        throw cause
      },
      decode: () => undefined,
    }
    const serializers = DEFAULT_SERIALIZERS.with(broken)
    expect(() => writeContent(1, { serializer: 'broken' }, serializers, DEFAULT_COMPRESSIONS)).toThrow(
      expect.objectContaining({ code: 'E_ENCODE', cause, message: expect.stringContaining('broken') }),
    )
  })
})
