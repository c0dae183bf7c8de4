import { isHermodError, stringifyJson, type JsonValue } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventToRecord, maskSecrets, normalizeNotification, type NotificationEvent } from '../src/index.ts'
import { rawBody, samples } from './samples.ts'

/** Names that mean something to the code, or to JavaScript. */
const name = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toJSON',
    'toString',
    'length',
    'token',
    'password',
    'service_catalog',
    'id',
    'uuid',
    'name',
    'host',
    'project_id',
    'user_id',
    'initiator',
    'target',
    'typeURI',
    'outcome',
    'network',
    'instance_id',
    'nova_object.data',
    'nova_object.name',
    'nova_object.version',
    'nova_object.namespace',
    'message_id',
    '_context_user',
  ),
)

/** Bits of which texts with secrets are made, and of which masks are. */
const text = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.constantFrom(
          'password',
          'token',
          'cookie',
          '=',
          ':',
          '"',
          "'",
          '\\',
          ' ',
          '{',
          '}',
          '[',
          ']',
          '***',
          '***token:3 chars***',
          'gAAAA',
          'gAAAAABlx0123456789abc',
          'eyJhbGciOi',
          '.',
          '-----BEGIN X-----',
          '-----END X-----',
          '://',
          '@',
          ',',
          'Bearer ',
          'http',
          'authorization',
          '\n',
          'null',
          'b',
        ),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
)

const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.constantFrom<JsonValue>(null, true, false, NaN, Infinity, 0, 12345678901234567890n),
    fc.double(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map((members) => Object.fromEntries(members)),
  ),
})).value

const eventType = fc.oneof(
  text,
  fc.constantFrom(
    'network.create.end',
    'constructor.create',
    '__proto__.x',
    'identity.authenticate',
    'aggregate.a',
  ),
)

function normalize(message: JsonValue, exchange: string): NotificationEvent {
  const body = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': stringifyJson(message) })
  return normalizeNotification(rawBody(body, { exchange }))
}

function outcomeOf(body: Uint8Array): unknown {
  try {
    JSON.stringify(normalizeNotification(rawBody(body)))
    return 'an event'
  } catch (error) {
    return isHermodError(error) ? error.code : error
  }
}

describe('any notification', () => {
  it('becomes an event that JSON.stringify writes, and pollutes nothing', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join()
    fc.assert(
      fc.property(eventType, json, json, name, (type, payload, context, exchange) => {
        const message = { event_type: type, payload, _context_x: context, publisher_id: exchange }
        const event = normalize(message, exchange)
        expect(event.type).toBe(type)
        const written = JSON.parse(JSON.stringify(event)) as Record<string, unknown>
        expect(written['type']).toBe(type)
        expect(() => stringifyJson(eventToRecord(event))).not.toThrow()
        expect(Number.isNaN(Date.parse(event.time))).toBe(false)
        for (const value of Object.values(event.resource))
          expect(value === null || typeof value === 'string').toBe(true)
      }),
      { numRuns: 500 },
    )
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before)
  })

  it('or a DecodeError and nothing else, from any body', () => {
    const whole = samples.map(({ body }) => Buffer.from(body))
    const mutated = fc
      .tuple(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      )
      .map(([body, changes]) => {
        const copy = Buffer.from(body)
        for (const [at, unit] of changes) copy[at % copy.length] = unit
        return copy
      })
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array(),
          fc.json().map((body) => Buffer.from(body)),
        ),
        (body) => {
          expect(['an event', 'E_DECODE']).toContain(outcomeOf(body))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('masking', () => {
  it('what is masked changes nothing', () => {
    fc.assert(
      fc.property(json, (value) => {
        const once = maskSecrets(value).value
        expect(stringifyJson(maskSecrets(once).value)).toBe(stringifyJson(once))
      }),
      { numRuns: 3000 },
    )
  })

  it('leaves no part of a secret, wherever it lies', () => {
    // Letters that occur in no mask and no surroundings, so that finding one means a leak.
    const secret = fc
      .array(fc.constantFrom('Q', 'Z', 'J', 'V', 'W'), { minLength: 8, maxLength: 40 })
      .map((letters) => letters.join(''))
    const places: readonly ((secret: string) => JsonValue)[] = [
      (value) => ({ token: value }),
      (value) => ({ a: [{ adminPass: value }] }),
      (value) => ({ secret: { a: [value] } }),
      (value) => `gAAAAABl0123456789ab${value}`,
      (value) => JSON.stringify({ a: { password: value, b: 1 } }),
      (value) => JSON.stringify({ a: JSON.stringify({ a: JSON.stringify({ auth_token: value }) }) }),
      (value) => `{'auth_token': '${value}', 'b': 1}`,
      (value) => `X-Auth-Token: ${value}\n`,
      (value) => `authorization: Digest a=${value}, b="${value}"`.replaceAll('"', ''),
      (value) => `amqp://user:${value}@host/`,
      (value) => `Bearer ${value}`,
      (value) => `{'token': {'id': '${value}'}}`,
      (value) => `-----BEGIN A-----\n${value}\n-----END A-----`,
    ]
    fc.assert(
      fc.property(secret, fc.constantFrom(...places), (value, place) => {
        const { value: hidden, masked } = maskSecrets(place(value))
        expect(masked).toBeGreaterThan(0)
        expect(JSON.stringify(hidden)).not.toMatch(/[QZJVW]/)
      }),
      { numRuns: 1000 },
    )
  })
})
