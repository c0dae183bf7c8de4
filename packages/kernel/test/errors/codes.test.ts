import { describe, expect, it } from 'vitest'
import * as kernel from '../../src/index.ts'
import { ERROR_CODES, type ErrorCode, type HermodError } from '../../src/index.ts'

const FAILURE: kernel.Failure = {
  class: 'ValueError',
  module: 'builtins',
  message: 'no',
  tb: [],
  args: ['no'],
  kwargs: {},
}

/** One of every class, with the code that it must carry. */
const EVERY_CLASS: readonly (readonly [ErrorCode, HermodError])[] = [
  ['E_CONFIG', new kernel.ConfigurationError(["unknown option 'prefetch'", "'port' is no number"])],
  ['E_URL', new kernel.InvalidUrlError('the URL has no scheme')],
  ['E_UNSUPPORTED', new kernel.UnsupportedFeatureError('this driver has no pools')],
  ['E_CONN', new kernel.ConnectionError('tcp', 'host h1 port 5672 refused the connection')],
  ['E_CONN_LOST', new kernel.ConnectionLostError('the connection broke')],
  ['E_CONN_CLOSED', new kernel.ConnectionClosedError('the connection is closed')],
  ['E_HEARTBEAT', new kernel.HeartbeatTimeoutError(1999.6)],
  ['E_AUTH', new kernel.AuthenticationError("the broker refused user 'nova'")],
  ['E_ACCESS', new kernel.AccessRefusedError("the broker refused virtual host '/x'")],
  ['E_CHANNEL', new kernel.ChannelError(404, "NOT_FOUND - no queue 'q'", 'queue.declare')],
  ['E_CHANNEL_CLOSED', new kernel.ChannelClosedError('the channel is closed')],
  ['E_PROTOCOL', new kernel.ProtocolError('frame end is missing')],
  ['E_FIELD', new kernel.FieldEncodeError('a field name is too long')],
  ['E_UNROUTABLE', new kernel.MessageUndeliverableError('nova', 'info', 'NO_ROUTE')],
  ['E_NACKED', new kernel.MessageNackedError('nova', 'info')],
  ['E_UNCERTAIN', new kernel.PublishUncertainError('nova', 'info')],
  ['E_BLOCKED', new kernel.ConnectionBlockedError('low on memory', 60_000)],
  ['E_TRANSACTION', new kernel.TransactionError('the transaction was rolled back')],
  ['E_TARGET', new kernel.InvalidTargetError('the target has no topic', '<Target server=a>')],
  ['E_DELIVERY', new kernel.MessageDeliveryError('the broker was not reached in 3 attempts')],
  ['E_VERSION_CAP', new kernel.RpcVersionCapError('1.4', '1.3')],
  ['E_REMOTE', new kernel.RemoteError(FAILURE)],
  ['E_NO_METHOD', new kernel.NoSuchMethodError(FAILURE)],
  ['E_RPC_VERSION', new kernel.UnsupportedVersionError(FAILURE)],
  ['E_VALIDATION', new kernel.ValidationError('the arguments of add', ['a: expected a number'])],
  ['E_MESSAGE_STATE', new kernel.MessageStateError('the message is acked')],
  ['E_TIMEOUT', new kernel.MessagingTimeoutError('queue.declare', 250)],
  ['E_LIMIT', new kernel.LimitError('65535 channels are open', { channels: 65_535 })],
  ['E_ENCODE', new kernel.EncodeError('a value contains itself')],
  ['E_DECODE', new kernel.DecodeError('invalid JSON at offset 3')],
  ['E_CONTENT', new kernel.ContentDisallowedError('application/x-yaml', ['application/json'])],
]

describe('ERROR_CODES', () => {
  it('has a class for every code and a code for every class', () => {
    expect(EVERY_CLASS.map(([code]) => code).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted())
    const exported = Object.entries(kernel)
      .filter(
        ([name, value]) => typeof value === 'function' && name.endsWith('Error') && name !== 'isHermodError',
      )
      .map(([name]) => name)
    const made = EVERY_CLASS.map(([, error]) => error.name)
    expect([...made, 'HermodError'].toSorted()).toEqual(exported.toSorted())
  })

  it.each(EVERY_CLASS)('%s: code, retryable and house style of the text', (code, error) => {
    expect(error.code).toBe(code)
    expect(error.retryable).toBe(ERROR_CODES[code].retryable)
    expect(error.name).toBe(error.constructor.name)
    expect(error.message).toMatch(/^[a-z0-9]/)
    expect(error.message).not.toMatch(/\.$/)
    expect(error).toBeInstanceOf(kernel.HermodError)
  })
})

describe('what single classes add', () => {
  it('ConfigurationError keeps every issue', () => {
    const error = new kernel.ConfigurationError(['one', 'two'])
    expect(error.issues).toEqual(['one', 'two'])
    expect(error.message).toBe('one; two')
  })

  it('ChannelError shows method and the broker’s text', () => {
    const error = new kernel.ChannelError(406, 'PRECONDITION_FAILED', 'queue.declare')
    expect(error).toMatchObject({ replyCode: 406, replyText: 'PRECONDITION_FAILED', method: 'queue.declare' })
    expect(error.message).toBe('queue.declare: PRECONDITION_FAILED')
  })

  it('ConnectionError says how far it came, also in its details', () => {
    const error = new kernel.ConnectionError('tls', 'certificate has expired', { details: { host: 'h1' } })
    expect(error.phase).toBe('tls')
    expect(error.details).toEqual({ host: 'h1', phase: 'tls' })
  })

  it('HeartbeatTimeoutError rounds its milliseconds in the text only', () => {
    const error = new kernel.HeartbeatTimeoutError(1999.6)
    expect(error.message).toContain('2000 ms')
    expect(error.details).toEqual({ silentMs: 1999.6 })
  })
})
