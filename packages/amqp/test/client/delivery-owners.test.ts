import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeliveryOwners } from '../../src/client/delivery-owners.ts'

describe('the owners of deliveries', () => {
  it('are known for each unsettled delivery, whoever came in between and whatever is settled', () => {
    const consumers = [{}, {}, {}, undefined] as const
    fc.assert(
      fc.property(
        fc.array(fc.record({ consumer: fc.nat(3), settles: fc.nat(4) }), { maxLength: 60 }),
        (deliveries) => {
          const owners = new DeliveryOwners()
          let settledTo = 0
          for (const [at, { consumer, settles }] of deliveries.entries()) {
            owners.delivered(at + 1, consumers[consumer], settledTo)
            settledTo = Math.min(at + 1, settledTo + settles)
            const unsettled = Array.from({ length: at + 1 - settledTo }, (_, index) => settledTo + index + 1)
            for (const [index, owner] of consumers.entries()) {
              if (owner === undefined) continue
              const expected = unsettled.filter((tag) => deliveries[tag - 1]?.consumer === index)
              expect(owners.ownedBy(owner, unsettled)).toEqual(expected)
            }
          }
        },
      ),
    )
  })
})
