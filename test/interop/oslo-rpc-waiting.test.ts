import { beforeAll, expect, it } from 'vitest'
import { describePairs } from './rpc-pairs.ts'
import type { Outcome, PeerRequest, RpcCaller } from './rpc-peers.ts'

type Waiting = Omit<PeerRequest, 'topic' | 'method'> & { readonly topic?: string }

/**
 * Calls that take long, each for a reason of its own: `delay` sleeps so many seconds. A server gives a sign of life after
 * half the time within which it is wanted; the other half is for what delays it.
 */
const WAITS = {
  monitored: { args: { seconds: 7 }, call_monitor_timeout: 5 },
  unmonitored: { args: { seconds: 3 } },
  beyond: { args: { seconds: 4 }, timeout: 3, call_monitor_timeout: 2 },
  lifeless: { topic: 'nobody', args: { seconds: 0 }, call_monitor_timeout: 2 },
} satisfies Readonly<Record<string, Waiting>>

describePairs(
  ({ host }) => host.serve({ topic: 'slow', server: 'slow1' }),
  (pair) => {
    const request = (more: Waiting): PeerRequest => ({
      topic: 'slow',
      method: 'delay',
      args: { seconds: 0 },
      timeout: 30,
      ...more,
    })
    const ask = (more: Waiting): ReturnType<RpcCaller['ask']> => pair.caller.ask(request(more))
    const waited: { [Name in keyof typeof WAITS]?: Outcome } = {}
    let longestMs = 0

    beforeAll(async () => {
      // The first call opens the reply queue, which takes its time.
      await ask({})
      const began = performance.now()
      const outcomes = await pair.caller.askAll(Object.values(WAITS).map(request))
      longestMs = performance.now() - began
      for (const [index, name] of Object.keys(WAITS).entries())
        waited[name as keyof typeof WAITS] = outcomes[index] as Outcome
    })

    it('wait for a server that gives signs of life, longer than without them', () => {
      expect(waited.monitored).toEqual({ result: 7 })
    })

    it('wait without any sign of life, when none is asked for', () => {
      expect(waited.unmonitored).toEqual({ result: 3 })
    })

    it('do not wait beyond the timeout, whatever signs of life there are', () => {
      expect(waited.beyond).toMatchObject({ raised: 'timeout' })
    })

    it('give up on a server that gives no sign of life, long before the timeout', () => {
      expect(waited.lifeless).toMatchObject({ raised: 'timeout' })
      expect(longestMs).toBeLessThan(25_000)
    })

    it('give up after the timeout of the call, and take no harm from the late reply', async () => {
      const began = performance.now()
      expect(await ask({ args: { seconds: 2 }, timeout: 1 })).toMatchObject({ raised: 'timeout' })
      expect(performance.now() - began).toBeGreaterThan(900)
      expect(await ask({ args: { seconds: 1.5 } })).toEqual({ result: 1.5 })
    })

    it('refuse at once what no queue takes when it must be taken, and only then', async () => {
      const began = performance.now()
      const unserved = { topic: 'nobody', at_least_once: true }
      expect(await ask(unserved)).toMatchObject({ raised: 'undeliverable' })
      expect(await ask({ ...unserved, cast: true })).toMatchObject({ raised: 'undeliverable' })
      expect(await ask({ topic: 'nobody', cast: true })).toEqual({ result: null })
      expect(await ask({ at_least_once: true })).toEqual({ result: 0 })
      expect(performance.now() - began).toBeLessThan(25_000)
    })

    it('let a cast that must be taken be lost in a fanout to nobody', async () => {
      const fanout = { topic: 'nobody', fanout: true, cast: true, at_least_once: true }
      expect(await ask(fanout)).toEqual({ result: null })
    })
  },
)
