import { expect, test } from 'vitest'
import * as constants from '../../src/wire/constants.ts'
import { hex } from './hex.ts'

test('the numbers of the specification', () => {
  expect(constants).toMatchObject({
    FRAME_METHOD: 1,
    FRAME_HEADER: 2,
    FRAME_BODY: 3,
    FRAME_HEARTBEAT: 8,
    FRAME_END: 206,
    FRAME_MIN_SIZE: 4096,
    FRAME_HEADER_BYTES: 7,
    FRAME_OVERHEAD_BYTES: 8,
    CLASS_BASIC: 60,
  })
  expect(Buffer.from(constants.PROTOCOL_HEADER)).toEqual(hex`41 4d 51 50 00 00 09 01`)
})

test('the reply codes', () => {
  expect(Object.keys(constants.REPLY_CODES).map(Number)).toEqual([
    200, 311, 312, 313, 320, 402, 403, 404, 405, 406, 501, 502, 503, 504, 505, 506, 530, 540, 541,
  ])
  expect(constants.REPLY_CODES[404]).toBe('NOT_FOUND')
  expect(constants.REPLY_CODES[541]).toBe('INTERNAL_ERROR')
})
