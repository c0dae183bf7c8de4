import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { AsyncQueue } from '../src/index.ts'

describe('AsyncQueue', () => {
  it('gives values in order, whether they or the reader came first', async () => {
    const queue = new AsyncQueue<number>()
    const early = queue.next()
    queue.put(1)
    queue.put(2)
    expect(queue.size).toBe(1)
    await expect(early).resolves.toEqual({ done: false, value: 1 })
    await expect(queue.next()).resolves.toEqual({ done: false, value: 2 })
    expect(queue.size).toBe(0)
  })

  it('gives what is left before the end', async () => {
    const queue = new AsyncQueue<number>()
    queue.put(1)
    queue.put(2)
    queue.end()
    queue.put(3)
    const seen: number[] = []
    for await (const value of queue) seen.push(value)
    expect(seen).toEqual([1, 2])
    await expect(queue.next()).resolves.toEqual({ done: true, value: undefined })
  })

  it('gives what is left before an error, and the error once', async () => {
    const queue = new AsyncQueue<number>()
    const failure = new Error('gone')
    queue.put(1)
    queue.end(failure)
    queue.end(new Error('not this one'))
    await expect(queue.next()).resolves.toEqual({ done: false, value: 1 })
    await expect(queue.next()).rejects.toBe(failure)
    await expect(queue.next()).resolves.toEqual({ done: true, value: undefined })
  })

  it('ends or fails a reader that waits', async () => {
    const ending = new AsyncQueue<number>()
    const waiting = ending.next()
    ending.end()
    await expect(waiting).resolves.toEqual({ done: true, value: undefined })

    const failing = new AsyncQueue<number>()
    const outcome = failing.next().catch((error: unknown) => error)
    const failure = new Error('gone')
    failing.end(failure)
    expect(await outcome).toBe(failure)
  })

  it('refuses a second reader at the same time', async () => {
    const queue = new AsyncQueue<number>()
    const first = queue.next()
    await expect(queue.next()).rejects.toThrow('one reader')
    queue.put(1)
    await expect(first).resolves.toEqual({ done: false, value: 1 })
  })

  it('tells the producer once when the reader leaves its loop, and forgets what is left', async () => {
    const onReturn = vi.fn<() => void>()
    const queue = new AsyncQueue<number>(onReturn)
    queue.put(1)
    queue.put(2)
    for await (const value of queue) {
      expect(value).toBe(1)
      break
    }
    expect(queue.size).toBe(0)
    await queue.return()
    expect(onReturn).toHaveBeenCalledOnce()
    queue.put(3)
    await expect(queue.next()).resolves.toEqual({ done: true, value: undefined })
  })

  it('does not report a leave after its own end, nor an error that the reader left behind', async () => {
    const onReturn = vi.fn<() => void>()
    const queue = new AsyncQueue<number>(onReturn)
    queue.put(1)
    queue.end(new Error('gone'))
    await queue.return()
    expect(onReturn).not.toHaveBeenCalled()
    await expect(queue.next()).resolves.toEqual({ done: true, value: undefined })
  })

  it('takes without waiting', () => {
    const queue = new AsyncQueue<string>()
    expect(queue.take()).toBeUndefined()
    queue.put('a')
    expect(queue.take()).toBe('a')
    expect(queue.size).toBe(0)
  })

  it('behaves as an array under any mix of puts and takes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1500, max: 1500 }), { maxLength: 20 }), (steps) => {
        const queue = new AsyncQueue<number>()
        const model: number[] = []
        let next = 0
        for (const step of steps) {
          for (let count = 0; count < step; count++) {
            queue.put(next)
            model.push(next++)
          }
          const taken = Array.from({ length: Math.max(0, -step) }, () => queue.take())
          const wanted = model.splice(0, taken.length)
          expect(taken.slice(0, wanted.length)).toEqual(wanted)
          expect(taken.slice(wanted.length).every((value) => value === undefined)).toBe(true)
          expect(queue.size).toBe(model.length)
        }
      }),
    )
  })
})
