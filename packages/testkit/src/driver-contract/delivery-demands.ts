import { strict as assert } from 'node:assert'
import type { IncomingRequest } from '@hermod/messaging'
import { eventually } from '../eventually.ts'
import { numberOf, rejectsWith, type ContractBench, type Taking } from './contract-bench.ts'
import type { ContractDemand } from './contract-case.ts'

/** Accepts everything; tells the arguments `n` that came. */
async function acceptingServer(bench: ContractBench, server: string): Promise<readonly number[]> {
  const numbers: number[] = []
  await bench.serve(bench.open(), {
    server,
    onRequest: (request) => {
      request.accept()
      numbers.push(numberOf(request))
    },
  })
  return numbers
}

function numbersUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** Casts one after another. */
async function castAll(bench: ContractBench, numbers: readonly number[], to = {}): Promise<void> {
  for (const n of numbers) await bench.cast({ n }, to)
}

async function handed({ inbox }: Taking<IncomingRequest>, count: number): Promise<readonly number[]> {
  return (await inbox.first(count)).map(numberOf)
}

/** Of who gets a request, how many at a time, and what becomes of one that is not accepted. */
export const deliveryDemands: readonly ContractDemand[] = [
  {
    name: 'hands the casts of one client to one server in their order',
    needs: ['rpc'],
    body: async (bench) => {
      const numbers = await acceptingServer(bench, 'one')
      const sent = numbersUpTo(100)
      await Promise.all(sent.map((n) => bench.cast({ n })))
      await eventually(() => numbers.length === sent.length)
      assert.deepEqual(numbers, sent)
    },
  },
  {
    name: 'shares the requests to a topic among its servers, each to one',
    needs: ['rpc'],
    body: async (bench) => {
      const one = await acceptingServer(bench, 'one')
      const two = await acceptingServer(bench, 'two')
      const sent = numbersUpTo(20)
      await castAll(bench, sent)
      await eventually(() => one.length + two.length >= sent.length)
      assert.deepEqual(
        [...one, ...two].toSorted((a, b) => a - b),
        sent,
      )
      assert.ok(one.length > 0 && two.length > 0, `one has ${one.length}, the other ${two.length}`)
    },
  },
  {
    name: 'hands a request to the server that it names, and to no other',
    needs: ['rpc'],
    body: async (bench) => {
      const one = await acceptingServer(bench, 'one')
      const two = await acceptingServer(bench, 'two')
      await castAll(bench, numbersUpTo(10), { server: 'two' })
      await eventually(() => two.length === 10)
      assert.deepEqual([one, two], [[], numbersUpTo(10)])
    },
  },
  {
    name: 'gives a call to a server that does not exist to nobody',
    needs: ['rpc'],
    body: async (bench) => {
      const one = await acceptingServer(bench, 'one')
      const calling = bench.call({ n: 1 }, { timeoutMs: 500 }, { server: 'nobody' })
      const refused = rejectsWith(calling, 'E_TIMEOUT')
      await bench.elapseUntilSettled(calling, 100)
      await refused
      assert.deepEqual(one, [])
    },
  },
  {
    name: 'hands a fanout to every server of the topic once, also where it names one',
    needs: ['rpc', 'fanout'],
    body: async (bench) => {
      const all = [
        await acceptingServer(bench, 'one'),
        await acceptingServer(bench, 'two'),
        await acceptingServer(bench, 'three'),
      ]
      await castAll(bench, [1, 2, 3], { fanout: true, server: 'two' })
      await bench.cast({ n: 4 }, { fanout: true })
      await eventually(() => all.every((numbers) => numbers.length >= 4))
      assert.deepEqual(
        all,
        Array.from({ length: 3 }, () => [1, 2, 3, 4]),
      )
    },
  },
  {
    name: 'refuses a mandatory request that no server would get, and delivers one that a server gets',
    needs: ['rpc', 'mandatory'],
    body: async (bench) => {
      await rejectsWith(bench.call({}, { mandatory: true }), 'E_UNROUTABLE')
      await rejectsWith(bench.cast({}, {}, { mandatory: true }), 'E_UNROUTABLE')
      await bench.serveAnswers(bench.peer, () => 'here')
      await rejectsWith(bench.call({}, { mandatory: true }, { server: 'nobody' }), 'E_UNROUTABLE')
      assert.deepEqual(await bench.call({}, { mandatory: true }), { result: 'here' })
    },
  },
  {
    name: 'hands over no more than the backlog before something is accepted',
    needs: ['rpc'],
    body: async (bench) => {
      const server = await bench.serve(bench.peer, { backlog: 3 })
      await castAll(bench, numbersUpTo(8))
      assert.deepEqual(await handed(server, 3), [0, 1, 2])
      await otherWork(bench)
      assert.equal(server.inbox.items.length, 3)
      assert.equal(server.inbox.items[0]!.accept(), 'accepted')
      assert.deepEqual(await handed(server, 4), [0, 1, 2, 3])
      await otherWork(bench)
      assert.equal(server.inbox.items.length, 4)
      for (let next = 1; next < 8; next++) (await server.inbox.at(next)).accept()
      assert.deepEqual(await handed(server, 8), numbersUpTo(8))
    },
  },
  {
    name: 'lets a request be accepted once',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      await bench.cast({ n: 1 })
      const request = await inbox.at(0)
      assert.equal(request.accept(), 'accepted')
      assert.notEqual(request.accept(), 'accepted')
    },
  },
  {
    name: 'knows the second copy of a request',
    needs: ['rpc'],
    body: async (bench) => {
      const copying = bench.openCopying()
      if (copying === undefined) return
      const { inbox } = await bench.serve(bench.peer)
      const request = { message: { method: 'test', args: { n: 1 } }, context: {}, headers: {} }
      const options = { signal: undefined, retries: undefined, mandatory: false }
      await copying.driver.cast(bench.to(), request, options)
      const first = await inbox.at(0)
      assert.equal(first.accept(), 'accepted')
      // Some drivers drop the copy themselves.
      await bench.cast({ n: 2 })
      await eventually(() => inbox.items.some((one) => numberOf(one) === 2))
      const answers = inbox.items.slice(1).map((one) => [numberOf(one), one.accept()])
      assert.deepEqual(
        answers.filter(([, answer]) => answer === 'accepted'),
        [[2, 'accepted']],
      )
      assert.ok(bench.peer.stats().duplicates >= 1)
    },
  },
  {
    name: 'hands a request that was given back to another server',
    needs: ['rpc', 'redelivery'],
    body: async (bench) => {
      const first = await bench.serve(bench.peer, { backlog: 1 })
      const calling = bench.call({ n: 7 })
      const request = await first.inbox.at(0)
      await first.subscription.stop()
      const second = await bench.serve(bench.open(), { server: 'two' })
      request.release()
      const again = await second.inbox.at(0)
      assert.equal(numberOf(again), 7)
      assert.equal(again.accept(), 'accepted')
      await again.reply({ result: 'from the second' })
      assert.deepEqual(await calling, { result: 'from the second' })
    },
  },
  {
    name: 'gives back what was not accepted when a server closes, and nothing else',
    needs: ['rpc', 'redelivery'],
    body: async (bench) => {
      const first = await bench.serve(bench.peer)
      await castAll(bench, [0, 1, 2, 3])
      const [zero, one] = await first.inbox.first(4)
      assert.equal(zero!.accept(), 'accepted')
      assert.equal(one!.accept(), 'accepted')
      await first.subscription.close()
      assert.deepEqual(await first.subscription.closed, {})
      assert.equal((await first.inbox.at(2)).accept(), 'lost')
      const second = await bench.serve(bench.open(), { server: 'two' })
      assert.deepEqual(await handed(second, 2), [2, 3])
      await otherWork(bench)
      assert.equal(second.inbox.items.length, 2)
      for (const request of second.inbox.items) assert.equal(request.accept(), 'accepted')
    },
  },
  {
    name: 'hands a server that stops nothing new, and lets it finish what it has',
    needs: ['rpc'],
    body: async (bench) => {
      const first = await bench.serve(bench.peer)
      const calling = bench.call({ n: 1 })
      const request = await first.inbox.at(0)
      await first.subscription.stop()
      const second = await acceptingServer(bench, 'two')
      await castAll(bench, [2, 3, 4])
      await eventually(() => second.length === 3)
      assert.equal(first.inbox.items.length, 1)
      assert.equal(request.accept(), 'accepted')
      await request.reply({ result: 'finished' })
      assert.deepEqual(await calling, { result: 'finished' })
      await first.subscription.close()
    },
  },
]

/** Goes the whole way to another server and back, thrice: what was to come meanwhile has come. */
async function otherWork(bench: ContractBench): Promise<void> {
  const topic = `${bench.topic}-other`
  const served = { exchange: bench.exchange, topic, server: 'other' }
  const onRequest = (request: IncomingRequest): void => {
    request.accept()
    void request.reply({ result: null })
  }
  const subscription = await bench.peer.driver.serve(served, { backlog: 1, onRequest })
  for (let round = 0; round < 3; round++) await bench.call({}, {}, { topic })
  await subscription.close()
}
