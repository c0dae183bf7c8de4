import type { Message } from '@hermod/amqp'
import { ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { GatheredAcks } from '../src/gathered-acks.ts'

function gathering(prefetchCount: number) {
  const clock = new ManualClock()
  const acks = new GatheredAcks(clock, prefetchCount)
  const acked: number[] = []
  const add = (...numbers: number[]): void => {
    for (const number of numbers) acks.add({ ack: () => acked.push(number) } as unknown as Message)
  }
  return { clock, acks, acked, add }
}

describe('acks that are gathered', () => {
  it('leave 20 ms after the first of their messages', () => {
    const { clock, acked, add } = gathering(0)
    add(1)
    clock.advance(19)
    add(2)
    expect(acked).toEqual([])
    clock.advance(1)
    expect(acked).toEqual([1, 2])
    expect(clock.armed).toBe(0)
    add(3)
    clock.advance(20)
    expect(acked).toEqual([1, 2, 3])
  })

  it.each([
    [0, 32],
    [1, 1],
    [8, 2],
    [1000, 32],
  ])('with %d prefetched leave when there are %d', (prefetchCount, most) => {
    const { clock, acked, add } = gathering(prefetchCount)
    for (let n = 1; n < most; n++) add(n)
    expect(acked).toEqual([])
    add(most)
    expect(acked.length).toBe(most)
    expect(clock.armed).toBe(0)
  })

  it('leave at once when they are asked to', () => {
    const { clock, acks, acked, add } = gathering(0)
    add(1, 2)
    acks.flush()
    acks.flush()
    expect(acked).toEqual([1, 2])
    expect(clock.armed).toBe(0)
  })
})
