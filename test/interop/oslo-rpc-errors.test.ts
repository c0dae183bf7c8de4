import { expect, it } from 'vitest'
import { describePairs } from './rpc-pairs.ts'
import type { PeerRequest, RpcCaller } from './rpc-peers.ts'

const MESSAGE = 'nothing of “that” size\nis left'

describePairs(
  ({ host }) => host.serve({ topic: 'shop', server: 'shop1' }),
  (pair) => {
    const ask = (request: Omit<PeerRequest, 'topic'>): ReturnType<RpcCaller['ask']> =>
      pair.caller.ask({ topic: 'shop', timeout: 30, ...request })
    /** What a client of Python catches by its class is in Hermod a RemoteError that names the class. */
    const caught = (python: string, hermod = 'RemoteError'): string =>
      pair.calling === 'hermod' ? hermod : python

    it.each(['ValueError', 'TypeError', 'LookupError', 'NotImplementedError', 'ConnectionResetError'])(
      'let the client see a %s of the server as one',
      async (kind) => {
        expect(await ask({ method: 'fail', args: { kind, message: MESSAGE } })).toEqual({
          raised: kind,
          caught: caught(kind),
          text: expect.stringMatching(/^nothing of “that” size\nis left/u) as string,
        })
      },
    )

    it('let the client see a KeyError, whose text Python quotes', async () => {
      const outcome = await ask({ method: 'fail', args: { kind: 'KeyError', message: 'size' } })
      expect(outcome).toMatchObject({ raised: 'KeyError', caught: caught('KeyError') })
      expect(outcome).toHaveProperty('text', expect.stringMatching(/size/u))
    })

    it('let the client see an exception without a text', async () => {
      const outcome = await ask({ method: 'fail', args: { kind: 'ValueError', message: '' } })
      expect(outcome).toMatchObject({ raised: 'ValueError', caught: caught('ValueError') })
    })

    // Hermod has it apart from the text.
    const traced = pair.calling === 'hermod' ? [] : ['text']
    it.each(traced)('tell the client in the %s where in the server it happened', async (where) => {
      const outcome = await ask({ method: 'fail', args: { kind: 'ValueError', message: 'lost' } })
      const trace = /Traceback \(most recent call last\):[^]*\bfail\b[^]*ValueError: lost\n/u
      expect(outcome).toHaveProperty(where, expect.stringMatching(trace))
    })

    it('let the client see an exception of an allowed module as one, with what it was made of', async () => {
      const outcome = await ask({ method: 'run_out', args: { message: 'too few left', missing: 3 } })
      expect(outcome).toEqual({
        raised: caught('OutOfStock_Remote', 'OutOfStock'),
        caught: caught('OutOfStock_Remote', 'OutOfStock'),
        text: expect.stringMatching(/^too few left/u) as string,
        details: { missing: 3 },
      })
    })

    it('let the client see any other exception as a remote error that names it', async () => {
      expect(await ask({ method: 'surprise', args: { message: MESSAGE } })).toEqual({
        raised: 'Surprise',
        caught: 'RemoteError',
        text: MESSAGE,
      })
    })

    // In Hermod arguments are one object, which the method may read or not.
    const strict = pair.serving === 'hermod' ? [] : ['TypeError']
    it.each(strict)('fail with a %s on arguments that the method does not take', async (raised) => {
      expect(await ask({ method: 'nothing', args: { unknown: 1 } })).toMatchObject({ raised })
    })

    it('go on after all of these', async () => {
      expect(await ask({ method: 'who' })).toEqual({ result: ['shop1', null, '1.0'] })
    })
  },
)
