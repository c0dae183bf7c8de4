import { describe, expect, it } from 'vitest'
import { eventually } from '../src/eventually.ts'

describe('eventually', () => {
  it('gives what the first successful attempt gave', async () => {
    let attempts = 0
    const value = await eventually(
      () => {
        attempts++
        if (attempts === 1) throw new Error('not yet')
        return attempts === 3 && 'done'
      },
      { intervalMs: 1 },
    )
    expect(value).toBe('done')
    expect(attempts).toBe(3)
  })

  it('takes values that are merely falsy for success', async () => {
    expect(await eventually(() => 0)).toBe(0)
    expect(await eventually(() => undefined)).toBeUndefined()
  })

  it('throws what the last attempt threw', async () => {
    let attempts = 0
    const failing = eventually(
      () => {
        throw new Error(`failure ${++attempts}`)
      },
      { timeoutMs: 300, intervalMs: 1 },
    )
    const error = await failing.catch((reason: unknown) => reason as Error)
    expect(attempts).toBeGreaterThan(1)
    expect(error).toMatchObject({ message: `failure ${attempts}` })
  })

  it('ends with a timeout when the answer stays false', async () => {
    await expect(eventually(() => false, { timeoutMs: 20, intervalMs: 1 })).rejects.toMatchObject({
      code: 'E_TIMEOUT',
      details: { timeoutMs: 20 },
    })
  })

  it('does not wait for an attempt that hangs', async () => {
    const hanging = eventually(() => new Promise<never>(() => {}), { timeoutMs: 20, intervalMs: 1 })
    await expect(hanging).rejects.toMatchObject({ code: 'E_TIMEOUT' })
  })
})
