import type { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@hermod/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { FakeIo } from '../fake-io.ts'

it('hermod broker start keeps in its log what ends the process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermod-start-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [pidFile, log] = [join(folder, 'b.pid'), join(folder, 'b.log')]
  const io = new FakeIo()
  const listeners = process.listenerCount('uncaughtExceptionMonitor')
  const running = io.launch('broker', 'start', '--listen=0', `--pid-file=${pidFile}`, `--log=${log}`)
  await eventually(() => expect(io.stdout.text).toContain('amqp://'))
  // Node tells these listeners before it ends the process, which this does not.
  const emitter: EventEmitter = process
  emitter.emit('uncaughtExceptionMonitor', new Error('of nobody'), 'uncaughtException')
  io.signal('SIGTERM')
  expect(await running.code).toBe(143)
  const lines = readFileSync(log, 'utf8').split('\n')
  expect(
    lines.filter((line) => line.includes('Z the process fails: Error: of nobody\\n    at ')),
  ).toHaveLength(1)
  expect(process.listenerCount('uncaughtExceptionMonitor')).toBe(listeners)
})
