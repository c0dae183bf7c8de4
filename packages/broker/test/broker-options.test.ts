import { getHeapStatistics } from 'node:v8'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { brokerSettings } from '../src/broker-options.ts'

const GIB = 1_073_741_824

afterEach(() => vi.restoreAllMocks())

describe('the limit of memory', () => {
  it('is no more than a gibibyte, and no more than the heap can bear', () => {
    const { memoryLimitBytes } = brokerSettings({})
    expect(memoryLimitBytes).toBeGreaterThan(0)
    expect(memoryLimitBytes).toBeLessThanOrEqual(Math.min(GIB, getHeapStatistics().heap_size_limit * 0.4))
  })

  it.each([
    [100_000_000, 40_000_000],
    [0, undefined],
    [Number(2n ** 64n), undefined],
  ])('heeds a container that may have %d bytes', (containerBytes, limitBytes) => {
    const free = brokerSettings({}).memoryLimitBytes
    vi.spyOn(process, 'constrainedMemory').mockReturnValue(containerBytes)
    expect(brokerSettings({}).memoryLimitBytes).toBe(limitBytes ?? free)
  })

  it('is what it is told to be', () => {
    expect(brokerSettings({ memoryLimitBytes: 5 * GIB }).memoryLimitBytes).toBe(5 * GIB)
  })
})
