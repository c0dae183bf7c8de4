import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../src/encoded-message.ts'

describe('encodeMessage', () => {
  it.each([
    [0, '0'],
    [1500.9, '1500'],
    [-5, '0'],
    [315_360_000_000, '315360000000'],
    // RabbitMQ would close the channel, and with it what others send.
    [315_360_000_001, undefined],
    [Infinity, undefined],
    [NaN, undefined],
    [undefined, undefined],
  ])('lets a message expire after %s ms only as RabbitMQ takes it', (expirationMs, expected) => {
    expect(encodeMessage('{}', undefined, { expirationMs }).properties.expiration).toBe(expected)
  })
})
