import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@hermod/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextProcessNumber } from '../src/index.ts'

/** When a process started, as the file says it. */
function startTimeOf(pid: number | string): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

describe.skipIf(process.platform !== 'linux')('nextProcessNumber', () => {
  let folder: string
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'hermod-number-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  const next = (): Promise<number> => nextProcessNumber({ hostname: 'h1', processName: 'nova-api', folder })
  const file = (): string => join(folder, 'h1_nova-api_qmanager')

  it('counts from 1 on, in the file that Python counts in', async () => {
    expect([await next(), await next(), await next()]).toEqual([1, 2, 3])
    expect(readFileSync(file(), 'utf8')).toMatch(/^\d+:3:\d+$/)
    expect(readdirSync(folder)).toEqual(['h1_nova-api_qmanager'])
  })

  it('gives no number twice, however many ask at once', async () => {
    const numbers = await Promise.all(Array.from({ length: 25 }, next))
    expect(new Set(numbers)).toEqual(new Set(Array.from({ length: 25 }, (_, index) => index + 1)))
  })

  it('counts each name by itself', async () => {
    await next()
    expect(await nextProcessNumber({ hostname: 'h1', processName: 'nova-compute', folder })).toBe(1)
  })

  it.each([
    ['a group that is gone', '4194303:7:1'],
    ['a number of a process that was given again', '1:7:999999999999999'],
    ['no numbers', 'what is this'],
    ['nothing', ''],
  ])('starts over where the file holds %s', async (_, text) => {
    writeFileSync(file(), text)
    expect(await next()).toBe(1)
  })

  it('goes on after the numbers of other groups that live', async () => {
    const other = `1:41:${startTimeOf(1)}`
    writeFileSync(file(), other)
    expect([await next(), await next()]).toEqual([42, 43])
    const [own, ...others] = readFileSync(file(), 'utf8').split('\n')
    expect(own).toMatch(/^\d+:43:\d+$/)
    expect(others).toEqual([other])
  })

  it('breaks a lock whose holder died', async () => {
    writeFileSync(`${file()}.lock`, '1')
    utimesSync(`${file()}.lock`, 0, 0)
    expect(await next()).toBe(1)
    expect(existsSync(`${file()}.lock`)).toBe(false)
  })

  it('waits for a lock that is held, as long as it may', async () => {
    writeFileSync(`${file()}.lock`, '1')
    const stop = new AbortController()
    const waiting = nextProcessNumber({
      hostname: 'h1',
      processName: 'nova-api',
      folder,
      signal: stop.signal,
    })
    const reason = new Error('enough')
    setImmediate(() => stop.abort(reason))
    await expect(waiting).rejects.toBe(reason)
    const held = next()
    rmSync(`${file()}.lock`)
    expect(await held).toBe(1)
  })

  it('says what is in its way', async () => {
    await expect(nextProcessNumber({ hostname: 'a/b', processName: 'p', folder })).rejects.toThrow(
      "the queue manager's host 'a/b' or process 'p' holds a '/'",
    )
    const gone = join(folder, 'gone')
    await expect(nextProcessNumber({ hostname: 'a', processName: 'p', folder: gone })).rejects.toThrow(
      ConfigurationError,
    )
  })
})
