import fc from 'fast-check'
import { expect, it } from 'vitest'
import { modelCase } from './broker-model-case.ts'
import { ModelPlayer } from './broker-model-player.ts'
import { search, TIMEOUT_MS } from './search.ts'

/** Few cases need as many steps, but those that do are found by nobody else. */
const STEPS = 80

/** How often what happened in all cases. */
async function played(sockets: fc.Arbitrary<boolean>, share: number): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>()
  const see = (what: string, count: number): void => void seen.set(what, (seen.get(what) ?? 0) + count)
  const property = fc.asyncProperty(modelCase(STEPS, sockets), async (one) => {
    const player = new ModelPlayer(one)
    see((await player.play()) ? 'played to the end' : 'played until nobody knew', 1)
    for (const [what, count] of player.seen) see(what, count)
  })
  await fc.assert(property, search(share))
  if (process.env['HERMOD_FUZZ_MS'] !== undefined) console.log(Object.fromEntries(seen))
  return seen
}

it('does with messages what a model of queues does', { timeout: TIMEOUT_MS }, async () => {
  expect((await played(fc.constant(false), 0.8)).get('played to the end')).toBeGreaterThan(0)
})

it('does the same over TCP', { timeout: TIMEOUT_MS }, async () => {
  const most = fc.nat(2).map((number) => number > 0)
  expect((await played(most, 0.2)).get('played to the end')).toBeGreaterThan(0)
})
