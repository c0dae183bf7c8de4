import type { JsonObject } from '@hermod/kernel'

const FERNET = `gAAAAABl${'Zm9v-YmFy_QmF6'.repeat(12)}==`
const JWT = `eyJhbGciOiJFUzI1NiJ9.${'eyJzdWIiOiJkZW1vIn0'.repeat(3)}.${'c2lnbmF0dXJl'.repeat(6)}`
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEpAIBAAKCAQEA7bq\n'.repeat(9)}-----END RSA PRIVATE KEY-----`

/** Where payloads of real services have held secrets: under telling names, deep inside, and in the midst of texts. */
export const SECRET_PAYLOAD: JsonObject = {
  display_name: 'web-1',
  password: 'pl4in-Secret-01',
  adminPass: 'pl4in-Secret-02',
  admin_password: 'qu"ote\\pl4in-Secret-03\n',
  'X-Auth-Token': 'pl4in-Secret-04',
  server: { metadata: [{ auth_token: 'pl4in-Secret-05' }, { nested: { secret: 'pl4in-Secret-06' } }] },
  credentials: { user: 'demo', blob: 'pl4in-Secret-07' },
  user_data: 'I2Nsb3VkLWNvbmZpZwpwYXNzd29yZDogcGw0aW4=',
  pin: { passcode: 735_108_264_915 },
  note: `a token ${FERNET} in a sentence`,
  header: 'Authorization: Bearer pl4in-Secret-08.abcdef',
  claims: JWT,
  key_file: PEM,
  transport: 'rabbit://nova:pl4in-Secret-09@host1:5672,nova:pl4in-Secret-10@host2:5672/cloud',
  console_url: 'https://console.example/vnc?token=pl4in-Secret-11&path=%3Ftoken%3Dpl4in-Secret-12',
  message: '{"user": "demo", "password": "pl4in-Secret-13", "more": {"authToken": "pl4in-Secret-14"}}',
  repr: "{'adminPass': 'pl4in-Secret-15', u'auth_token': u'pl4in-Secret-16'}",
  request_spec: { context: { auth_token: FERNET, service_catalog: [{ id: 'pl4in-Secret-17' }] } },
  command: 'mysql --password=pl4in-Secret-18 -u nova',
}
Object.defineProperty(SECRET_PAYLOAD, '__proto__', {
  value: { password: 'pl4in-Secret-19' },
  enumerable: true,
})

/** What a service that strips nothing sends as its request's context. */
export const SECRET_CONTEXT: JsonObject = {
  user_id: 'demo',
  auth_token: 'pl4in-Secret-20',
  service_catalog: [{ endpoints: ['http://u:pl4in-Secret-21@endpoint.example/'] }],
}

/** What may be seen nowhere: each of these is in {@link SECRET_PAYLOAD} or {@link SECRET_CONTEXT}. */
export const SECRETS: readonly string[] = [
  'pl4in-Secret',
  '735108264915',
  'I2Nsb3VkLWNvbmZpZw',
  FERNET.slice(0, 60),
  'Zm9v-YmFy_QmF6',
  'eyJzdWIiOiJkZW1vIn0',
  'c2lnbmF0dXJl',
  'MIIEpAIBAAKCAQEA7bq',
]
