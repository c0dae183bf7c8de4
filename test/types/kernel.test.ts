import {
  ChannelError,
  HermodError,
  isHermodError,
  parsePythonJson,
  type ErrorCode,
  type JsonValue,
} from '@hermod/kernel'
import { describe, expectTypeOf, it } from 'vitest'

describe('the types of @hermod/kernel', () => {
  it('narrow an unknown failure to an error with a code', () => {
    const codeOf = (failure: unknown): ErrorCode | undefined =>
      isHermodError(failure) ? failure.code : undefined
    expectTypeOf(codeOf).returns.toEqualTypeOf<ErrorCode | undefined>()
    expectTypeOf<'E_CONN' | 'E_UNCERTAIN'>().toExtend<ErrorCode>()
    expectTypeOf<string>().not.toExtend<ErrorCode>()
    expectTypeOf<HermodError['retryable']>().toBeBoolean()
    expectTypeOf<ChannelError['replyCode']>().toBeNumber()
  })

  it('say that a number may be a bigint', () => {
    expectTypeOf(parsePythonJson).returns.toEqualTypeOf<JsonValue>()
    expectTypeOf<bigint>().toExtend<JsonValue>()
    expectTypeOf<undefined>().not.toExtend<JsonValue>()
  })
})
