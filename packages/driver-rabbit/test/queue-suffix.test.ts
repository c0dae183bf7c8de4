import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { newQueueSuffix } from '../src/queue-suffix.ts'

const RANDOM = { useQueueManager: false, hostname: 'h1', processName: 'p' }

it('is 32 random digits by default', async () => {
  const [one, other] = [await newQueueSuffix(RANDOM), await newQueueSuffix(RANDOM)]
  expect(one).toMatch(/^[0-9a-f]{32}$/)
  expect(other).not.toBe(one)
})

it.skipIf(process.platform !== 'linux')('counts with the queue manager', async () => {
  const hostname = `test-${process.pid}`
  const settings = { useQueueManager: true, hostname, processName: 'suffix' }
  try {
    expect(await newQueueSuffix(settings)).toBe(`${hostname}:suffix:1`)
    expect(await newQueueSuffix(settings)).toBe(`${hostname}:suffix:2`)
  } finally {
    rmSync(`/dev/shm/${hostname}_suffix_qmanager`)
  }
})
