import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseTransportUrl, TransportUrl } from '../src/index.ts'

const URL_WITH_SECRETS =
  'rabbit://nova:hunter2@h1:5672,nova:hunter2%40%2F@[::1]:5673/v?ssl=1&ssl_key_password=hunter2'

describe('TransportUrl', () => {
  it('shows no secret, however it is written', () => {
    const url = parseTransportUrl(URL_WITH_SECRETS)
    const masked = 'rabbit://nova:***@h1:5672,nova:***@[::1]:5673/v?ssl=1&ssl_key_password=***'
    expect(String(url)).toBe(masked)
    expect(JSON.stringify({ url })).toBe(JSON.stringify({ url: masked }))
    expect(inspect(url)).toBe(`TransportUrl { ${masked} }`)
    for (const output of [
      inspect([url.hosts], { depth: null, showHidden: true }),
      JSON.stringify(url.hosts),
      JSON.stringify(Object.assign({}, url.hosts[0])),
    ]) {
      expect(output).not.toContain('hunter2')
      expect(output).toContain('h1')
    }
  })

  it('gives the passwords to who asks', () => {
    const url = parseTransportUrl(URL_WITH_SECRETS)
    expect(url.unmasked()).toBe(URL_WITH_SECRETS)
    expect(url.hosts.map(({ password }) => password)).toEqual(['hunter2', 'hunter2@/'])
  })

  it.each([
    ['rabbit://h//', 'rabbit://h//'],
    ['rabbit://h/%2F', 'rabbit://h//'],
    ['rabbit://h/a/b', 'rabbit://h/a/b'],
    ['rabbit://', 'rabbit:///'],
    ['rabbit://@h', 'rabbit://@h/'],
    ['rabbit://u:@h', 'rabbit://u:@h/'],
    ['rabbit://:p@h', 'rabbit://:p@h/'],
    ['rabbit://fe80::1', 'rabbit://[fe80::1]/'],
    ["rabbit://u:!'()*~-._@h", 'rabbit://u:%21%27%28%29%2A~-._@h/'],
    ['rabbit://u:%c3%a4@h/?b=%26&a=1,2', 'rabbit://u:%C3%A4@h/?b=%26&a=1%2C2'],
  ])('writes %s as %s', (text, written) => {
    expect(parseTransportUrl(text).unmasked()).toBe(written)
  })

  it('cannot be changed', () => {
    const url = parseTransportUrl('rabbit://u:p@h/?a=1')
    for (const part of [url, url.hosts, url.hosts[0], url.query]) expect(Object.isFrozen(part)).toBe(true)
  })

  it('can be made of parts, which stay the caller’s', () => {
    const query = { ssl: '1' }
    const url = new TransportUrl({ scheme: 'RABBIT', hosts: [{ hostname: 'h', password: 'p' }], query })
    query.ssl = '0'
    expect(url.unmasked()).toBe('rabbit://:p@h/?ssl=1')
    expect(new TransportUrl({ scheme: 'kombu+memory' })).toMatchObject({
      driver: 'kombu',
      hosts: [],
      virtualHost: '',
    })
  })

  it('writes half a surrogate pair as the replacement character', () => {
    expect(new TransportUrl({ scheme: 'rabbit', virtualHost: 'a\uD800b' }).unmasked()).toBe(
      'rabbit:///a%EF%BF%BDb',
    )
  })
})
