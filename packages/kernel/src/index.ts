/**
 * The ground floor of Hermod: no I/O, no dependencies.
 *
 * @packageDocumentation
 */
export { AsyncQueue } from './async-queue.ts'
export { Backoff, BACKOFF_DEFAULTS, type BackoffOptions } from './backoff.ts'
export { systemClock, type Clock, type Timer } from './clock.ts'
export { sleep, withDeadline, type DeadlineOptions } from './deadline.ts'
export { createDeferred, type Deferred } from './deferred.ts'
export { HermodError, isHermodError, type HermodErrorOptions } from './errors/base.ts'
export { ERROR_CODES, type ErrorCode } from './errors/codes.ts'
export { ConfigurationError, InvalidUrlError, UnsupportedFeatureError } from './errors/configuration.ts'
export {
  AccessRefusedError,
  AuthenticationError,
  ChannelClosedError,
  ChannelError,
  ConnectionClosedError,
  ConnectionError,
  ConnectionLostError,
  HeartbeatTimeoutError,
  ProtocolError,
  type ConnectPhase,
} from './errors/connection.ts'
export {
  ConnectionBlockedError,
  LimitError,
  MessageNackedError,
  MessageStateError,
  MessageUndeliverableError,
  MessagingTimeoutError,
  PublishUncertainError,
  TransactionError,
} from './errors/delivery.ts'
export {
  InvalidTargetError,
  MessageDeliveryError,
  RpcVersionCapError,
  ValidationError,
} from './errors/messaging.ts'
export { NoSuchMethodError, RemoteError, UnsupportedVersionError, type Failure } from './errors/remote.ts'
export { ContentDisallowedError, DecodeError, EncodeError, FieldEncodeError } from './errors/serialization.ts'
export type { JsonObject, JsonValue } from './json-value.ts'
export { Lifecycle } from './lifecycle.ts'
export { redactingLogger, silentLogger, type LogDetails, type Logger } from './logger.ts'
export { onAbort } from './on-abort.ts'
export { parsePythonJson, PYTHON_JSON_DEFAULTS, type ParsePythonJsonOptions } from './python-json.ts'
export { isSecretKey, MASK, maskUrlCredentials, redactSecrets } from './redaction.ts'
export { stringifyJson, type StringifyJsonOptions } from './stringify-json.ts'
export { TypedEvents, type EventMap } from './typed-events.ts'
