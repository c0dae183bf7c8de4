import { freePort, needs } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OSLO_PYTHONS } from './oslo-pythons.ts'
import { openCaller, sideName, type RpcCaller, type Side } from './rpc-peers.ts'

interface Giving {
  readonly side: Side
  readonly gate: ReturnType<typeof needs>
  /** What a cast is given up with. */
  readonly raised: string
  /** Python's clients wait for their reply queue without an end, whatever `retry` says. */
  readonly calls: readonly string[]
}

const SIDES: readonly Giving[] = [
  { side: 'hermod', gate: needs(), raised: 'not delivered', calls: ['call'] },
  ...OSLO_PYTHONS.map((python) => ({
    side: python,
    gate: needs(python.availability),
    raised: 'OperationalError',
    calls: [],
  })),
]

for (const { side, gate, raised, calls } of SIDES) {
  describe.skipIf(gate.skip)(`without a broker, a client of ${sideName(side)}${gate.note}`, () => {
    let caller: RpcCaller
    beforeAll(async () => {
      caller = openCaller(side, `amqp://guest:guest@127.0.0.1:${await freePort()}/`)
    })
    afterAll(() => caller?.[Symbol.asyncDispose]())

    it.each([0, 1])('gives a cast up after %d further attempts', async (retry) => {
      const outcome = await caller.ask({ topic: 'gone', method: 'none', cast: true, retry })
      expect(outcome).toMatchObject({ raised })
    })

    it.each(calls)('gives a %s up after no further attempt, long before its timeout', async () => {
      const began = performance.now()
      const outcome = await caller.ask({ topic: 'gone', method: 'none', retry: 0, timeout: 300 })
      expect(outcome).toMatchObject({ raised })
      expect(performance.now() - began).toBeLessThan(60_000)
    })
  })
}
