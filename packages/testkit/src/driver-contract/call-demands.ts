import { strict as assert } from 'node:assert'
import type { Failure, JsonObject, JsonValue } from '@hermod/kernel'
import type { IncomingRequest } from '@hermod/messaging'
import { eventually } from '../eventually.ts'
import { numberOf, rejectsWith, requestOf, sharedMembers, type ContractBench } from './contract-bench.ts'
import type { ContractDemand } from './contract-case.ts'
import type { Inbox } from './inbox.ts'

const RESULTS: Readonly<Record<string, JsonValue>> = {
  null: null,
  false: false,
  true: true,
  zero: 0,
  'a fraction': -1.5,
  'an empty text': '',
  'an empty list': [],
  'an empty object': {},
  'text of many scripts': 'na\u00efve \u65e5\u672c\u8a9e \u{1f680} \u0000 \u2028 "quoted" \\',
  'an integer beyond 2^53': 2n ** 80n,
  'nested values': { list: [1, [2, { three: null }]], empty: [{}] },
  'a megabyte': 'x'.repeat(1024 * 1024),
}

const FAILURE: Failure = {
  class: 'ValueError',
  module: 'builtins',
  message: "it can't be: \u65e5\u672c",
  tb: ['Traceback (most recent call last):\n', "ValueError: it can't be\n"],
  args: ["it can't be", 7, null],
  kwargs: { reason: 'none' },
}

/** The first call of a client, which connects and opens its way for replies: so the next ones need no time for that. */
async function firstCall(bench: ContractBench, inbox: Inbox<IncomingRequest>): Promise<void> {
  const calling = bench.call()
  const request = await inbox.at(0)
  request.accept()
  await request.reply({ result: null })
  await calling
}

/** Of calls, and of what stands in a request. */
export const callDemands: readonly ContractDemand[] = [
  ...Object.entries(RESULTS).map(
    ([kind, value]) =>
      ({
        name: `brings back ${kind}`,
        needs: ['rpc'] as const,
        body: async (bench) => {
          await bench.serveAnswers(bench.peer, ({ value: same }) => same!)
          assert.deepEqual(await bench.call({ value }), { result: value })
        },
      }) satisfies ContractDemand,
  ),
  {
    name: 'brings back a failure as a value, member by member',
    needs: ['rpc'],
    body: async (bench) => {
      await bench.serve(bench.peer, {
        onRequest: (request) => {
          request.accept()
          void request.reply({ failure: FAILURE })
        },
      })
      const reply = await bench.call()
      assert.deepEqual(reply.failure, FAILURE)
      assert.equal(reply.result, undefined)
    },
  },
  {
    name: 'hands over method, arguments, namespace, version and context as they were sent',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const message = {
        method: 'resize',
        args: { size: 7, name: '\u00e9' },
        namespace: 'disks',
        version: '1.4',
      }
      const context = { user: 'u-1', roles: ['reader'], quota: null }
      await bench.client.driver.cast(bench.to(), { message, context, headers: {} }, CAST)
      const request = await inbox.at(0)
      assert.deepEqual(request.message, message)
      assert.deepEqual(sharedMembers(request.context, context), context)
      assert.equal(request.expectsReply, false)
      assert.equal(request.monitorTimeoutMs, undefined)
    },
  },
  {
    name: 'leaves out the namespace and the version that a request does not have',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      await bench.cast({ n: 1 })
      assert.deepEqual((await inbox.at(0)).message, { method: 'test', args: { n: 1 } })
    },
  },
  {
    name: 'carries text headers beside a request',
    needs: ['rpc', 'headers'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const headers = {
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        'x-note': '\u00e9',
      }
      await bench.client.driver.cast(bench.to(), requestOf({}, { headers }), CAST)
      assert.deepEqual(sharedMembers((await inbox.at(0)).headers, headers), headers)
    },
  },
  {
    name: 'has written a request when its call returns, so that it may be changed',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const args: JsonObject = { list: [1] }
      const casting = bench.cast(args)
      args['list'] = 'changed'
      await casting
      assert.deepEqual((await inbox.at(0)).message['args'], { list: [1] })
    },
  },
  {
    name: 'keeps 200 calls apart whose replies come in another order',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const numbers = Array.from({ length: 200 }, (_, n) => n)
      const calling = Promise.all(numbers.map((n) => bench.call({ n })))
      const requests = await inbox.first(200)
      for (const request of requests.toReversed()) {
        assert.equal(request.accept(), 'accepted')
        void request.reply({ result: numberOf(request) * 2 })
      }
      assert.deepEqual(
        await calling,
        numbers.map((n) => ({ result: n * 2 })),
      )
    },
  },
  {
    name: 'gives each caller its own reply, whoever waits first, and a cast none',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const other = bench.open()
      const first = bench.call({ n: 0 })
      await inbox.at(0)
      const second = other.driver.call(bench.to(), requestOf({ n: 1 }), CALL)
      await inbox.at(1)
      await bench.cast({ n: 2 })
      const requests = await inbox.first(3)
      for (const request of requests) request.accept()
      for (const request of requests.toReversed()) await request.reply({ result: numberOf(request) })
      assert.deepEqual(await Promise.all([first, second]), [{ result: 0 }, { result: 1 }])
      assert.equal(bench.client.stats().unexpectedReplies + other.stats().unexpectedReplies, 0)
    },
  },
  {
    name: 'tells the server that a call has a reply, and ends a call that has none in time',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      await firstCall(bench, inbox)
      const calling = bench.call({}, { timeoutMs: 2000 })
      const refused = rejectsWith(calling, 'E_TIMEOUT')
      const request = await inbox.at(1)
      assert.equal(request.expectsReply, true)
      assert.equal(request.accept(), 'accepted')
      await bench.elapseUntilSettled(calling, 500)
      await refused
      await request.reply({ result: 'too late' })
      await eventually(() => bench.client.stats().unexpectedReplies === 1)
    },
  },
  {
    name: 'ends a call whose server gives no sign of life',
    needs: ['rpc', 'callMonitoring'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      await firstCall(bench, inbox)
      const calling = bench.call({}, { monitorTimeoutMs: 2000 })
      const refused = rejectsWith(calling, 'E_TIMEOUT')
      assert.equal((await inbox.at(1)).monitorTimeoutMs, 2000)
      await bench.elapseUntilSettled(calling, 500)
      await refused
    },
  },
  {
    name: 'waits for a server that gives signs of life, but not beyond the time of the call',
    needs: ['rpc', 'callMonitoring'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      await firstCall(bench, inbox)
      const alive = bench.call({ n: 0 }, { monitorTimeoutMs: 4000 })
      const bounded = bench.call({ n: 1 }, { monitorTimeoutMs: 4000, timeoutMs: 5500 })
      const refused = rejectsWith(bounded, 'E_TIMEOUT')
      const requests = (await inbox.first(3)).slice(1)
      for (const request of requests) request.accept()
      for (let beat = 0; beat < 12; beat++) {
        await bench.elapse(500)
        for (const request of requests) await request.heartbeat()
      }
      await refused
      await requests.find((request) => numberOf(request) === 0)!.reply({ result: 'done' })
      assert.deepEqual(await alive, { result: 'done' })
    },
  },
  {
    name: 'ends a call as its signal says, and sends nothing when the signal had aborted before',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const reason = new TypeError('nobody wants it any more')
      await assert.rejects(bench.call({ n: 0 }, { signal: AbortSignal.abort(reason) }), reason)
      await assert.rejects(bench.cast({ n: 0 }, {}, { signal: AbortSignal.abort(reason) }), reason)
      const controller = new AbortController()
      const calling = bench.call({ n: 1 }, { signal: controller.signal })
      assert.equal(numberOf(await inbox.at(0)), 1)
      controller.abort(reason)
      await assert.rejects(calling, reason)
    },
  },
  {
    name: 'refuses arguments that have no JSON form, and sends nothing',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const circular: JsonObject = { n: 0 }
      circular['self'] = circular
      await rejectsWith(bench.call(circular), 'E_ENCODE')
      await rejectsWith(bench.cast(circular), 'E_ENCODE')
      await bench.cast({ n: 1 })
      assert.equal(numberOf(await inbox.at(0)), 1)
    },
  },
  {
    name: 'tells a server that its reply has no JSON form, and takes another one',
    needs: ['rpc'],
    body: async (bench) => {
      const { inbox } = await bench.serve(bench.peer)
      const calling = bench.call()
      const request = await inbox.at(0)
      request.accept()
      const circular: JsonValue[] = []
      circular.push(circular)
      await rejectsWith(request.reply({ result: circular }), 'E_ENCODE')
      await request.reply({ failure: FAILURE })
      assert.deepEqual((await calling).failure, FAILURE)
    },
  },
  {
    name: 'carries names that mean something to JavaScript, and numbers that mean nothing to JSON',
    needs: ['rpc'],
    body: async (bench) => {
      const args = JSON.parse(
        '{"__proto__": {"polluted": true}, "constructor": 1, "toString": "text", "hasOwnProperty": null}',
      ) as JsonObject
      const { inbox } = await bench.serve(bench.peer)
      await bench.cast({ ...args, numbers: [Number.NaN, Infinity, -0.5] })
      const received = (await inbox.at(0)).message['args'] as JsonObject
      assert.deepEqual(Object.keys(received).toSorted(), [...Object.keys(args), 'numbers'].toSorted())
      assert.equal(Object.getPrototypeOf(received), Object.prototype)
      assert.equal(({} as JsonObject)['polluted'], undefined)
      assert.deepEqual(received['numbers'], ['NaN', 'Infinity', -0.5])
    },
  },
]

const CAST = { signal: undefined, retries: undefined, mandatory: false }
const CALL = { ...CAST, timeoutMs: 30_000, monitorTimeoutMs: undefined }
