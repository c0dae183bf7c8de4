import { parsePythonJson, stringifyJson, type JsonObject } from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRpcServer, defineEndpoint, type AccessPolicy } from '../../src/index.ts'
import { ScriptedDriver, ScriptedRequest, transportOn } from './scripted-requests.ts'

/** Names that mean something to JavaScript or Python. */
const LOADED_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  '__class__',
  '__init__',
  'then',
  'call',
  'apply',
  'bind',
  'target',
  'methods',
  '_private',
  '#secret',
  'accessor',
  '',
  '\u0000',
  'a'.repeat(5000),
]

const name = fc.oneof(fc.constantFrom('add', 'echo', ...LOADED_NAMES), fc.string())
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => parsePythonJson(stringifyJson(value)))
const members = fc.array(fc.tuple(name, json), { maxLength: 6 }).map((entries) => Object.fromEntries(entries))

/** Objects as a parser makes them: every name an own member. */
const message = fc.record(
  {
    method: fc.oneof({ weight: 3, arbitrary: name }, json),
    args: fc.oneof({ weight: 3, arbitrary: members }, json),
    namespace: fc.oneof(fc.constant(null), name, json),
    version: fc.oneof(fc.constantFrom('1.0', '1.99', '2.0', '1', '1.0.0.0'), json),
    extra: json,
  },
  { requiredKeys: [] },
)

class Endpoint {
  readonly ran: string[]
  constructor(ran: string[]) {
    this.ran = ran
  }
  add(args: unknown): string {
    this.ran.push('add')
    return typeof args
  }
  echo(args: JsonObject): JsonObject {
    this.ran.push('echo')
    return args
  }
  _private(): void {
    this.ran.push('_private')
  }
  #secret(): void {
    this.ran.push('#secret')
  }
  get accessor(): () => void {
    this.ran.push('accessor')
    return () => this.#secret()
  }
}

it('answers whatever it is sent, and runs nothing but what it offers', async () => {
  const policy = fc.constantFrom<AccessPolicy>('default', 'legacy', 'explicit')
  const own = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(message, members, fc.option(fc.double(), { nil: undefined })), { maxLength: 8 }),
      policy,
      async (requests, accessPolicy) => {
        const ran: string[] = []
        const driver = new ScriptedDriver()
        const clock = new ManualClock()
        const endpoint = new Endpoint(ran)
        const endpoints = [defineEndpoint(endpoint, { expose: ['add', 'echo'] })]
        const options = { endpoints, accessPolicy }
        const server = createRpcServer(transportOn(driver, { clock }), { topic: 't', server: 's' }, options)
        await server.start()
        const delivered = requests.map(([content, context, monitorTimeoutMs]) =>
          driver.deliver(new ScriptedRequest(content as JsonObject, { context, monitorTimeoutMs })),
        )
        await settled()
        expect(delivered.map(({ replies }) => replies.length)).toEqual(delivered.map(() => 1))
        for (const [index, { replies, message: sent }] of delivered.entries()) {
          const [reply] = replies
          const isOffered = sent['method'] === 'add' || sent['method'] === 'echo'
          expect(isOffered || reply?.failure !== undefined, `request ${index}`).toBe(true)
          // It can be sent.
          stringifyJson(reply)
        }
        expect(ran.filter((method) => method !== 'add' && method !== 'echo')).toEqual([])
        const { done, failed } = server.stats()
        expect([done, failed]).toEqual([ran.length, 0])
        expect(clock.armed).toBe(0)
        expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(own)
      },
    ),
    { numRuns: 60 },
  )
})
