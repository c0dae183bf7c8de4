import { describe, expect, it } from 'vitest'
import { createDeferred } from '../src/index.ts'

describe('createDeferred', () => {
  it('is settled from outside, once', async () => {
    const deferred = createDeferred<number>()
    deferred.resolve(1)
    deferred.reject(new Error('too late'))
    await expect(deferred.promise).resolves.toBe(1)
  })

  it('can be rejected', async () => {
    const deferred = createDeferred<number>()
    deferred.reject('reason')
    await expect(deferred.promise).rejects.toBe('reason')
  })
})
