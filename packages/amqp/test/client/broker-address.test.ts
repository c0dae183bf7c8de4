import { inspect } from 'node:util'
import { isHermodError } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatServer, parseAmqpUrl } from '../../src/index.ts'

/** Everything that a log could show of what `parse` throws. */
function shown(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    if (!isHermodError(error) || error.code !== 'E_URL') throw error
    const { message, stack, cause } = error
    return [message, stack, String(cause), inspect(error, { depth: 9 }), JSON.stringify(error)].join('\n')
  }
  throw new TypeError('nothing was thrown')
}

describe('parseAmqpUrl', () => {
  it('has a default for everything but the scheme', () => {
    expect(parseAmqpUrl('amqp://')).toEqual({
      hostname: 'localhost',
      port: 5672,
      username: 'guest',
      password: 'guest',
      virtualHost: '/',
      tls: undefined,
      heartbeatMs: undefined,
      connectTimeoutMs: undefined,
    })
    expect(parseAmqpUrl('amqps://h')).toMatchObject({ port: 5671, tls: {} })
    expect(parseAmqpUrl('AMQPS://h:5671')).toMatchObject({ port: 5671, tls: {} })
  })

  it.each(['amqp://h', 'amqp://h/', 'amqp://h//', 'amqp://h/%2F', 'amqp://h/%2f', 'amqp://h?heartbeat=1'])(
    'reads the virtual host / out of %s',
    (url) => expect(parseAmqpUrl(url)).toMatchObject({ hostname: 'h', virtualHost: '/' }),
  )

  it('keeps the password out of logs, and in copies', () => {
    const url = parseAmqpUrl('amqp://user:hunter2@h')
    const nested = { options: { servers: [url] } }
    for (const text of [inspect(nested, { depth: 9, showHidden: true }), JSON.stringify(nested)])
      expect(text).not.toContain('hunter2')
    expect(JSON.parse(JSON.stringify(url))).toMatchObject({
      hostname: 'h',
      username: 'user',
      password: '***',
    })
    expect({ ...url, port: 1 }).toMatchObject({ password: 'hunter2', port: 1 })
  })

  it('takes every part percent-encoded', () => {
    const url = 'amqp://us%40er:p%3A%2F%3F%23%5B%5D%40%25w@h%2Dx:1234/v%20h%2F%C3%A9'
    expect(parseAmqpUrl(url)).toMatchObject({
      hostname: 'h-x',
      port: 1234,
      username: 'us@er',
      password: 'p:/?#[]@%w',
      virtualHost: 'v h/é',
    })
  })

  it('reads back whatever was percent-encoded', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1 })
    const property = fc.property(part, part, part, (username, password, virtualHost) => {
      const [u, p, v] = [username, password, virtualHost].map(encodeURIComponent)
      expect(parseAmqpUrl(`amqp://${u}:${p}@h/${v}`)).toMatchObject({ username, password, virtualHost })
    })
    fc.assert(property, {
      numRuns: 1000,
      examples: [
        ['.', '.', '.'],
        ['a', 'b', '..'],
      ],
    })
  })

  it('gives no password to a user who has none, and guest to nobody', () => {
    expect(parseAmqpUrl('amqp://me@h')).toMatchObject({ username: 'me', password: '' })
    expect(parseAmqpUrl('amqp://:pw@h')).toMatchObject({ username: 'guest', password: 'pw' })
  })

  it('reads IPv6 addresses, and writes them in brackets', () => {
    const address = parseAmqpUrl('amqp://[2001:db8::1]:5673/v')
    expect(address).toMatchObject({ hostname: '2001:db8::1', port: 5673, virtualHost: 'v' })
    expect(formatServer(address)).toBe('[2001:db8::1]:5673')
    expect(formatServer({ hostname: 'h', port: 1 })).toBe('h:1')
  })

  it('takes heartbeat in seconds and connection_timeout in milliseconds', () => {
    expect(parseAmqpUrl('amqp://h?heartbeat=60&connection_timeout=2500')).toMatchObject({
      heartbeatMs: 60_000,
      connectTimeoutMs: 2500,
    })
    expect(parseAmqpUrl('amqp://h/v?heartbeat=0')).toMatchObject({ heartbeatMs: 0, virtualHost: 'v' })
  })

  it.each(['-1', '1.5', '', 'ten', '65536', '1e3', ' 1'])('refuses heartbeat=%s', (value) => {
    expect(() => parseAmqpUrl(`amqp://h?heartbeat=${encodeURIComponent(value)}`)).toThrow("'heartbeat'")
  })

  it('refuses an unknown key and names the known ones', () => {
    expect(() => parseAmqpUrl('amqp://h?hartbeat=1')).toThrow(
      "unknown setting 'hartbeat' in the broker URL; known are heartbeat, connection_timeout, auth_mechanism",
    )
  })

  it.each([
    ['localhost', 'has no scheme'],
    ['', 'has no scheme'],
    ['http://h', 'not http://'],
    ['amqp://h:port', 'cannot be read'],
    ['amqp://h:65536', 'cannot be read'],
    ['amqp://h/%zz', "the virtual host in the broker URL holds a '%'"],
    ['amqp://h/v#f', 'write it as %23'],
  ])('refuses %j', (url, words) => {
    expect(() => parseAmqpUrl(url)).toThrow(words)
  })

  // What people paste: a password with characters that a URL gives a meaning. `hunter2` is never to be seen.
  it.each([
    'amqp://user:hunter2#@host/',
    'amqp://user:#hunter2@host/',
    'amqp://user:/hunter2@host/',
    'amqp://user:hunter2/@host/',
    'amqp://user:77/hunter2@host/v',
    'amqp://user:77?hunter2@host/',
    'amqp://user:77/x?hunter2@host/',
    'amqp://user:77?heartbeat=hunter2@host/',
    'amqp://user:77?hunter2=1@host/',
    'amqp://user:hunter2%zz@host/',
    'amqp://user:hunter2@host:nonsense/',
    'amqp://user:hunter2@/',
    'amqp://user:hunter2@ho st/',
    'amqp://user:hunter2@host/%zz',
    'amqp://user:hunter2@host?no=1',
    'rabbit://user:hunter2@host/',
    'user:hunter2@host',
  ])('shows no secret of %s', (url) => {
    expect(shown(() => parseAmqpUrl(url))).not.toContain('hunter2')
  })
})
