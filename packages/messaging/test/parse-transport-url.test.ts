import { InvalidUrlError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { DEFAULT_TRANSPORT_URL, parseTransportUrl } from '../src/index.ts'

type Host = readonly [hostname: string, port: number | null, username: string | null, password: string | null]

const hosts = (url: string): Host[] =>
  parseTransportUrl(url).hosts.map(({ hostname, port, username, password }) => [
    hostname,
    port ?? null,
    username ?? null,
    password ?? null,
  ])

describe('hosts', () => {
  // What oslo.messaging 18.3.1 made of the same texts.
  it.each<readonly [string, readonly Host[]]>([
    ['rabbit://', []],
    ['rabbit:///vh', []],
    ['rabbit://h', [['h', null, null, null]]],
    ['rabbit://H/', [['H', null, null, null]]],
    ['rabbit://u:p@h:5672/v', [['h', 5672, 'u', 'p']]],
    ['rabbit://u:p@ss@h/', [['h', null, 'u', 'p@ss']]],
    ['rabbit://u:p:q@h', [['h', null, 'u', 'p:q']]],
    ['rabbit://u:p%40%2F%2C%3A%25@h/', [['h', null, 'u', 'p@/,:%']]],
    ['rabbit://u:100%@h/', [['h', null, 'u', '100%']]],
    ['rabbit://u:%zz%e4@h/', [['h', null, 'u', '%zz\uFFFD']]],
    ['rabbit://%C3%A4:%c3%a4@h', [['h', null, 'ä', 'ä']]],
    ['rabbit://u:a+b@h', [['h', null, 'u', 'a+b']]],
    ['rabbit://@h', [['h', null, '', null]]],
    ['rabbit://:p@h', [['h', null, '', 'p']]],
    ['rabbit://u@h', [['h', null, 'u', null]]],
    ['rabbit://u:@h', [['h', null, 'u', '']]],
    ['rabbit://u:p@/v', [['', null, 'u', 'p']]],
    ['rabbit://:5672', [['', 5672, null, null]]],
    [
      'rabbit://,h,,g/',
      [
        ['h', null, null, null],
        ['g', null, null, null],
      ],
    ],
    ['rabbit://[::1]:5672/', [['::1', 5672, null, null]]],
    ['rabbit://u:p@[::1]/', [['::1', null, 'u', 'p']]],
    ['rabbit://fe80::1/', [['fe80::1', null, null, null]]],
    ['rabbit://u:p@fe80::1%eth0/', [['fe80::1%eth0', null, 'u', 'p']]],
    [
      'rabbit://h1,[::1]:5/',
      [
        ['h1', null, null, null],
        ['::1', 5, null, null],
      ],
    ],
  ])('%s', (url, expected) => {
    expect(hosts(url)).toEqual(expected)
  })

  it('does not inherit credentials', () => {
    expect(hosts('rabbit://u:p@h1,h2:1,v@h3/v')).toEqual([
      ['h1', null, 'u', 'p'],
      ['h2', 1, null, null],
      ['h3', null, 'v', null],
    ])
  })

  it('may be folded over lines, as in a configuration file', () => {
    expect(hosts('  rabbit://u:p@h1:5672,\n  v:q@h2:5672/\r\n')).toEqual([
      ['h1', 5672, 'u', 'p'],
      ['h2', 5672, 'v', 'q'],
    ])
  })
})

describe('virtual host', () => {
  it.each([
    ['rabbit://h', ''],
    ['rabbit://h/', ''],
    ['rabbit://h//', '/'],
    ['rabbit://h/%2F', '/'],
    ['rabbit://h/v', 'v'],
    ['rabbit://h/a/b', 'a/b'],
    ['rabbit://h/a%20%C3%A4%3F', 'a ä?'],
    ['rabbit://h/a+b', 'a+b'],
    ['rabbit://h/v?ssl=1', 'v'],
    ['rabbit://h?ssl=1', ''],
  ])('%s', (url, expected) => {
    expect(parseTransportUrl(url).virtualHost).toBe(expected)
  })
})

describe('query', () => {
  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['', {}],
    ['?', {}],
    ['?ssl=true&ssl=1&x=&y=a+b%20c', { ssl: 'true,1', y: 'a b c' }],
    ['?a=1;b=2', { a: '1;b=2' }],
    ['?a', {}],
    ['?a=b=c&&=d', { a: 'b=c', '': 'd' }],
    ['?a%20b=c%26d', { 'a b': 'c&d' }],
    ['?x=%2Fetc%2Fca.pem', { x: '/etc/ca.pem' }],
    ['?x=/a?b', { x: '/a?b' }],
  ])('%s', (query, expected) => {
    expect(parseTransportUrl(`rabbit://h/${query}`).query).toEqual(expected)
  })

  it('keeps __proto__ an ordinary option', () => {
    const { query } = parseTransportUrl('rabbit://h/?__proto__=x')
    expect(Object.keys(query)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(query)).toBe(Object.prototype)
  })
})

describe('scheme', () => {
  it.each([
    ['rabbit://h', 'rabbit', 'rabbit'],
    ['RABBIT://h', 'rabbit', 'rabbit'],
    ['kombu+memory://h', 'kombu+memory', 'kombu'],
    ['a+b+c.d-1://h', 'a+b+c.d-1', 'a'],
  ])('%s', (url, scheme, driver) => {
    expect(parseTransportUrl(url)).toMatchObject({ scheme, driver })
  })

  it.each([undefined, '', '  \n'])('is rabbit without defaults of its own for %j', (text) => {
    expect(parseTransportUrl(text)).toMatchObject({ driver: 'rabbit', hosts: [], virtualHost: '', query: {} })
    expect(parseTransportUrl(text).unmasked()).toBe(parseTransportUrl(DEFAULT_TRANSPORT_URL).unmasked())
  })
})

describe('URLs that are refused', () => {
  const HINT = " ('/', '?' and '#' in a password are written %2F, %3F and %23)"
  const PORT = 'has a port that is no number from 1 to 65535'
  it.each([
    ['hunter2', "the transport URL has no 'driver://' in front (an example: rabbit://host:5672/)"],
    ['//u:hunter2@h', "the transport URL has no 'driver://' in front (an example: rabbit://host:5672/)"],
    ['h:5672', "the transport URL has no 'driver://' in front (an example: rabbit://host:5672/)"],
    [
      '1rabbit://u:hunter2@h',
      "the transport URL has no 'driver://' in front (an example: rabbit://host:5672/)",
    ],
    ['rabbit:h', "the transport URL has no 'driver://' in front (an example: rabbit://host:5672/)"],
    ['rabbit://u:hunter2@h:', `host 1 of the transport URL ${PORT}`],
    ['rabbit://u:hunter2@h:x', `host 1 of the transport URL ${PORT}`],
    ['rabbit://g,u:hunter2@h:0', `host 2 of the transport URL ${PORT}`],
    ['rabbit://u:hunter2@h:65536', `host 1 of the transport URL ${PORT}`],
    ['rabbit://u:hunter2@h:+1', `host 1 of the transport URL ${PORT}`],
    ['rabbit://u:hunter2@h:5672:1', "host 1 of the transport URL has several ':' and is no IPv6 address"],
    ['rabbit://u:hunter2@[::1', "host 1 of the transport URL has a '[' without ']'"],
    [
      'rabbit://u:hunter2@[::1]x',
      "host 1 of the transport URL has something other than ':port' behind its ']'",
    ],
    ['rabbit://u:hunter2@h g/', 'host 1 of the transport URL has a blank in its name'],
    ['rabbit://u:hunter2/x@h:5672/', `host 1 of the transport URL ${PORT}${HINT}`],
    ['rabbit://u:hunter2?x@h:5672/', `host 1 of the transport URL ${PORT}${HINT}`],
    ['rabbit://u:hunter2#x@h/', "the transport URL has a '#'; inside a part it is written %23"],
    ['rabbit://h/v#hunter2', "the transport URL has a '#'; inside a part it is written %23"],
  ])('%s', (url, message) => {
    expect(() => parseTransportUrl(url)).toThrow(new InvalidUrlError(message))
    expect(message).not.toContain('hunter2')
  })
})
