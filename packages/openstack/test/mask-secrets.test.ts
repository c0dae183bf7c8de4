import type { JsonValue } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { maskSecrets } from '../src/index.ts'

const FERNET = `gAAAAABl${'Zk3-_x'.repeat(30)}==`
const JWT = `eyJhbGciOiJFUzI1NiJ9.${'eyJzdWIiOiJ1MSJ9'.repeat(2)}.c2lnbmF0dXJl`
const PEM = `-----BEGIN RSA PRIVATE KEY-----\nMIIEow${'A1b/'.repeat(20)}\n-----END RSA PRIVATE KEY-----`
const BLOB = 'I2Nsb3VkLWNvbmZpZwpwYXNzd29yZDogaHVudGVyMgo'.repeat(8)

const mask = (value: unknown): unknown => maskSecrets(value as JsonValue).value

describe('secret names', () => {
  it.each([
    ['token', 'token'],
    ['auth_token', 'token'],
    ['X-Auth-Token', 'token'],
    ['token_id', 'token'],
    ['service_token', 'token'],
    ['auth_token_info', 'token'],
    ['password', 'password'],
    ['adminPass', 'password'],
    ['admin_pass', 'password'],
    ['ssh_pass', 'password'],
    ['ipmi_password', 'password'],
    ['partial_password_hash', 'password'],
    ['secret', 'secret'],
    ['psk', 'secret'],
    ['private_key', 'key'],
    ['access_key', 'key'],
    ['s3_secret_key', 'key'],
    ['tokens', 'token'],
    ['hmac_key', 'key'],
    ['user_data', 'user_data'],
    ['userData', 'user_data'],
    ['cookie', 'cookie'],
    ['Set-Cookie', 'cookie'],
    ['trust_id', 'trust'],
    ['Authorization', 'authorization'],
    ['application_credential', 'credential'],
  ])('%s', (name, kind) => {
    expect(mask({ [name]: 'hunter2!' })).toStrictEqual({ [name]: `***${kind}:8 chars***` })
    expect(mask({ a: [{ [name]: 1234 }] })).toStrictEqual({ a: [{ [name]: `***${kind}:4 digits***` }] })
  })

  it.each([
    'key_name',
    'project_id',
    'user_id',
    'request_id',
    'password_expires_at',
    'passthrough',
    'bypass',
    'compass',
    'fixed_ips',
    'public_key',
    'tokens_left',
    'max_tokens',
    'passed',
    'keypair',
    'authorized',
    'tenant_id',
    'user_identity',
    'image_ref_url',
    'author',
    'monkey',
    'hostname',
  ])('%s is none', (name) => {
    expect(maskSecrets({ [name]: 'hunter2!' })).toStrictEqual({ value: { [name]: 'hunter2!' }, masked: 0 })
  })

  it('hide objects and lists whole', () => {
    const value = { service_catalog: [{ url: 'x' }, {}], secret: { a: 1, b: 2 }, token: { id: 'x' } }
    expect(maskSecrets(value)).toStrictEqual({
      value: {
        service_catalog: '***service_catalog:2 items***',
        secret: '***secret:2 members***',
        token: '***token:1 members***',
      },
      masked: 3,
    })
  })

  it('hide nothing where there is nothing', () => {
    const value = {
      token: null,
      password: '',
      service_catalog: [],
      secret: {},
      has_password: true,
      admin_pass: '******',
    }
    expect(maskSecrets(value)).toStrictEqual({ value, masked: 0 })
  })
})

describe('secret shapes', () => {
  it.each([
    ['a Fernet token', FERNET, 'token'],
    ['a JWT', JWT, 'token'],
    ['a PKIZ token', `PKIZ_${'eJx9Vdt-'.repeat(12)}`, 'token'],
    ['a PEM block', PEM, 'pem'],
    ['a PEM block that was cut', PEM.slice(0, 60), 'pem'],
    ['a long word of base64', BLOB, 'base64'],
    ['base64 in lines', BLOB.replaceAll(/.{64}/g, '$&\n'), 'base64'],
  ])('%s, alone', (_, secret, kind) => {
    expect(mask({ a: secret })).toStrictEqual({ a: `***${kind}:${secret.length} chars***` })
  })

  it.each([
    ['token', FERNET],
    ['token', JWT],
    ['pem', PEM],
  ])('a %s in a text', (kind, secret) => {
    const hidden = `***${kind}:${secret.length} chars***`
    expect(maskSecrets(`one ${secret} two ${secret}, end`)).toStrictEqual({
      value: `one ${hidden} two ${hidden}, end`,
      masked: 2,
    })
  })

  it.each([
    ['{"auth": {"password": "hunter2", "n": 1}}', '{"auth": {"password": "***password:7 chars***", "n": 1}}'],
    [
      String.raw`{"inner": "{\"token\": \"hunter2\", \"a\": 1}"}`,
      String.raw`{"inner": "{\"token\": \"***token:7 chars***\", \"a\": 1}"}`,
    ],
    ["{'auth_token': u'hunter2', 'user': 'u1'}", "{'auth_token': u'***token:7 chars***', 'user': 'u1'}"],
    ["{'secret': b'hunter2'}", "{'secret': b'***secret:7 chars***'}"],
    [
      String.raw`{"password": "hunt\"er2", "a": 1}`,
      String.raw`{"password": "***password:9 chars***", "a": 1}`,
    ],
    [
      "'service_catalog': [{'type': 'image', 'x': ']'}], 'user': 1",
      "'service_catalog': ***service_catalog:29 chars***, 'user': 1",
    ],
    ['{"password": 12345}', '{"password": ***password:5 chars***}'],
    ['GET /v3?token=hunter2&limit=1', 'GET /v3?token=***token:7 chars***&limit=1'],
    [
      'http://192.0.2.1/vnc.html?path=%3Ftoken%3Dhunter2',
      'http://192.0.2.1/vnc.html?path=%3Ftoken%3D***token:7 chars***',
    ],
    ['ipmitool --password=hunter2 -H 192.0.2.1', 'ipmitool --password=***password:7 chars*** -H 192.0.2.1'],
    ['X-Auth-Token: hunter2\r\nAccept: */*', 'X-Auth-Token: ***token:7 chars***\r\nAccept: */*'],
    ['Authorization: Basic aHVudGVyMg==\nHost: h', 'Authorization: ***authorization:18 chars***\nHost: h'],
    ['Cookie: a=hunter2; b=hunter2\nHost: h', 'Cookie: ***cookie:20 chars***\nHost: h'],
    ['auth_token = Bearer hunter2hunter2, x', 'auth_token = ***token:21 chars***, x'],
    ['sent Bearer hunter2hunter2.x to', 'sent Bearer ***token:16 chars*** to'],
    ['rabbit://nova:hunter2@mq1:5672,nova:hunter2@mq2/v', 'rabbit://nova:***@mq1:5672,nova:***@mq2/v'],
    [
      "reason: {'message': 'bad', 'admin_pass': 'hunter2'}",
      "reason: {'message': 'bad', 'admin_pass': '***password:7 chars***'}",
    ],
    ['password="hunter2', 'password="***password:7 chars***'],
  ])('%s', (text, expected) => {
    const { value, masked } = maskSecrets(text)
    expect(value).toBe(expected)
    expect(masked).toBe(1)
    expect(value).not.toContain('hunter2')
  })

  const harmless = [
    '1b0feef2-e1e1-43a7-979d-c3e61f47b93d',
    'baeeef62324e4fac8e857af24196ecb0',
    '2026-11-22T07:52:41Z',
    'fa:16:3e:38:d7:08',
    'http://192.0.2.1:9292/images/de836b4d-20e6-4ae9-abee-88ba7601513d',
    'No valid host was found. There are not enough hosts available.',
    "{'kwargs': {'reason': '', 'code': 500}, 'message': 'No valid host', 'class': 'NoValidHost_Remote'}",
    '{"password": null, "token": "", "service_catalog": [], "ok": true}',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDu user@host',
    'eyJ is no token, nor is gAAAA',
    'key_name=my-key; password_expires_at: 2027-01-01',
    'bypass=1 compass=north',
    'x'.repeat(10_000),
    'a1b2'.repeat(100),
    'Words 1 with blanks '.repeat(50),
    'ключ: значение',
  ]
  it.each(harmless.map((text) => ({ text, beginning: text.slice(0, 60) })))(
    'leave alone: $beginning',
    ({ text }) => {
      expect(maskSecrets(text)).toStrictEqual({ value: text, masked: 0 })
    },
  )
})

describe('the copy', () => {
  it('keeps __proto__ as an ordinary member and pollutes nothing', () => {
    const value = JSON.parse(
      '{"__proto__": {"polluted": 1, "token": "x"}, "constructor": {"prototype": {"y": 1}}}',
    ) as never
    const copy = mask(value) as object
    expect(JSON.stringify(copy)).toBe(
      '{"__proto__":{"polluted":1,"token":"***token:1 chars***"},"constructor":{"prototype":{"y":1}}}',
    )
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('hides what it will not search, once two mebibytes were searched', () => {
    const harmless = 'x'.repeat(3 << 20)
    const suspect = 'a: b '.repeat(300_000)
    const { value, masked } = maskSecrets([harmless, suspect, suspect, 'password=x', harmless])
    expect(value).toStrictEqual([
      harmless,
      suspect,
      '***text:1500000 chars***',
      'password=***password:1 chars***',
      harmless,
    ])
    expect(masked).toBe(2)
    const again = maskSecrets(value)
    expect(again).toStrictEqual({ value, masked: 0 })
  })

  it('does not touch what it was given', () => {
    const value = { token: 'x', list: [{ password: 'y' }] }
    mask(value)
    expect(value).toStrictEqual({ token: 'x', list: [{ password: 'y' }] })
  })

  it('hides what lies too deep to look into', () => {
    let value: unknown = { password: 'hunter2' }
    for (let depth = 0; depth < 100; depth++) value = [value]
    const { value: copy, masked } = maskSecrets(value as JsonValue)
    expect(JSON.stringify(copy)).toMatch(/^\[{64}"\*\*\*deeper than 64 levels\*\*\*"\]{64}$/)
    expect(masked).toBe(1)
  })

  it.each([
    ['one letter', 'a'],
    ['tokens', 'gAAAA '],
    ['one token', 'gAAAA', 'a'],
    ['tokens without claims', 'eyJ'],
    ['tokens with short claims', 'eyJaaaaa.'],
    ['headers of PEM', '-----BEGIN '],
    ['quotes', 'password="'],
    ['escaped quotes', String.raw`password="\"`],
    ['brackets', "password={'"],
    ['backslashes', '\\', '":'],
    ['blanks', ' ', ':'],
    ['URLs', 'a://u:x/'],
    ['a long authority', 'a://', 'b'],
    ['masks', '***token:3 chars***'],
  ])('takes its time with a megabyte of %s, but neither fails nor hangs', (_, piece, tail = '') => {
    const text = piece.repeat((1 << 20) / piece.length) + tail.repeat(tail.length === 1 ? 1 << 20 : 1)
    const start = process.cpuUsage().user
    maskSecrets(text)
    // A quadratic pass takes minutes.
    expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(8)
  })
})
