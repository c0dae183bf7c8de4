import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PidFile, readPid } from '../../src/broker/pid-file.ts'

const OTHER = 4_000_000
const running = (): Promise<boolean> => Promise.resolve(true)
const ended = (): Promise<boolean> => Promise.resolve(false)

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermod-pid-'))
  path = join(folder, 'broker.pid')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a pid file', () => {
  it('names this process until it is removed, with nothing beside it', async () => {
    const file = await PidFile.take(path, ended)
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
    expect(file.stale).toBeUndefined()
    expect(readdirSync(folder)).toEqual(['broker.pid'])
    await file.remove()
    expect(readdirSync(folder)).toEqual([])
  })

  it('is refused while its process runs', async () => {
    writeFileSync(path, `${OTHER}\n`)
    await expect(PidFile.take(path, running)).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining(`a broker (process ${OTHER}) runs already under ${path}`) as string,
    })
    expect(await readPid(path)).toBe(OTHER)
    expect(readdirSync(folder)).toEqual(['broker.pid'])
  })

  it('is taken over from a process that has ended', async () => {
    writeFileSync(path, `${OTHER}\n`)
    const file = await PidFile.take(path, ended)
    expect(file.stale).toBe(OTHER)
    expect(await readPid(path)).toBe(process.pid)
    expect(readdirSync(folder)).toEqual(['broker.pid'])
  })

  it('that somebody else took over meanwhile stays theirs', async () => {
    writeFileSync(path, `${OTHER}\n`)
    const meanwhile = async (): Promise<boolean> => {
      writeFileSync(path, `${OTHER + 1}\n`)
      return false
    }
    await expect(PidFile.take(path, meanwhile)).rejects.toThrow(`process ${OTHER + 1}`)
    expect(await readPid(path)).toBe(OTHER + 1)
  })

  it('of somebody else is not removed', async () => {
    const file = await PidFile.take(path, ended)
    writeFileSync(path, `${OTHER}\n`)
    await file.remove()
    expect(existsSync(path)).toBe(true)
  })

  it.each(['', 'text', '0', '-1', '12345678901', '1 2'])('with %j names nobody', async (content) => {
    writeFileSync(path, content)
    expect(await readPid(path)).toBeUndefined()
    expect((await PidFile.take(path, ended)).path).toBe(path)
  })

  it('in a folder that is not there cannot be written', async () => {
    await expect(PidFile.take(join(folder, 'none', 'b.pid'), ended)).rejects.toThrow(
      /b\.pid cannot be used \(ENOENT\)/,
    )
  })
})
