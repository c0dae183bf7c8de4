import { describe, expect, it } from 'vitest'
import { brotliCompression, zlibCompression } from '../../src/entities/compression.ts'
import { CompressionRegistry, DEFAULT_COMPRESSIONS } from '../../src/entities/compression-registry.ts'
import { jsonSerializer, rawSerializer, type Serializer } from '../../src/entities/serializer.ts'
import { DEFAULT_SERIALIZERS, SerializerRegistry } from '../../src/entities/serializer-registry.ts'

const misconfigured = expect.objectContaining({ code: 'E_CONFIG' })
const custom = (names: Partial<Serializer>): Serializer => ({ ...rawSerializer, aliases: [], ...names })

describe('SerializerRegistry', () => {
  it('finds each by name, content type and alias, and nothing by the names that every object has', () => {
    expect(DEFAULT_SERIALIZERS.find('json')).toBe(jsonSerializer)
    expect(DEFAULT_SERIALIZERS.find('application/octet-stream')).toBe(rawSerializer)
    for (const name of ['pickle', 'toString', '__proto__', ''])
      expect(DEFAULT_SERIALIZERS.find(name)).toBeUndefined()
  })

  it('stays as it is when another is made with one more', () => {
    const yaml = custom({ name: 'yaml', contentType: 'application/x-yaml' })
    const more = DEFAULT_SERIALIZERS.with(yaml)
    expect(more.find('application/x-yaml')).toBe(yaml)
    expect([...more]).toEqual([...DEFAULT_SERIALIZERS, yaml])
    expect(DEFAULT_SERIALIZERS.find('yaml')).toBeUndefined()
  })

  it('replaces whatever has the same name or content type', () => {
    const json = custom({ name: 'json5', contentType: 'application/json' })
    expect(DEFAULT_SERIALIZERS.with(json).names.toSorted()).toEqual(['json5', 'raw', 'text'])
    const raw = custom({ name: 'bytes', contentType: 'x/bytes', aliases: ['application/octet-stream'] })
    expect(DEFAULT_SERIALIZERS.with(raw).names.toSorted()).toEqual(['bytes', 'json', 'text'])
  })

  it('refuses two of one name', () => {
    expect(() => new SerializerRegistry([jsonSerializer, custom({ name: 'json' })])).toThrow(misconfigured)
  })
})

describe('CompressionRegistry', () => {
  it('finds each by label and alias', () => {
    expect(DEFAULT_COMPRESSIONS.find('gzip')).toBe(zlibCompression)
    expect(DEFAULT_COMPRESSIONS.find('application/x-brotli')).toBe(brotliCompression)
    expect(DEFAULT_COMPRESSIONS.find('constructor')).toBeUndefined()
  })

  it('takes one more, which replaces its namesakes, and refuses two of one name', () => {
    const gzip = { ...brotliCompression, contentType: 'application/gzip', aliases: ['gzip'] }
    const changed = DEFAULT_COMPRESSIONS.with(gzip)
    expect(changed.find('gzip')).toBe(gzip)
    expect(changed.find('application/x-gzip')).toBeUndefined()
    expect(() => new CompressionRegistry([zlibCompression, gzip])).toThrow(misconfigured)
  })

  it.each([...DEFAULT_COMPRESSIONS].map((compression) => [compression.contentType, compression] as const))(
    'gives back what %s compressed, and no byte more than allowed',
    (_, compression) => {
      const body = Buffer.from('again and '.repeat(1000))
      const compressed = compression.compress(body)
      expect(compressed.length).toBeLessThan(500)
      expect(Buffer.from(compression.decompress(compressed, body.length)).equals(body)).toBe(true)
      expect(() => compression.decompress(compressed, body.length - 1)).toThrow(RangeError)
    },
  )
})
