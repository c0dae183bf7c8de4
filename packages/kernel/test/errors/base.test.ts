import { afterEach, describe, expect, it, vi } from 'vitest'
import { DecodeError, HermodError, isHermodError, ProtocolError } from '../../src/index.ts'

describe('HermodError', () => {
  afterEach(() => vi.resetModules())

  it('carries code, name, cause and the code’s own retryable', () => {
    const cause = new Error('socket hang up')
    const error = new HermodError('E_CONN_LOST', 'the connection broke', { cause })
    expect(error).toMatchObject({
      name: 'HermodError',
      code: 'E_CONN_LOST',
      retryable: true,
      message: 'the connection broke',
      cause,
      details: {},
    })
    expect(error).toBeInstanceOf(Error)
  })

  it('has no cause member when none was given', () => {
    expect(Object.hasOwn(new HermodError('E_URL', 'no'), 'cause')).toBe(false)
    expect(Object.hasOwn(new HermodError('E_URL', 'no', { cause: undefined }), 'cause')).toBe(true)
  })

  it('lets one error override retryable', () => {
    expect(new HermodError('E_CONN', 'refused for good', { retryable: false }).retryable).toBe(false)
  })

  it('masks details at once and freezes them', () => {
    const { details } = new HermodError('E_CONN', 'no', {
      details: { password: 'hunter2', url: 'amqp://u:hunter2@h/', nested: [{ auth_token: 'hunter2' }] },
    })
    expect(JSON.stringify(details)).not.toContain('hunter2')
    expect(details).toEqual({ password: '***', url: 'amqp://u:***@h/', nested: [{ auth_token: '***' }] })
    expect(Object.isFrozen(details)).toBe(true)
  })

  it('is written to JSON with its cause’s text and without secrets', () => {
    const cause = new Error('connect amqp://u:hunter2@h/ failed')
    const record = JSON.parse(
      JSON.stringify(new DecodeError('bad', { cause, details: { offset: 3 } })),
    ) as unknown
    expect(record).toEqual({
      name: 'DecodeError',
      code: 'E_DECODE',
      message: 'bad',
      retryable: false,
      details: { offset: 3 },
      cause: 'connect amqp://u:***@h/ failed',
    })
  })

  it('masks a cause that is no error', () => {
    const error = new HermodError('E_CONN', 'no', { cause: { token: 'hunter2', port: 5672 } })
    expect(error.toJSON()['cause']).toEqual({ token: '***', port: 5672 })
  })

  it('is recognised across two copies of the package, a subclass only within its own', async () => {
    vi.resetModules()
    const copy = await import('../../src/index.ts')
    expect(copy.HermodError).not.toBe(HermodError)
    const foreign = new copy.ProtocolError('bad frame')
    expect(foreign).toBeInstanceOf(HermodError)
    expect(isHermodError(foreign)).toBe(true)
    expect(foreign).toBeInstanceOf(copy.ProtocolError)
    expect(foreign).not.toBeInstanceOf(ProtocolError)
  })

  it.each([null, undefined, 'E_CONN', 5, {}, new Error('E_CONN'), { code: 'E_CONN' }])(
    'does not take %s for one of ours',
    (value) => {
      expect(isHermodError(value)).toBe(false)
      expect((value as unknown) instanceof HermodError).toBe(false)
    },
  )

  it('keeps sibling classes apart', () => {
    expect(new DecodeError('x')).not.toBeInstanceOf(ProtocolError)
    expect(new DecodeError('x')).toBeInstanceOf(DecodeError)
  })
})
