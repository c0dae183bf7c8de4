import {
  AccessRefusedError,
  AuthenticationError,
  ChannelError,
  ConfigurationError,
  ConnectionError,
  InvalidUrlError,
  InvalidTargetError,
  MessageDeliveryError,
  MessageUndeliverableError,
  NoSuchMethodError,
  PublishUncertainError,
  RemoteError,
  UnsupportedFeatureError,
  UnsupportedVersionError,
  MessagingTimeoutError,
  ProtocolError,
} from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../src/exit-codes.ts'

const FAILURE = { class: 'ValueError', module: 'builtins', message: 'x', tb: [], args: [], kwargs: {} }

describe('exitCodeOf', () => {
  it.each([
    [3, new ConfigurationError(['x'])],
    [2, new InvalidTargetError('x', 'y')],
    [3, new InvalidUrlError('x')],
    [3, new UnsupportedFeatureError('x')],
    [4, new MessageDeliveryError('x')],
    [4, new PublishUncertainError('x', 'y')],
    [6, new RemoteError(FAILURE)],
    [6, new NoSuchMethodError(FAILURE)],
    [6, new UnsupportedVersionError(FAILURE)],
    [4, new ConnectionError('tcp', 'x')],
    [4, new ConnectionError('tls', 'x')],
    [4, new AuthenticationError('x', { details: { replyCode: 403 } })],
    [4, new AccessRefusedError('x', { details: { replyCode: 530 } })],
    [4, new ProtocolError('x')],
    [5, new MessagingTimeoutError('x', 1)],
    [6, new ChannelError(404, 'NOT_FOUND', 'queue.declare')],
    [7, new MessageUndeliverableError('x', 'y', 'z')],
    [8, new AccessRefusedError('x', { details: { replyCode: 403 } })],
    [8, new ChannelError(403, 'ACCESS_REFUSED', 'queue.declare')],
    [70, new TypeError('x')],
  ])('%d for %s', (code, error) => {
    expect(exitCodeOf(error)).toBe(code)
  })
})
