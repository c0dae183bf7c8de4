import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { EventRecord } from '@hermod/openstack'
import { findPython, findRabbitMq, needs } from '@hermod/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'

const gate = needs(findRabbitMq(), findPython(['oslo_messaging']))
const script = fileURLToPath(new URL('../../scripts/demo-oslo.mjs', import.meta.url))

describe.skipIf(gate.skip)(`npm run demo:oslo${gate.note}`, () => {
  it('shows notifications of three services, and leaves nothing behind', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'hermod-demo-'))
    onTestFinished(() => rmSync(temporary, { recursive: true, force: true }))
    const demo = spawn(process.execPath, [script, '-n', '15', '-o', 'ndjson'], {
      env: { ...process.env, TMPDIR: temporary },
    })
    const [shown, said, [code]] = await Promise.all([
      text(demo.stdout),
      text(demo.stderr),
      once(demo, 'close'),
    ])
    const events = shown
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EventRecord)
    expect({ code, said, count: events.length }).toMatchObject({ code: 0, count: 15 })
    expect(new Set(events.map(({ service }) => service))).toEqual(new Set(['keystone', 'nova', 'neutron']))
    expect(events.map(({ type }) => type)).toContain('compute.instance.create.end')
    expect(said).toContain('the broker is gone')
    expect(readdirSync(temporary)).toEqual([])
  })
})
