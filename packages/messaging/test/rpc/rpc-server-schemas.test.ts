import { type } from 'arktype'
import { settled } from '@hermod/testkit'
import * as v from 'valibot'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { createRpcServer, defineEndpoint, type StandardSchema } from '../../src/index.ts'
import { keepingLogger, ScriptedDriver, transportOn, type LogLine } from './scripted-requests.ts'

interface Server {
  readonly name: string
  readonly size: number
}

let driver: ScriptedDriver
let lines: LogLine[]

beforeEach(() => {
  driver = new ScriptedDriver()
  lines = []
})

async function serve(endpoint: object): Promise<void> {
  const transport = transportOn(driver, { logger: keepingLogger(lines) })
  await createRpcServer(transport, { topic: 't', server: 's' }, { endpoints: [endpoint] }).start()
}

const LIBRARIES: readonly (readonly [string, StandardSchema<unknown, Server>])[] = [
  ['zod', z.object({ name: z.string(), size: z.number() })],
  ['valibot', v.object({ name: v.string(), size: v.number() })],
  ['arktype', type({ name: 'string', size: 'number' })],
]

describe.each(LIBRARIES)('schemas of %s', (_, schema) => {
  it('let arguments through that fit', async () => {
    const create = vi.fn<(args: Server) => string>(() => 'made')
    await serve(defineEndpoint({ create }, { schemas: { create: { args: schema } } }))
    const request = driver.request('create', { name: 'a', size: 5 })
    await settled()
    expect(request.replies).toEqual([{ result: 'made' }])
    expect(create.mock.calls[0]?.[0]).toEqual({ name: 'a', size: 5 })
  })

  it('refuse the others as a ValueError that says where, and the log says no value', async () => {
    const create = vi.fn<(args: Server) => string>()
    await serve(defineEndpoint({ create }, { schemas: { create: { args: schema } } }))
    const request = driver.request('create', { name: 'a', size: 'a-secret-of-the-caller' })
    await settled()
    expect(create).not.toHaveBeenCalled()
    expect(request.replies).toMatchObject([{ failure: { class: 'ValueError', module: 'builtins' } }])
    expect(request.replies[0]?.failure?.message).toMatch(
      /^the arguments of 'create' do not fit the schema: .*size/,
    )
    expect(lines).toMatchObject([{ level: 'warn', details: { method: 'create', paths: ['size'] } }])
    expect(JSON.stringify(lines)).not.toContain('a-secret-of-the-caller')
  })

  it('refuse a result as the fault of the server', async () => {
    const bad = { name: 'a', size: 'a-secret-of-the-server' } as unknown as Server
    await serve(defineEndpoint({ show: () => bad }, { schemas: { show: { result: schema } } }))
    const request = driver.request('show')
    await settled()
    expect(request.replies).toMatchObject([
      {
        failure: {
          class: 'RuntimeError',
          module: 'builtins',
          message: "the result of 'show' does not fit its schema",
        },
      },
    ])
    expect(lines[0]).toMatchObject({ level: 'error', details: { paths: ['size'] } })
    expect(JSON.stringify([lines, request.replies])).not.toContain('a-secret-of-the-server')
  })
})

it('give the method and the caller what they make of values, also when they take their time', async () => {
  const size = z.object({ size: z.coerce.number().refine((n) => Promise.resolve(n > 0)) })
  await serve(
    defineEndpoint(
      { double: ({ size: n }: { size: number }) => ({ size: n * 2, internal: true }) },
      { schemas: { double: { args: size, result: size } } },
    ),
  )
  const good = driver.request('double', { size: '21' })
  const bad = driver.request('double', { size: '-1' })
  await settled()
  expect(good.replies).toEqual([{ result: { size: 42 } }])
  expect(bad.replies).toMatchObject([{ failure: { class: 'ValueError' } }])
})

it('fail the call when they throw', async () => {
  const broken = z.object({}).refine(() => {
    throw new TypeError('the schema itself')
  })
  await serve(defineEndpoint({ run: () => 1 }, { schemas: { run: { args: broken } } }))
  const request = driver.request('run')
  await settled()
  expect(request.replies).toMatchObject([{ failure: { class: 'TypeError', message: 'the schema itself' } }])
})
