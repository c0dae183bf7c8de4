import { expect, it } from 'vitest'
import { describePairs } from './rpc-pairs.ts'
import type { PeerRequest, RpcCaller } from './rpc-peers.ts'

describePairs(
  ({ host }) => host.serve({ topic: 'slow', server: 'slow1' }),
  (pair) => {
    const ask = (request: Omit<PeerRequest, 'topic'> & { topic?: string }): ReturnType<RpcCaller['ask']> =>
      pair.caller.ask({ topic: 'slow', timeout: 30, ...request })
    const after = async <T>(work: Promise<T>): Promise<readonly [T, seconds: number]> => {
      const began = performance.now()
      return [await work, (performance.now() - began) / 1000]
    }

    it('give up after the timeout of the call, and take no harm from the late reply', async () => {
      const [outcome, seconds] = await after(ask({ method: 'delay', args: { seconds: 2 }, timeout: 1 }))
      expect(outcome).toMatchObject({ raised: 'timeout' })
      expect(seconds).toBeGreaterThan(0.9)
      expect(await ask({ method: 'delay', args: { seconds: 1.5 } })).toEqual({ result: 1.5 })
    })

    it('wait for a server that gives signs of life, longer than without them', async () => {
      const delay = { method: 'delay', args: { seconds: 4 } }
      expect(await ask({ ...delay, call_monitor_timeout: 2 })).toEqual({ result: 4 })
    })

    it('do not wait beyond the timeout, whatever signs of life there are', async () => {
      const delay = { method: 'delay', args: { seconds: 4 }, timeout: 3, call_monitor_timeout: 2 }
      expect(await ask(delay)).toMatchObject({ raised: 'timeout' })
    })

    it('give up early on a server that gives no sign of life', async () => {
      const [outcome, seconds] = await after(
        ask({ topic: 'nobody', method: 'delay', timeout: 30, call_monitor_timeout: 2 }),
      )
      expect(outcome).toMatchObject({ raised: 'timeout' })
      expect(seconds).toBeLessThan(15)
    })

    it('refuse at once what no queue takes when it must be taken, and only then', async () => {
      const unserved = { topic: 'nobody', method: 'delay', args: { seconds: 0 } }
      const [outcome, seconds] = await after(ask({ ...unserved, at_least_once: true }))
      expect(outcome).toMatchObject({ raised: 'undeliverable' })
      expect(seconds).toBeLessThan(15)
      expect(await ask({ ...unserved, at_least_once: true, cast: true })).toMatchObject({
        raised: 'undeliverable',
      })
      expect(await ask({ ...unserved, cast: true })).toEqual({ result: null })
      expect(await ask({ method: 'delay', args: { seconds: 0 }, at_least_once: true })).toEqual({ result: 0 })
    })

    it('let a cast that must be taken be lost in a fanout to nobody', async () => {
      const fanout = { topic: 'nobody', method: 'delay', fanout: true, cast: true, at_least_once: true }
      expect(await ask(fanout)).toEqual({ result: null })
    })
  },
)
