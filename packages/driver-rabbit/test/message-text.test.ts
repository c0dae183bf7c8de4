import type { JsonObject } from '@hermod/kernel'
import { readEnvelope } from '@hermod/messaging'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newMessageId } from '../src/message-id.ts'
import { unpackMessage, withMembers } from '../src/message-text.ts'
import { notificationText } from '../src/notification-message.ts'
import { requestText, writeRequest } from '../src/request-message.ts'

const ID = 'c0ffee00c0ffee00c0ffee00c0ffee00'

/** Names that begin like those of the driver are its own. */
const name = fc.string().filter((text) => !text.startsWith('_'))
const members = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<JsonObject>

describe('the text of a message', () => {
  it('is that of oslo.messaging for a call, but for blanks', () => {
    const request = {
      message: { method: 'add', args: { increment: 10 }, namespace: 'calc', version: '1.3' },
      context: { user: 'u-17', project_id: 'p-42' },
      headers: {},
    }
    const address = { msgId: ID, replyQueue: 'reply_8e0f', monitorTimeoutMs: undefined }
    const text = requestText(writeRequest(request), ID, address)
    expect(text).toBe(
      `{"oslo.version": "2.0", "oslo.message": ${JSON.stringify(
        `{"method":"add","args":{"increment":10},"namespace":"calc","version":"1.3","_msg_id":"${ID}",` +
          `"_reply_q":"reply_8e0f","_timeout":null,"_unique_id":"${ID}","_context_user":"u-17","_context_project_id":"p-42"}`,
      )}}`,
    )
  })

  it('holds what JSON alone would not: large integers, NaN, names that mean something to JavaScript', () => {
    const args = JSON.parse('{"__proto__": {"polluted": true}}') as JsonObject
    args['large'] = 2n ** 70n
    args['nan'] = Number.NaN
    const context = JSON.parse('{"__proto__": "mine", "constructor": 1}') as JsonObject
    const text = requestText(writeRequest({ message: { method: 'm', args }, context, headers: {} }), ID)
    const { message, context: read } = unpackMessage(readEnvelope(text).message)
    expect(Object.entries(message['args'] as JsonObject)).toEqual([
      ['__proto__', { polluted: true }],
      ['large', 2n ** 70n],
      ['nan', 'NaN'],
    ])
    expect(Object.entries(read)).toEqual([
      ['__proto__', 'mine'],
      ['constructor', 1],
    ])
    expect(({} as { readonly polluted?: true }).polluted).toBeUndefined()
  })

  it('is read back as it was, request and context', () => {
    fc.assert(
      fc.property(members, members, fc.boolean(), (args, context, isCall) => {
        const request = { message: { method: 'm', args }, context, headers: {} }
        const address = { msgId: ID, replyQueue: 'r', monitorTimeoutMs: 1500 }
        const text = requestText(writeRequest(request), ID, isCall ? address : undefined)
        const read = unpackMessage(readEnvelope(text).message)
        // A client_timeout is what Python's servers leave in a context.
        const { client_timeout: _, ...kept } = context
        expect(read).toEqual({
          message: JSON.parse(JSON.stringify(request.message)) as JsonObject,
          context: JSON.parse(JSON.stringify(kept)) as JsonObject,
          uniqueId: ID,
          msgId: isCall ? ID : undefined,
          replyQueue: isCall ? 'r' : undefined,
          monitorTimeout: isCall ? 1.5 : undefined,
        })
      }),
    )
  })

  it('is a bare object in envelope 1.0', () => {
    const notification = { message: {}, context: {}, headers: {} }
    expect(notificationText(notification, ID, '1.0')).toBe(`{"_unique_id":"${ID}"}`)
    expect(readEnvelope(notificationText(notification, ID, '2.0'))).toEqual({
      version: '2.0',
      message: { _unique_id: ID },
    })
  })

  it('gets members behind those that it has', () => {
    expect(withMembers('{}', '')).toBe('{}')
    expect(withMembers('{"a":1}', '')).toBe('{"a":1}')
    expect(withMembers('{"a":1}', ',"b":2,"c":3')).toBe('{"a":1,"b":2,"c":3}')
  })
})

describe('taking a message apart', () => {
  it.each([
    [{ _timeout: 0 }, { monitorTimeout: undefined }],
    [{ _timeout: '4' }, { monitorTimeout: undefined }],
    [{ _timeout: null }, { monitorTimeout: undefined }],
    [{ _msg_id: '' }, { msgId: undefined }],
    [{ _msg_id: 7 }, { msgId: undefined }],
    [{ _reply_q: null }, { replyQueue: undefined }],
    [{ _unique_id: ['x'] }, { uniqueId: undefined }],
  ])('reads %o as nothing', (packed, expected) => {
    expect(unpackMessage(packed as JsonObject)).toMatchObject({ message: {}, context: {}, ...expected })
  })
})

describe('ids', () => {
  it('are 32 hexadecimal digits, and never the same', () => {
    const ids = Array.from({ length: 5000 }, newMessageId)
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
