import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ring } from '../../src/model/ring.ts'

test('a ring is a queue', () => {
  const step = fc.oneof(fc.constant('shift' as const), fc.nat())
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const ring = new Ring<number>()
      const model: number[] = []
      for (const one of steps) {
        if (one === 'shift') expect(ring.shift()).toBe(model.shift())
        else {
          ring.push(one)
          model.push(one)
        }
        expect(ring.length).toBe(model.length)
        expect(ring.peek()).toBe(model[0])
        expect(ring.at(model.length - 1)).toBe(model.at(-1))
        expect(ring.at(model.length)).toBe(undefined)
      }
    }),
  )
})

test('a ring that was full of a backlog works on when it is empty again', () => {
  const ring = new Ring<number>()
  for (let i = 0; i < 100_000; i++) ring.push(i)
  let inOrder = true
  for (let i = 0; i < 100_000; i++) inOrder &&= ring.shift() === i
  expect(inOrder).toBe(true)
  ring.push(7)
  expect([ring.length, ring.shift(), ring.shift()]).toEqual([1, 7, undefined])
})
