import type { JsonValue } from '@hermod/kernel'
import { PRIORITIES } from '@hermod/messaging'
import { startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  openEmitter,
  openListeners,
  type Emission,
  type Emitter,
  type Heard,
  type Listeners,
  type Listening,
} from './notify-peers.ts'
import { sidePairs } from './rpc-pairs.ts'
import { EXCHANGE, sideName } from './rpc-peers.ts'

const PAYLOADS: readonly JsonValue[] = [
  null,
  false,
  0,
  1.5,
  2n ** 80n,
  '',
  [],
  {},
  'ünïcode \u{1f600} \u2028 "quoted" \\ \u0000',
  { nested: [{ deep: [null, { '': '' }] }], constructor: 'own' },
  { blob: 'é'.repeat(8_000) },
]

/** Of a context that is no object of oslo.context; newer releases send none of it. */
const CONTEXT = { user_id: 'u-17', project_id: 'p-42', roles: ['member'], auth_token: 'secret', other: 1 }
const REDACTED = { user_id: 'u-17', project_id: 'p-42', roles: ['member'] }

const PAIRS = sidePairs().map(([emitting, listening, gate]) => ({
  emitting,
  listening,
  gate,
  name: `notifiers of ${sideName(emitting)} and listeners of ${sideName(listening)}`,
}))

const at = (topic: string, exchange = EXCHANGE) => ({ exchange, topic })
const numbersOf = (heard: readonly Heard[]): readonly number[] =>
  heard.map(({ payload }) => payload as number).toSorted((one, other) => one - other)
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

let broker: BrokerFixture | undefined
beforeAll(async () => {
  if (PAIRS.some(({ gate }) => !gate.skip)) broker = await startBroker()
})
afterAll(() => broker?.[Symbol.asyncDispose]())

for (const [index, { emitting, listening, gate, name }] of PAIRS.entries()) {
  describe.skipIf(gate.skip)(`${name}${gate.note}`, () => {
    let emitter: Emitter
    let compressing: Emitter
    let listeners: Listeners
    beforeAll(async () => {
      const vhost = `pair-${index}`
      await broker?.createVhost(vhost)
      const url = broker?.urlFor({ vhost }) ?? ''
      emitter = openEmitter(emitting, url)
      compressing = openEmitter(emitting, `${url}?kombu_compression=gzip`)
      listeners = openListeners(listening, url)
    })
    afterAll(async () => {
      for (const peer of [emitter, compressing, listeners]) await peer?.[Symbol.asyncDispose]()
    })

    const listen = (options: Listening): Promise<void> => listeners.listen(options)
    const emit = (topic: string, payload: JsonValue, more: Partial<Emission> = {}): Promise<void> =>
      emitter.emit({ topics: [topic], event_type: 'some.event', payload, publisher_id: 'peer.host', ...more })
    const heardBy = async (listener: string, count: number): Promise<readonly Heard[]> => {
      await expect
        .poll(() => listeners.heardBy(listener).length, { timeout: 30_000 })
        .toBeGreaterThanOrEqual(count)
      return listeners.heardBy(listener)
    }

    it('carry every priority in both envelopes, with all that belongs to a notification', async () => {
      await listen({ name: 'all', targets: [at('all')] })
      for (const driver of ['messaging', 'messagingv2'] as const)
        for (const priority of PRIORITIES)
          await emit('all', { driver, priority }, { driver, priority, event_type: `${driver}.${priority}` })
      const heard = await heardBy('all', 14)
      expect(heard).toHaveLength(14)
      for (const driver of ['messaging', 'messagingv2'])
        for (const priority of PRIORITIES) {
          const one = heard.find(({ eventType }) => eventType === `${driver}.${priority}`)
          expect(one).toEqual({
            listener: 'all',
            priority,
            publisherId: 'peer.host',
            eventType: `${driver}.${priority}`,
            payload: { driver, priority },
            messageId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u) as string,
            timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/u) as string,
            context: {},
          })
          const ageMs = Date.now() - Date.parse(`${one?.timestamp.replace(' ', 'T')}Z`)
          expect(ageMs).toBeGreaterThan(-1000)
          expect(ageMs).toBeLessThan(120_000)
        }
      expect(new Set(heard.map(({ messageId }) => messageId)).size).toBe(14)
    })

    it.each(['messaging', 'messagingv2'] as const)('carry every kind of payload with %s', async (driver) => {
      await listen({ name: driver, targets: [at(`payloads-${driver}`)] })
      for (const [number, payload] of PAYLOADS.entries())
        await emit(`payloads-${driver}`, payload, { driver, event_type: String(number) })
      const heard = await heardBy(driver, PAYLOADS.length)
      expect(heard).toHaveLength(PAYLOADS.length)
      // Python's listeners hand them over on several threads.
      for (const { eventType, payload } of heard) expect(payload).toEqual(PAYLOADS[Number(eventType)])
      expect(new Set(heard.map(({ eventType }) => eventType)).size).toBe(PAYLOADS.length)
    })

    it('leave the secrets of a context where they are', async () => {
      await listen({ name: 'context', targets: [at('context')] })
      await emit('context', 0, { context: CONTEXT })
      await emit('context', 1, { context: CONTEXT, driver: 'messaging' })
      const heard = await heardBy('context', 2)
      const sent = emitting === 'hermod' || emitting.release === '14.0.3' ? REDACTED : {}
      expect(heard.map(({ context }) => context)).toEqual([sent, sent])
    })

    it('meet at each of several topics, and in each exchange', async () => {
      await listen({ name: 'two', targets: [at('first'), at('second'), at('third', 'elsewhere')] })
      await listen({ name: 'one', targets: [at('third')] })
      await emit('', 0, { topics: ['first', 'second'] })
      await emit('third', 1)
      await emit('first', 2)
      // A queue has no exchange in its name: the listeners of the third topic share what comes.
      await expect
        .poll(() => listeners.heardBy('one').length + listeners.heardBy('two').length, { timeout: 30_000 })
        .toBe(4)
      expect(numbersOf(listeners.heardBy('two'))).toEqual(expect.arrayContaining([0, 0, 2]))
    })

    it('give each pool every notification once, whoever of it takes it', async () => {
      const targets = [at('pooled'), at('pooled too')]
      await listen({ name: 'no pool', targets })
      await listen({ name: 'pool a', targets, pool: 'a' })
      await listen({ name: 'pool b, one', targets, pool: 'b' })
      await listen({ name: 'pool b, two', targets, pool: 'b' })
      for (const number of upTo(10)) await emit(number % 2 === 0 ? 'pooled' : 'pooled too', number)
      expect(numbersOf(await heardBy('no pool', 10))).toEqual(upTo(10))
      expect(numbersOf(await heardBy('pool a', 10))).toEqual(upTo(10))
      const ofB = (): readonly Heard[] =>
        ['pool b, one', 'pool b, two'].flatMap((one) => listeners.heardBy(one))
      await expect.poll(() => numbersOf(ofB()), { timeout: 30_000 }).toEqual(upTo(10))
      expect(listeners.heardBy('pool b, one').length).toBe(5)
    })

    it('bring back what was given back', async () => {
      await listen({ name: 'again', targets: [at('again')], requeue: true })
      for (const number of upTo(5)) await emit('again', number)
      const heard = await heardBy('again', 10)
      expect(numbersOf(heard)).toEqual(upTo(5).flatMap((number) => [number, number]))
      expect(new Set(heard.map(({ messageId }) => messageId)).size).toBe(5)
    })

    it('come in batches, which end when they are full or after their time', async () => {
      await listen({ name: 'batches', targets: [at('batches')], batch: { size: 4, timeout: 2 } })
      for (const number of upTo(10)) await emit('batches', number)
      const heard = await heardBy('batches', 10)
      expect(numbersOf(heard)).toEqual(upTo(10))
      const sizes = new Map<number | undefined, number>()
      for (const { batch } of heard) sizes.set(batch, (sizes.get(batch) ?? 0) + 1)
      expect(Math.max(...sizes.values())).toBeLessThanOrEqual(4)
      expect(sizes.size).toBeGreaterThanOrEqual(3)
      expect(sizes.size).toBeLessThan(10)
    })

    it('pass filters of every kind, which must match from the beginning', async () => {
      const filters: Readonly<Record<string, Listening['filter'] & object>> = {
        type: { event_type: 'compute\\..*\\.end$' },
        publisher: { publisher_id: '^compute' },
        payload: { payload: { state: 'act' } },
        both: { event_type: 'compute', payload: { state: 'active' } },
        user: { context: { user_id: 'u-1' } },
      }
      // Each in a pool of its own, so that it gets everything.
      for (const [filter, rule] of Object.entries(filters))
        await listen({ name: filter, targets: [at('filtered')], pool: `filter ${filter}`, filter: rule })
      await listen({ name: 'unfiltered', targets: [at('filtered')], pool: 'filter none' })
      const kinds: readonly (readonly [publisher: string, type: string, state: string])[] = [
        ['compute.a', 'compute.instance.create.start', 'building'],
        ['compute.a', 'compute.instance.create.end', 'active'],
        ['my.compute', 'compute.instance.delete.end', 'deleted'],
        ['network.b', 'port.update.end', 'active'],
        ['network.b', 'my.compute.x.end', 'inactive'],
      ]
      for (const [number, [publisher_id, event_type, state]] of kinds.entries())
        await emit('filtered', { number, state }, { publisher_id, event_type, context: { user_id: 'u-17' } })
      await heardBy('unfiltered', kinds.length)
      const numbers = (filter: string): readonly number[] =>
        listeners
          .heardBy(filter)
          .map(({ payload }) => (payload as { readonly number: number }).number)
          .toSorted((one, other) => one - other)
      const passing = emitting === 'hermod' || emitting.release === '14.0.3' ? [0, 1, 2, 3, 4] : []
      const expected = { type: [1, 2], publisher: [0, 1], payload: [1, 3], both: [1], user: passing }
      for (const [filter, passed] of Object.entries(expected))
        await expect.poll(() => numbers(filter), { timeout: 30_000 }).toEqual(passed)
    })

    it('understand each other when bodies are compressed', async () => {
      await listen({ name: 'small', targets: [at('small')] })
      for (const driver of ['messaging', 'messagingv2'] as const) {
        const emission = { topics: ['small'], event_type: 'some.event', payload: 'é'.repeat(4000), driver }
        await compressing.emit(emission)
      }
      const heard = await heardBy('small', 2)
      expect(heard.map(({ payload }) => payload)).toEqual(['é'.repeat(4000), 'é'.repeat(4000)])
    })
  })
}
