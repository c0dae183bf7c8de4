import { settled } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTransport, fake, type DriverSubscription, type IncomingRequest } from '../../src/index.ts'

/** One thing that a client or a server does; numbers choose among what there is. */
type Act =
  | { readonly act: 'cast' | 'fromOne' }
  | { readonly act: 'serve'; readonly backlog: number }
  | { readonly act: 'accept' | 'release' | 'stop' | 'close'; readonly which: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constantFrom('cast', 'fromOne') }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('serve'), backlog: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom('accept', 'release', 'stop', 'close'),
      which: fc.nat({ max: 1000 }),
    }),
  },
)

interface Held {
  readonly request: IncomingRequest
  readonly server: number
}

let worlds = 0

describe('whatever servers of the fake driver do', () => {
  it('each request is accepted once, and never more is handed over than the backlog', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        const transport = createTransport(`fake://delivery-${worlds++}`, { drivers: [fake()] })
        const { driver } = transport
        const destination = { exchange: 'e', topic: 't', server: undefined, fanout: false }
        const servers: { readonly subscription: DriverSubscription; readonly backlog: number }[] = []
        const accepted: number[] = []
        let held: Held[] = []
        let sent = 0
        const serve = async (backlog: number): Promise<void> => {
          const server = servers.length
          const subscription = await driver.serve(
            { exchange: 'e', topic: 't', server: 'one' },
            {
              backlog,
              onRequest: (request) => {
                held.push({ request, server })
                expect(held.filter((other) => other.server === server).length).toBeLessThanOrEqual(backlog)
              },
            },
          )
          servers.push({ subscription, backlog })
        }
        const accept = ({ request }: Held): void => {
          if (request.accept() === 'accepted') accepted.push((request.message['args'] as { n: number }).n)
        }
        const step = async (next: Act): Promise<void> => {
          if (next.act === 'serve') {
            await serve(next.backlog)
          } else if (!('which' in next)) {
            const request = { message: { method: 'm', args: { n: sent++ } }, context: {}, headers: {} }
            const to = next.act === 'cast' ? destination : { ...destination, server: 'one' }
            await driver.cast(to, request, { signal: undefined, retries: undefined, mandatory: false })
          } else if (next.act === 'accept' || next.act === 'release') {
            const [one] = held.splice(next.which % Math.max(1, held.length), 1)
            if (one === undefined) return
            if (next.act === 'accept') accept(one)
            else one.request.release()
          } else if (servers.length > 0) {
            const server = next.which % servers.length
            await servers[server]!.subscription[next.act]()
            if (next.act === 'close') held = held.filter((one) => one.server !== server)
          }
        }
        for (const next of acts) {
          await step(next)
          // Every other time the world moves on before the next one acts.
          if (next.act !== 'cast') await settled()
        }
        for (const { subscription } of servers) await subscription.close()
        for (const { request } of held) expect(request.accept()).toBe('lost')
        held = []
        await serve(1000)
        await settled()
        for (const one of held) accept(one)
        expect(accepted.toSorted((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, n) => n))
        await transport.close()
      }),
      { numRuns: 150 },
    )
  })
})
