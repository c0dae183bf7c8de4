import { strict as assert } from 'node:assert'
import { eventually } from '../eventually.ts'
import { rejectsWith } from './contract-bench.ts'
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
