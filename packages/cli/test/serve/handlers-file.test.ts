import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EndpointDefinition } from '@hermod/messaging'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadHandlers } from '../../src/serve/handlers-file.ts'

const NO_TARGET = { namespace: undefined, version: undefined }

describe('loadHandlers', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hermod-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function file(text: string, name = 'handlers.mjs'): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }

  it.each([
    ['export default { add: ({ a, b }) => a + b }', ['add']],
    ['class A { one() {} }\nexport default [new A(), { two() {} }]', ['one', 'two']],
    ['export const a = { one() {} }\nexport const b = { two() {} }\nexport const n = 3', ['one', 'two']],
  ])('gives the endpoints of %s', async (text, methods) => {
    const endpoints = (await loadHandlers(await file(text), NO_TARGET)) as Record<string, unknown>[]
    expect(endpoints.length).toBe(Math.min(methods.length, 2))
    for (const [at, method] of methods.entries()) expect(endpoints[at]?.[method]).toBeTypeOf('function')
  })

  it('makes one endpoint of plain functions, with namespace and version', async () => {
    const path = await file('export const add = ({ a, b }) => a + b\nexport async function sub() {}')
    const [endpoint, ...others] = await loadHandlers(path, { namespace: 'calc', version: '1.2' })
    expect(others).toEqual([])
    expect(endpoint).toBeInstanceOf(EndpointDefinition)
    const { methods, target } = endpoint as EndpointDefinition<object>
    expect(Object.keys(methods).toSorted()).toEqual(['add', 'sub'])
    expect(target).toMatchObject({ namespace: 'calc', version: '1.2' })
  })

  it.each([
    ['', 'exports no functions and no objects'],
    ['export const a = 1', 'exports no functions and no objects'],
    ['export default 3', 'is no endpoint'],
    ['export default []', 'is no endpoint'],
    ['export default [null]', 'is no endpoint'],
    ['export default class A {}', 'is no endpoint'],
    ['export class A { one() {} }', 'exports the class A; export an instance'],
    ['throw new Error("no luck")', 'cannot be loaded (no luck)'],
    ['import "./nowhere.mjs"', 'cannot be loaded ('],
  ])('refuses %j', async (text, complaint) => {
    await expect(loadHandlers(await file(text), NO_TARGET)).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining(complaint) as unknown,
    })
  })

  it('refuses a namespace for endpoints that have one of their own', async () => {
    const path = await file('export default { add() {} }')
    await expect(loadHandlers(path, { namespace: 'x', version: undefined })).rejects.toThrow('defineEndpoint')
  })

  it('says so when there is no such file', async () => {
    await expect(loadHandlers(join(folder, 'none.mjs'), NO_TARGET)).rejects.toMatchObject({
      code: 'E_CONFIG',
    })
  })
})
