import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSecretKey, MASK, maskUrlCredentials, redactSecrets } from '../src/index.ts'

describe('isSecretKey', () => {
  it.each([
    'password',
    'adminPass',
    'admin_pass',
    'admin-pass',
    'X-Auth-Token',
    'auth_token',
    'token',
    'service_catalog',
    'user_data',
    'private_key',
    'hmac_key',
    'trust_id',
    'partial_password_hash',
    'Set-Cookie',
    'Authorization',
    'client_secret',
    'os_password',
    'db pass',
    'credentials',
  ])('knows %s', (key) => {
    expect(isSecretKey(key)).toBe(true)
  })

  it.each(['bypass', 'compass', 'tokens_count', 'user_id', 'passed', 'key_name', 'public_key', 'state', ''])(
    'lets %s through',
    (key) => {
      expect(isSecretKey(key)).toBe(false)
    },
  )
})

describe('maskUrlCredentials', () => {
  it.each([
    ['amqp://u:p@h', 'amqp://u:***@h'],
    ['AMQPS://u:p@h:5671/v', 'AMQPS://u:***@h:5671/v'],
    ['rabbit+x://u:@h', 'rabbit+x://u:***@h'],
    ['amqp://:p@h', 'amqp://:***@h'],
    ['amqp://u:p:q@h', 'amqp://u:***@h'],
    ['amqp://u:p@ss@h/v', 'amqp://u:***@h/v'],
    ['amqp://u:p%40%2F%2C@h/v', 'amqp://u:***@h/v'],
    ['rabbit://u:p@h1:5672,v:q@h2:5672/v', 'rabbit://u:***@h1:5672,v:***@h2:5672/v'],
    ['rabbit://u:p@h1,h2:5672/', 'rabbit://u:***@h1,h2:5672/'],
    ['rabbit://h1:5672,u:p@h2/', 'rabbit://h1:5672,u:***@h2/'],
    ['rabbit://[::1]:5672,u:p@[::2]:5672/', 'rabbit://[::1]:5672,u:***@[::2]:5672/'],
    ['rabbit://u:p,w@h1,v:q@h2/', 'rabbit://u:***@h1,v:***@h2/'],
    ['rabbit://u:p,q,w@h1/', 'rabbit://u:***@h1/'],
    ['amqp://u:pa/ss@h:5672/', 'amqp://u:***@h:5672/'],
    ['amqp://u:pa?ss@h/', 'amqp://u:***@h/'],
    ['amqp://u:pa#ss@h/', 'amqp://u:***@h/'],
    ['{"a":"amqp://u:p@h/","b":"c:d@e"}', '{"a":"amqp://u:***@h/","b":"c:d@e"}'],
    ['amqp://u:/p@ @h', 'amqp://u:***@h'],
    ['from amqp://u:p@h1 to amqp://v:q@h2', 'from amqp://u:***@h1 to amqp://v:***@h2'],
  ])('%s', (text, masked) => {
    expect(maskUrlCredentials(text)).toBe(masked)
  })

  it.each([
    'amqp://h:5672/v',
    'amqp://user@h/',
    'rabbit://h1:5672,h2:5672/?a=b@c',
    'http://h:5000/v3/users/a@b',
    'see amqp://h:5672/v and write to a@b',
    'no URL, but a:b@c',
    '',
  ])('leaves %s alone', (text) => {
    expect(maskUrlCredentials(text)).toBe(text)
  })

  it('never lets a password through that is not a mere port', () => {
    const password = fc
      .string({ minLength: 8, maxLength: 20, unit: fc.constantFrom(...Array.from('abcXYZ019:,%!$&=+-')) })
      .filter((text) => text.split(',').every((part) => /[a-zA-Z]{2}/.test(part)))
    fc.assert(
      fc.property(fc.array(password, { minLength: 1, maxLength: 3 }), (passwords) => {
        const url = `rabbit://${passwords.map((secret, index) => `u:${secret}@h${index}:5672`).join(',')}/v`
        const masked = `rabbit://${passwords.map((_, index) => `u:${MASK}@h${index}:5672`).join(',')}/v`
        expect(maskUrlCredentials(url)).toBe(masked)
      }),
      { numRuns: 500 },
    )
  })

  it('masks what was masked to the same text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('ab1:/@,?#. ')), maxLength: 30 }),
        (rest) => {
          const once = maskUrlCredentials(`x://${rest}`)
          expect(maskUrlCredentials(once)).toBe(once)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('redactSecrets', () => {
  it('masks by key and by URL, at every level, in a copy', () => {
    const given = {
      a: [{ password: 'p' }],
      url: 'amqp://u:p@h',
      token: null,
      n: 1,
      big: 2n ** 70n,
      flag: false,
    }
    expect(redactSecrets(given)).toEqual({
      a: [{ password: MASK }],
      url: 'amqp://u:***@h',
      token: null,
      n: 1,
      big: 2n ** 70n,
      flag: false,
    })
    expect(given.a[0]?.password).toBe('p')
  })

  it('masks whole objects and empty texts under a secret key', () => {
    expect(redactSecrets({ credentials: { user: 'u' }, password: '', secret: 0 })).toEqual({
      credentials: MASK,
      password: MASK,
      secret: MASK,
    })
  })

  it('names what it does not copy', () => {
    class Socket {
      readonly password = 'p'
    }
    expect(
      redactSecrets([Buffer.from('secret'), new Map([['password', 'p']]), new Socket(), () => {}]),
    ).toEqual(['<6 bytes>', '<Map>', '<Socket>', '<function>'])
  })

  it('writes errors and dates as text', () => {
    expect(redactSecrets([new Error('at amqp://u:p@h'), new Date(0), new Date(NaN)])).toEqual([
      'at amqp://u:***@h',
      '1970-01-01T00:00:00.000Z',
      null,
    ])
  })

  it('keeps records of any prototype, and __proto__ an ordinary member', () => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": "c"}') as object
    const copy = redactSecrets(hostile) as Record<string, unknown>
    expect(Object.keys(copy)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(copy['polluted']).toBeUndefined()
    expect(redactSecrets(Object.assign(Object.create(null), { password: 'p' }))).toEqual({ password: MASK })
  })

  it('ends on a value that contains itself', () => {
    const cycle: Record<string, unknown> = { password: 'p' }
    cycle['self'] = cycle
    expect(JSON.stringify(redactSecrets(cycle))).not.toContain('"p"')
  })
})
