import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ring } from '../../src/model/ring.ts'

test('a ring is a queue', () => {
  const step = fc.option(fc.nat(), { nil: undefined })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const ring = new Ring<number>()
      const model: number[] = []
      const seen: unknown[] = []
      const expected: unknown[] = []
      for (const one of steps) {
        if (one === undefined) {
          seen.push(ring.shift())
          expected.push(model.shift())
        } else {
          ring.push(one)
          model.push(one)
        }
        const last = model.length - 1
        seen.push([ring.length, ring.peek(), ring.at(last), ring.at(last + 1)])
        expected.push([model.length, model[0], model.at(-1), undefined])
      }
      expect(seen).toEqual(expected)
    }),
  )
})

test('a ring that was full of a backlog works on when it is empty again', () => {
  const ring = new Ring<number>()
  for (let i = 0; i < 100_000; i++) ring.push(i)
  let inOrder = true
  for (let i = 0; i < 100_000; i++) inOrder &&= ring.shift() === i
  ring.push(7)
  expect([inOrder, ring.length, ring.shift(), ring.shift()]).toEqual([true, 1, 7, undefined])
})
