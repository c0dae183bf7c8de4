import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { systemClock } from '@hermod/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askBroker, isAnswering } from '../../src/broker/control-client.ts'
import { ControlServer } from '../../src/broker/control-server.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermod-control-'))
  path = join(folder, 'broker.sock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const limits = { timeoutMs: 10_000, signal: new AbortController().signal, clock: systemClock }
const handlers = { status: () => ({ running: true, queues: 3 }), stop: () => {} }

describe('the control socket of a broker', () => {
  it('is for its user alone, and goes when it is closed', async () => {
    const control = await ControlServer.open(path, handlers)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await isAnswering(path)).toBe(true)
    await control.close()
    expect(existsSync(path)).toBe(false)
    expect(await isAnswering(path)).toBe(false)
  })

  it('gives the status', async () => {
    const control = await ControlServer.open(path, handlers)
    expect(await askBroker(path, 'status', limits)).toEqual({ running: true, queues: 3 })
    await control.close()
  })

  it('answers a stop when the end has come', async () => {
    let answered = false
    const asked = new Promise<void>(
      (resolve) => void ControlServer.open(path, { ...handlers, stop: resolve }).then(keep),
    )
    let control: ControlServer | undefined
    function keep(opened: ControlServer): void {
      control = opened
    }
    await expect.poll(() => isAnswering(path)).toBe(true)
    const stopping = askBroker(path, 'stop', limits).finally(() => (answered = true))
    await asked
    expect(await askBroker(path, 'status', limits)).toMatchObject({ running: true })
    expect(answered).toBe(false)
    await control?.close()
    expect(await stopping).toEqual({ stopped: true })
  })

  it('is nobody where there is none, or one of a process that has ended', async () => {
    expect(await askBroker(path, 'status', limits)).toBeUndefined()
    writeFileSync(path, '')
    expect(await askBroker(path, 'status', limits)).toBeUndefined()
    const control = await ControlServer.open(path, handlers)
    expect(await isAnswering(path)).toBe(true)
    await control.close()
  })

  it.each([
    ['something else', '{"request":"delete"}\n', '{"error":"unknown request"}\n'],
    ['no JSON', 'status\n', ''],
    ['no object', '["status"]\n', ''],
    ['a line without end', 'x'.repeat(70_000), ''],
  ])('is not moved by %s', async (_, sent, answer) => {
    const control = await ControlServer.open(path, handlers)
    const socket = connect(path)
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(sent)
    expect(await text(socket).catch(() => '')).toBe(answer)
    expect(await askBroker(path, 'status', limits)).toMatchObject({ running: true })
    await control.close()
  })

  it('gives up on a broker that does not answer', async () => {
    const control = await ControlServer.open(path, handlers)
    await expect(askBroker(path, 'stop', { ...limits, timeoutMs: 20 })).rejects.toMatchObject({
      code: 'E_TIMEOUT',
    })
    await control.close()
  })
})
