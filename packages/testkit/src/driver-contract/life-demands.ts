import { strict as assert } from 'node:assert'
import { eventually } from '../eventually.ts'
import { numberOf, rejectsWith, type ContractBench, type Taking } from './contract-bench.ts'
import type { ContractDemand } from './contract-case.ts'

/** Of connecting, counting and closing. */
export const lifeDemands: readonly ContractDemand[] = [
  {
    name: 'connects as often as it is asked, and says that it did',
    needs: [],
    body: async (bench) => {
      const transport = bench.open()
      const servers: string[] = []
      transport.on('connected', ({ server }) => servers.push(server))
      await Promise.all([transport.connect(), transport.connect()])
      await transport.connect()
      assert.ok(servers.length >= 1)
      assert.ok(servers.every((server) => server !== ''))
    },
  },
  {
    name: 'has the name of its URL, and counters from the start',
    needs: [],
    body: (bench) => {
      const { driver, url } = bench.client
      assert.equal(driver.name, url.driver)
      const { sent, received, duplicates, refused, unexpectedReplies, lostReplies, disconnects } =
        driver.stats()
      const counted = [sent, received, duplicates, refused, unexpectedReplies, lostReplies, disconnects]
      assert.deepEqual(counted, [0, 0, 0, 0, 0, 0, 0])
      return Promise.resolve()
    },
  },
  {
    name: 'counts what it sends and receives',
    needs: ['rpc'],
    body: async (bench) => {
      await bench.serveAnswers(bench.peer, () => null)
      await bench.call()
      await eventually(() => bench.client.stats().received >= 1 && bench.peer.stats().sent >= 1)
      assert.ok(bench.client.stats().sent >= 1)
      assert.ok(bench.peer.stats().received >= 1)
    },
  },
  {
    name: 'ends calls that wait when it closes, and refuses everything after',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const calling = bench.call()
      const refused = rejectsWith(calling, 'E_CONN_CLOSED')
      await inbox.at(0)
      await Promise.all([bench.client.close(), bench.client.close()])
      await refused
      await bench.client.closed
      await rejectsWith(bench.client.connect(), 'E_CONN_CLOSED')
      await rejectsWith(bench.call(), 'E_CONN_CLOSED')
      await rejectsWith(bench.cast(), 'E_CONN_CLOSED')
      await rejectsWith(bench.serve(bench.client), 'E_CONN_CLOSED')
    },
  },
  {
    name: 'refuses notifications after it closed',
    needs: ['notifications'],
    body: async (bench) => {
      await bench.client.close()
      await rejectsWith(bench.notify('too.late'), 'E_CONN_CLOSED')
      await rejectsWith(bench.listen(bench.client, [bench.source('info')]), 'E_CONN_CLOSED')
    },
  },
  {
    name: 'closes without having been used',
    needs: [],
    body: async (bench) => {
      const transport = bench.open()
      await transport.close()
      await transport.close()
      await rejectsWith(transport.connect(), 'E_CONN_CLOSED')
    },
  },
  {
    name: 'begins no start whose signal has aborted',
    needs: ['rpc'],
    body: async (bench) => {
      const reason = new Error('given up')
      await rejectsBecause(bench.serve(bench.peer, { signal: AbortSignal.abort(reason) }), reason)
      await takesAlone(bench)
    },
  },
  {
    name: 'undoes a start that is given up on its way',
    needs: ['rpc'],
    body: async (bench) => {
      await bench.peer.connect()
      const reason = new Error('given up')
      const giveUp = new AbortController()
      const starting = bench.serve(bench.peer, { signal: giveUp.signal })
      giveUp.abort(reason)
      await undone(starting, reason)
      await takesAlone(bench)
    },
  },
  {
    name: 'goes on when the signal of its start aborts after it',
    needs: ['rpc'],
    body: async (bench) => {
      const giveUp = new AbortController()
      const { inbox } = await bench.serve(bench.peer, { signal: giveUp.signal })
      giveUp.abort(new Error('too late'))
      await bench.cast({ n: 1 })
      assert.equal(numberOf(await inbox.at(0)), 1)
    },
  },
  {
    name: 'undoes a listening that is given up',
    needs: ['notifications'],
    body: async (bench) => {
      const sources = [bench.source('info')]
      const reason = new Error('given up')
      await rejectsBecause(bench.listen(bench.peer, sources, { signal: AbortSignal.abort(reason) }), reason)
      const giveUp = new AbortController()
      const starting = bench.listen(bench.peer, sources, { signal: giveUp.signal })
      giveUp.abort(reason)
      await undone(starting, reason)
      const { inbox } = await bench.listen(bench.open(), sources)
      for (const n of [1, 2, 3]) await bench.notify(`contract.${n}`)
      await inbox.first(3)
    },
  },
  {
    name: 'ends what it serves when it closes, and gives back what was not accepted',
    needs: ['rpc', 'redelivery'],
    body: async (bench) => {
      const server = bench.open()
      const first = await bench.serve(server)
      const calling = bench.call({ n: 1 })
      const request = await first.inbox.at(0)
      await server.close()
      assert.deepEqual(await first.subscription.closed, {})
      assert.equal(request.accept(), 'lost')
      await bench.serveAnswers(bench.peer, () => 'the other one')
      assert.deepEqual(await calling, { result: 'the other one' })
    },
  },
]

/** Rejected for the reason, or, where it was through already, closed. */
async function undone(starting: Promise<Taking<unknown>>, reason: Error): Promise<void> {
  const started = await starting.catch((error: unknown) => {
    assert.equal(error, reason)
  })
  await started?.subscription.close()
}

async function rejectsBecause(work: Promise<unknown>, reason: Error): Promise<void> {
  await assert.rejects(work, (error: unknown) => error === reason)
}

/** A server that begins now gets every request, and so there is no other one. */
async function takesAlone(bench: ContractBench): Promise<void> {
  const { inbox } = await bench.serve(bench.open(), { server: 'two' })
  for (let n = 0; n < 4; n++) await bench.cast({ n })
  assert.deepEqual((await inbox.first(4)).map(numberOf), [0, 1, 2, 3])
}
