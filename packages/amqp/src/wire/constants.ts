/** Frame types (AMQP 0-9-1 §4.2.3). */
export const FRAME_METHOD = 1
export const FRAME_HEADER = 2
export const FRAME_BODY = 3
export const FRAME_HEARTBEAT = 8

/** The octet that ends every frame. */
export const FRAME_END = 0xce

/** type:u8 channel:u16 size:u32 before the payload, the end octet behind it. */
export const FRAME_HEADER_BYTES = 7
export const FRAME_OVERHEAD_BYTES = 8

/** Every peer takes frames of this size, negotiated or not. */
export const FRAME_MIN_SIZE = 4096

/** What a client says first (AMQP 0-9-1 §4.2.2). */
export const PROTOCOL_HEADER: Uint8Array = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1)

/** The class of all content. */
export const CLASS_BASIC = 60

/** Reply codes and their constants (AMQP 0-9-1 §1.2 and RabbitMQ). */
export const REPLY_CODES: Readonly<Record<number, string>> = Object.freeze({
  200: 'REPLY_SUCCESS',
  311: 'CONTENT_TOO_LARGE',
  312: 'NO_ROUTE',
  313: 'NO_CONSUMERS',
  320: 'CONNECTION_FORCED',
  402: 'INVALID_PATH',
  403: 'ACCESS_REFUSED',
  404: 'NOT_FOUND',
  405: 'RESOURCE_LOCKED',
  406: 'PRECONDITION_FAILED',
  501: 'FRAME_ERROR',
  502: 'SYNTAX_ERROR',
  503: 'COMMAND_INVALID',
  504: 'CHANNEL_ERROR',
  505: 'UNEXPECTED_FRAME',
  506: 'RESOURCE_ERROR',
  530: 'NOT_ALLOWED',
  540: 'NOT_IMPLEMENTED',
  541: 'INTERNAL_ERROR',
})
