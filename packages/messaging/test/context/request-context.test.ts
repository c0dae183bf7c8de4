import type { JsonObject } from '@hermod/kernel'
import fc from 'fast-check'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  generateRequestId,
  redactContext,
  RequestContext,
  requestContextSerializer,
} from '../../src/index.ts'

const REQUEST_ID = /^req-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

const full = new RequestContext({
  userId: 'u-17',
  projectId: 'p-42',
  systemScope: 'all',
  domainId: 'd-1',
  userDomainId: 'ud',
  projectDomainId: 'pd',
  isAdmin: true,
  isAdminProject: false,
  readOnly: true,
  showDeleted: true,
  authToken: 'a-secret-token',
  requestId: 'req-1',
  globalRequestId: 'req-0',
  resourceUuid: 'r-1',
  roles: ['member', 'reader'],
  extra: { user_name: 'bob', service_catalog: [{ token: 'another-secret' }], user: 'not this' },
})

describe('RequestContext', () => {
  // What oslo.context writes for the same context, member by member.
  const wire =
    '{"user":"u-17","project_id":"p-42","system_scope":"all","project":"p-42","domain":"d-1","user_domain":"ud","project_domain":"pd","is_admin":true,"read_only":true,"show_deleted":true,"auth_token":"a-secret-token","request_id":"req-1","global_request_id":"req-0","resource_uuid":"r-1","roles":["member","reader"],"user_identity":"u-17 p-42 d-1 ud pd","is_admin_project":false,"user_name":"bob","service_catalog":[{"token":"another-secret"}]}'

  it("has Python's members in Python's order, and then its own", () => {
    expect(JSON.stringify(full.toWire())).toBe(wire)
  })

  it('is read back as it was', () => {
    expect(RequestContext.fromWire(full.toWire()).toWire()).toEqual(full.toWire())
    expect(RequestContext.fromWire({ user_id: 'u-1' }).userId).toBe('u-1')
  })

  it('is everything by default that Python has by default', () => {
    const { request_id: id, ...rest } = new RequestContext().toWire()
    expect(id).toMatch(REQUEST_ID)
    expect(rest).toEqual({
      user: null,
      project_id: null,
      system_scope: null,
      project: null,
      domain: null,
      user_domain: null,
      project_domain: null,
      is_admin: false,
      read_only: false,
      show_deleted: false,
      auth_token: null,
      global_request_id: null,
      resource_uuid: null,
      roles: [],
      user_identity: '- - - - -',
      is_admin_project: true,
    })
  })

  it('reads members of unexpected types as absent', () => {
    const read = RequestContext.fromWire({ user: 7, roles: 'admin', is_admin: 'yes', request_id: 'req-9' })
    expect(read.toWire()).toEqual(new RequestContext({ requestId: 'req-9' }).toWire())
  })

  it('keeps in its redacted copy what Python keeps', () => {
    expect(JSON.stringify(full.redactedCopy().toWire())).toBe(
      '{"user":"u-17","project_id":"p-42","system_scope":"all","project":"p-42","domain":"d-1","user_domain":"ud","project_domain":"pd","is_admin":true,"read_only":false,"show_deleted":false,"auth_token":null,"request_id":"req-1","global_request_id":"req-0","resource_uuid":null,"roles":["member","reader"],"user_identity":"u-17 p-42 d-1 ud pd","is_admin_project":true,"user_name":"bob"}',
    )
  })

  it('shows no secret when it is printed or written as JSON', () => {
    expect(inspect(full, { depth: 9, showHidden: true }) + JSON.stringify(full)).not.toContain('secret')
    expect(full.authToken).toBe('a-secret-token')
  })

  it('passes the first request on as the global one', () => {
    expect(full.globalId).toBe('req-0')
    expect(new RequestContext({ requestId: 'req-5' }).globalId).toBe('req-5')
  })

  it('cannot be changed', () => {
    expect(() => {
      ;(full as { userId: string | null }).userId = 'u-18'
    }).toThrow(TypeError)
    expect(() => (full.roles as string[]).push('admin')).toThrow(TypeError)
  })

  it('makes request ids that differ', () => {
    expect(generateRequestId()).toMatch(REQUEST_ID)
    expect(generateRequestId()).not.toBe(generateRequestId())
  })

  it('has a serializer that keeps the token for calls', () => {
    const wired = requestContextSerializer.serializeContext(full) as JsonObject
    expect(wired['auth_token']).toBe('a-secret-token')
    expect(requestContextSerializer.deserializeContext(wired).userId).toBe('u-17')
  })
})

describe('redactContext', () => {
  it('takes the copy of a context that makes one', () => {
    const copy = redactContext(full)
    expect(copy).toBeInstanceOf(RequestContext)
    expect(JSON.stringify((copy as RequestContext).toWire())).not.toContain('secret')
  })

  it('gives nothing for what is no context', () => {
    for (const context of [null, undefined, 'req-1', 7, ['x'], new Map([['user', 'u']]), new Date(0)])
      expect(redactContext(context)).toEqual({})
  })

  it('keeps of a plain object what names who asked', () => {
    expect(
      redactContext({
        user: 'a',
        auth_token: 'x',
        roles: ['r'],
        project: 'p',
        secret_data: 's',
        user_name: 'bob',
      }),
    ).toEqual({ user: 'a', roles: ['r'], user_name: 'bob' })
  })

  it('lets no other member of any object through', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.string(), (context, token) => {
        const kept = redactContext({ ...context, auth_token: token, service_token: token, token })
        expect(Object.keys(kept).filter((key) => /token/.test(key))).toEqual([])
      }),
    )
  })
})
