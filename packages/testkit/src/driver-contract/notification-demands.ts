import { strict as assert } from 'node:assert'
import { PRIORITIES, type IncomingNotification } from '@hermod/messaging'
import type { JsonObject } from '@hermod/kernel'
import { eventually } from '../eventually.ts'
import { notificationOf, sharedMembers, type Taking } from './contract-bench.ts'
import type { ContractDemand } from './contract-case.ts'

async function types({ inbox }: Taking<IncomingNotification>, count: number): Promise<readonly string[]> {
  return (await inbox.first(count)).map(({ notification }) => notification.eventType)
}

/** Of notifications. */
export const notificationDemands: readonly ContractDemand[] = [
  {
    name: 'brings a notification of every priority to those who listen to it',
    needs: ['notifications'],
    body: async (bench) => {
      const taking = await bench.listen(
        bench.peer,
        PRIORITIES.map((priority) => bench.source(priority)),
      )
      for (const priority of PRIORITIES) await bench.notify(`of.${priority}`, priority)
      const received = await taking.inbox.first(PRIORITIES.length)
      assert.deepEqual(
        received.map(({ notification }) => `${notification.eventType} ${notification.priority}`).toSorted(),
        PRIORITIES.map((priority) => `of.${priority} ${priority.toUpperCase()}`).toSorted(),
      )
    },
  },
  ...(['1.0', '2.0'] as const).map(
    (envelope) =>
      ({
        name: `brings a notification member by member, in envelope ${envelope}`,
        needs: ['notifications'] as const,
        body: async (bench) => {
          const { inbox } = await bench.listen(bench.peer, [bench.source('info')])
          const message: JsonObject = {
            ...notificationOf('disk.resize', 'info'),
            payload: { size: 2n ** 70n, name: '\u00e9' },
          }
          const context = { user: 'u-1', roles: ['reader'], quota: null }
          await bench.notify('', 'info', { message, context, envelope })
          const incoming = await inbox.at(0)
          const { notification } = incoming
          const expected = {
            messageId: message['message_id'],
            publisherId: 'contract.host',
            eventType: 'disk.resize',
            priority: 'INFO',
            payload: message['payload'],
            timestamp: '2026-01-02 03:04:05.678901',
          }
          assert.deepEqual(sharedMembers(notification, expected), expected)
          assert.deepEqual(sharedMembers(notification.context, context), context)
          assert.match(notification.uniqueId ?? '', /^[0-9a-f]{32}$/)
          assert.deepEqual(
            [incoming.topic, incoming.redelivered, incoming.duplicate],
            [bench.topic, false, false],
          )
        },
      }) satisfies ContractDemand,
  ),
  {
    name: 'carries text headers beside a notification',
    needs: ['notifications', 'headers'],
    body: async (bench) => {
      const { inbox } = await bench.listen(bench.peer, [bench.source('info')])
      const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
      await bench.notify('with.headers', 'info', { headers })
      assert.deepEqual(sharedMembers((await inbox.at(0)).headers, headers), headers)
    },
  },
  {
    name: 'brings a listener its topics and priorities, and no others',
    needs: ['notifications'],
    body: async (bench) => {
      const other = `${bench.topic}-other`
      const taking = await bench.listen(bench.peer, [bench.source('error'), bench.source('info', other)])
      const beside = await bench.listen(bench.open(), [bench.source('info')])
      await bench.notify('not.for.it', 'info')
      await bench.notify('for.it', 'error')
      assert.deepEqual(await types(beside, 1), ['not.for.it'])
      assert.deepEqual(await types(taking, 1), ['for.it'])
    },
  },
  {
    name: 'brings the notifications of a sender in their order, each to one of several listeners',
    needs: ['notifications'],
    body: async (bench) => {
      const sent = Array.from({ length: 30 }, (_, n) => `event.${n}`)
      const alone = await bench.listen(bench.peer, [bench.source('warn')])
      await Promise.all(sent.map((eventType) => bench.notify(eventType, 'warn')))
      assert.deepEqual(await types(alone, sent.length), sent)
      const both = [
        await bench.listen(bench.peer, [bench.source('info')]),
        await bench.listen(bench.open(), [bench.source('info')]),
      ]
      for (const eventType of sent) await bench.notify(eventType)
      const received = (): readonly string[] =>
        both.flatMap(({ inbox }) => inbox.items.map(({ notification }) => notification.eventType))
      await eventually(() => received().length >= sent.length)
      assert.deepEqual(received().toSorted(), sent.toSorted())
    },
  },
  {
    name: 'brings every pool everything, each to one of its listeners',
    needs: ['notifications', 'pools'],
    body: async (bench) => {
      const sources = [bench.source('info'), bench.source('error')]
      const poolOf = (name: string): string => `${bench.topic}-${name}`
      const outside = await bench.listen(bench.peer, sources)
      const first = await bench.listen(bench.open(), sources, { pool: poolOf('first') })
      const second = [
        await bench.listen(bench.open(), sources, { pool: poolOf('second') }),
        await bench.listen(bench.open(), sources, { pool: poolOf('second') }),
      ]
      const sent = Array.from({ length: 10 }, (_, n) => `event.${n}`)
      for (const [n, eventType] of sent.entries())
        await bench.notify(eventType, n % 2 === 0 ? 'info' : 'error')
      assert.deepEqual((await types(outside, sent.length)).toSorted(), sent)
      assert.deepEqual(await types(first, sent.length), sent)
      const ofSecond = (): readonly string[] =>
        second.flatMap(({ inbox }) => inbox.items.map(({ notification }) => notification.eventType))
      await eventually(() => ofSecond().length >= sent.length)
      assert.deepEqual(ofSecond().toSorted(), sent)
    },
  },
  {
    name: 'brings a notification that was given back again, and says so',
    needs: ['notifications', 'requeue'],
    body: async (bench) => {
      const taking = await bench.listen(bench.peer, [bench.source('info')])
      await bench.notify('given.back')
      const first = await taking.inbox.at(0)
      assert.deepEqual([first.redelivered, first.requeue()], [false, true])
      const again = await taking.inbox.at(1)
      assert.equal(again.notification.messageId, first.notification.messageId)
      assert.equal(again.redelivered, true)
      assert.deepEqual([again.acknowledge(), again.acknowledge(), first.acknowledge()], [true, false, false])
    },
  },
  {
    name: 'does not bring what was acknowledged or refused again',
    needs: ['notifications'],
    body: async (bench) => {
      const first = await bench.listen(bench.peer, [bench.source('info')])
      await bench.notify('acknowledged')
      await bench.notify('refused')
      const [one, two] = await first.inbox.first(2)
      assert.deepEqual([one!.acknowledge(), two!.reject()], [true, true])
      await first.subscription.close()
      const second = await bench.listen(bench.open(), [bench.source('info')])
      await bench.notify('new')
      assert.deepEqual(await types(second, 1), ['new'])
    },
  },
  {
    name: 'hands over no more notifications than the backlog before one is settled',
    needs: ['notifications'],
    body: async (bench) => {
      const taking = await bench.listen(bench.peer, [bench.source('info')], { backlog: 2 })
      const beside = await bench.listen(bench.open(), [bench.source('error')])
      for (const n of [0, 1, 2, 3]) await bench.notify(`event.${n}`)
      await types(taking, 2)
      await bench.notify('later', 'error')
      await types(beside, 1)
      assert.equal(taking.inbox.items.length, 2)
      for (let next = 0; next < 4; next++) (await taking.inbox.at(next)).acknowledge()
      assert.deepEqual(await types(taking, 4), ['event.0', 'event.1', 'event.2', 'event.3'])
    },
  },
  {
    name: 'gives back what a listener had not settled when it closes',
    needs: ['notifications', 'requeue'],
    body: async (bench) => {
      const first = await bench.listen(bench.peer, [bench.source('info')])
      for (const n of [0, 1, 2]) await bench.notify(`event.${n}`)
      const [zero, one] = await first.inbox.first(3)
      assert.equal(zero!.acknowledge(), true)
      await first.subscription.close()
      assert.deepEqual(await first.subscription.closed, {})
      assert.equal(one!.acknowledge(), false)
      const second = await bench.listen(bench.open(), [bench.source('info')])
      assert.deepEqual(await types(second, 2), ['event.1', 'event.2'])
      assert.ok(second.inbox.items.every(({ redelivered }) => redelivered))
    },
  },
  {
    name: 'knows the second copy of a notification',
    needs: ['notifications'],
    body: async (bench) => {
      const copying = bench.openCopying()
      if (copying === undefined) return
      const { inbox } = await bench.listen(bench.peer, [bench.source('info')], { backlog: 1 })
      const outgoing = { message: notificationOf('twice', 'info'), context: {}, headers: {} }
      await copying.driver.notify(bench.source('info'), outgoing, {
        signal: undefined,
        timeoutMs: undefined,
        retries: undefined,
        envelope: '2.0',
      })
      const first = await inbox.at(0)
      assert.equal(first.duplicate, false)
      first.acknowledge()
      const second = await inbox.at(1)
      assert.deepEqual([second.duplicate, second.acknowledge()], [true, true])
      assert.ok(bench.peer.stats().duplicates >= 1)
    },
  },
  {
    name: 'sends no notification that has no JSON form, or whose signal had aborted',
    needs: ['notifications'],
    body: async (bench) => {
      const { inbox } = await bench.listen(bench.peer, [bench.source('info')])
      const message = notificationOf('circular', 'info')
      message['payload'] = message
      await assert.rejects(bench.notify('', 'info', { message }), { code: 'E_ENCODE' })
      const reason = new TypeError('nobody wants it any more')
      await assert.rejects(bench.notify('aborted', 'info', { signal: AbortSignal.abort(reason) }), reason)
      await bench.notify('sound')
      assert.equal((await inbox.at(0)).notification.eventType, 'sound')
    },
  },
]
