import { HermodError, type HermodErrorOptions } from './base.ts'

/** A value cannot be written as an AMQP field: its type, its size or its depth. */
export class FieldEncodeError extends HermodError {
  constructor(message: string) {
    super('E_FIELD', message)
  }
}

/** A body could not be serialised. */
export class EncodeError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_ENCODE', message, options)
  }
}

/** A body could not be read. */
export class DecodeError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_DECODE', message, options)
  }
}

/** The content type of a message is not on the consumer's accept list. */
export class ContentDisallowedError extends HermodError {
  constructor(contentType: string, accept: readonly string[]) {
    super('E_CONTENT', `content type '${contentType}' is not accepted (accepted: ${accept.join(', ')})`, {
      details: { contentType, accept },
    })
  }
}
