import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, it } from 'vitest'
import { settled } from '../src/settled.ts'

it('settled lets chains of promises and streams in memory come to their end', async () => {
  const stream = new PassThrough()
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  let piped = false
  void pipeline(['one ', 'two ', 'three'], stream).then(() => (piped = true))
  let links = 0
  void (async (): Promise<void> => {
    while (links < 1000) await Promise.resolve(links++)
  })()
  await settled()
  expect(text).toBe('one two three')
  expect(piped).toBe(true)
  expect(links).toBe(1000)
})

it('settled does not wait for a timer', async () => {
  let rung = false
  const timer = setTimeout(() => (rung = true), 60_000)
  await settled()
  clearTimeout(timer)
  expect(rung).toBe(false)
})
