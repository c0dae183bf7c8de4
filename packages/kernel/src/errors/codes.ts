/**
 * The one table of error codes. `retryable` is the default of the code; an error may override it where the
 * peer's answer says more (for example a connection that the broker refused for good).
 */
export const ERROR_CODES = {
  E_CONFIG: { retryable: false, meaning: 'an option, a file or a flag holds something that cannot be used' },
  E_URL: { retryable: false, meaning: 'a transport or broker URL cannot be understood' },
  E_UNSUPPORTED: { retryable: false, meaning: 'this peer or driver cannot do what was asked' },
  E_CONN: { retryable: true, meaning: 'the connection could not be made' },
  E_CONN_LOST: { retryable: true, meaning: 'the connection broke while it was in use' },
  E_CONN_CLOSED: { retryable: false, meaning: 'the connection was closed, here or by the broker, for good' },
  E_HEARTBEAT: { retryable: true, meaning: 'the peer stayed silent for two heartbeat intervals' },
  E_AUTH: { retryable: false, meaning: 'the broker refused the credentials' },
  E_ACCESS: { retryable: false, meaning: 'the broker refused the virtual host or a permission' },
  E_CHANNEL: { retryable: false, meaning: 'the broker closed the channel over one operation' },
  E_CHANNEL_CLOSED: {
    retryable: true,
    meaning: 'the channel is gone; the operation never reached the broker',
  },
  E_PROTOCOL: { retryable: false, meaning: 'the peer sent bytes that are not AMQP 0-9-1' },
  E_FIELD: { retryable: false, meaning: 'a value cannot be written as an AMQP field' },
  E_UNROUTABLE: { retryable: false, meaning: 'no queue took a mandatory message' },
  E_NACKED: { retryable: true, meaning: 'the broker refused a published message' },
  E_UNCERTAIN: {
    retryable: true,
    meaning: 'a publish was written, but its confirm was lost with the connection',
  },
  E_BLOCKED: {
    retryable: true,
    meaning: 'the broker has blocked the connection for longer than publishers wait',
  },
  E_TRANSACTION: {
    retryable: true,
    meaning: 'the transaction that the operation belonged to was not committed',
  },
  E_TARGET: { retryable: false, meaning: 'a target lacks what the operation needs' },
  E_DELIVERY: {
    retryable: true,
    meaning: 'a message could not be handed to the peer in the attempts that it had',
  },
  E_VERSION_CAP: { retryable: false, meaning: 'the client may not send this version of an interface' },
  E_REMOTE: { retryable: false, meaning: 'the method of a remote call failed' },
  E_NO_METHOD: { retryable: false, meaning: 'no endpoint of the server has the method' },
  E_RPC_VERSION: { retryable: false, meaning: 'no endpoint of the server has the namespace and version' },
  E_VALIDATION: { retryable: false, meaning: 'arguments or a result do not fit their schema' },
  E_MESSAGE_STATE: { retryable: false, meaning: 'the message was settled before' },
  E_TIMEOUT: { retryable: true, meaning: 'an operation did not end in time' },
  E_LIMIT: { retryable: false, meaning: 'a limit of this process or of the peer was reached' },
  E_ENCODE: { retryable: false, meaning: 'a body could not be serialised' },
  E_DECODE: { retryable: false, meaning: 'a body could not be read' },
  E_CONTENT: { retryable: false, meaning: 'the content type is not on the accept list' },
} as const

/** A stable name of one kind of failure; match on it rather than on classes or texts. */
export type ErrorCode = keyof typeof ERROR_CODES
