import { InvalidUrlError } from '@hermod/kernel'
import {
  parseConf,
  parseTransportUrl,
  transportUrlFromConf,
  TransportUrl,
  type TransportHostParts,
} from '@hermod/messaging'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const runs = { numRuns: 2000 }

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const wild = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from('@:/?#,%&=+[]$\\ \n\t"\'~!*()')),
    fc.constantFrom('a', 'ä', '😀', '0'),
  ),
  maxLength: 12,
})
const part = fc.oneof(text, wild)
const hostname = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
const host: fc.Arbitrary<TransportHostParts> = fc.record({
  hostname,
  port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  // A password without a user name is written as one behind an empty name.
  username: part,
  password: fc.option(part, { nil: undefined }),
})
const urlParts = fc.record({
  scheme: fc.constantFrom('rabbit', 'kombu+memory', 'kafka'),
  hosts: fc.array(host, { maxLength: 4 }),
  virtualHost: part,
  query: fc.dictionary(
    part,
    part.filter((value) => value !== ''),
    { maxKeys: 3, noNullPrototype: true },
  ),
})

const plain = (url: TransportUrl): unknown => ({
  scheme: url.scheme,
  hosts: url.hosts.map(({ hostname: name, port, username, password }) => ({
    hostname: name,
    port,
    username,
    password,
  })),
  virtualHost: url.virtualHost,
  query: Object.entries(url.query),
})

describe('a transport URL', () => {
  it('comes back from its own text, whatever its parts hold', () => {
    fc.assert(
      fc.property(urlParts, (parts) => {
        const url = new TransportUrl(parts)
        expect(plain(parseTransportUrl(url.unmasked()))).toEqual(plain(url))
      }),
      runs,
    )
  })

  it('comes back from a configuration file', () => {
    fc.assert(
      fc.property(urlParts, (parts) => {
        const url = new TransportUrl(parts)
        const conf = parseConf(`[DEFAULT]\ntransport_url = ${url.unmasked().replaceAll('$', '$$$$')}`)
        expect(transportUrlFromConf(conf).unmasked()).toBe(url.unmasked())
      }),
      runs,
    )
  })

  it('shows no password in any output', () => {
    const secret = fc.uuid().map((id) => `s3:@/,${id}`)
    fc.assert(
      fc.property(urlParts, fc.array(secret, { minLength: 1, maxLength: 4 }), (parts, secrets) => {
        const hosts = secrets.map((password, index) => ({ hostname: `h${index}`, username: 'u', password }))
        const url = new TransportUrl({ ...parts, hosts })
        const shown = `${String(url)} ${JSON.stringify(url)} ${JSON.stringify(url.hosts)}`
        expect(secrets.filter((password) => shown.includes(password.slice(7)))).toEqual([])
      }),
    )
  })
})

describe('any text', () => {
  it('is read or refused, never with a part of it in the refusal', () => {
    const anything = fc.oneof(
      wild,
      fc.tuple(wild, wild).map(([user, rest]) => `rabbit://${user}:hunter2@${rest}`),
    )
    fc.assert(
      fc.property(anything, (given) => {
        let problem: unknown
        try {
          const url = parseTransportUrl(given)
          expect(plain(parseTransportUrl(url.unmasked()))).toEqual(plain(url))
        } catch (error) {
          problem = error
        }
        expect(problem === undefined || problem instanceof InvalidUrlError).toBe(true)
        expect(JSON.stringify(problem) ?? '').not.toContain('hunter2')
      }),
      runs,
    )
  })
})
