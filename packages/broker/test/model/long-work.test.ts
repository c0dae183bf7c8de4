import { setImmediate as nextTurn } from 'node:timers/promises'
import { ManualClock } from '@hermod/testkit'
import { describe, expect, test, vi } from 'vitest'
import { LongWork } from '../../src/model/long-work.ts'
import { bodyOf, ModelFixture } from './model-fixture.ts'

/** From now on a millisecond passes whenever the time is looked at. */
function hurry(clock: ManualClock): void {
  let nowMs = clock.monotonicMs()
  vi.spyOn(clock, 'monotonicMs').mockImplementation(() => nowMs++)
}

const bodies = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

/** Turns until `done`. */
async function turnsUntil(done: () => boolean): Promise<number> {
  let turns = 0
  for (; !done(); turns++) {
    if (turns > 1000) throw new Error('it does not come to an end')
    await nextTurn()
  }
  return turns
}

describe('work that may be long', () => {
  test('has all the time that it needs while none passes', () => {
    const work = new LongWork(new ManualClock())
    for (let i = 0; i < 10_000; i++) expect(work.hasTime()).toBe(true)
  })

  test('has a share of a turn, and one of the next', async () => {
    const clock = new ManualClock()
    hurry(clock)
    const work = new LongWork(clock)
    const steps = (): number => {
      let count = 0
      while (work.hasTime()) count++
      return count
    }
    const first = steps()
    expect([first > 100, steps()]).toEqual([true, 0])
    await nextTurn()
    expect(steps()).toBe(first)
    // What a timer brings has not had its share yet.
    work.renew()
    expect(steps()).toBe(first)
  })

  test('goes on in turns to come, each piece in its turn', async () => {
    const clock = new ManualClock()
    hurry(clock)
    const work = new LongWork(clock)
    const steps = { a: 0, b: 0, c: 0 }
    const begun: string[] = []
    const go = (name: keyof typeof steps): void => {
      begun.push(name)
      while (work.hasTime()) if (++steps[name] === 400) return
      work.later(() => go(name))
    }
    for (const name of ['a', 'b', 'c'] as const) work.later(() => go(name))
    expect([work.isWaiting, begun]).toEqual([true, []])
    await turnsUntil(() => !work.isWaiting)
    expect(begun.slice(0, 9).join('')).toBe('abcabcabc')
    expect(steps).toEqual({ a: 400, b: 400, c: 400 })
  })

  test('is forgotten when it ends', async () => {
    const work = new LongWork(new ManualClock())
    let called = false
    work.later(() => (called = true))
    work.stop()
    await nextTurn()
    await nextTurn()
    expect([called, work.isWaiting]).toEqual([false, false])
  })
})

describe('a queue with much to do', () => {
  test.each([
    ['classic', (fixture: ModelFixture) => fixture.queue('q')],
    ['quorum', (fixture: ModelFixture) => fixture.replicated('quorum', 'q')],
  ])('of type %s delivers what is given back bit by bit, in its order', async (_, declare) => {
    const fixture = new ModelFixture()
    const queue = declare(fixture)
    const all = bodies(1000)
    fixture.fill('q', ...all)
    const first = fixture.consume(queue)
    expect(first.held).toHaveLength(1000)
    hurry(fixture.clock)
    queue.cancel(first)
    const next = fixture.consume(queue)
    queue.giveBack(first.held.splice(0), 'nack')
    const { length } = next.bodies
    expect([length > 0, length < 1000, queue.messageCount]).toEqual([true, true, 1000 - length])
    // What comes now stands behind what waits, and who asks gets the next.
    fixture.fill('q', 'last')
    const got = queue.get(false)
    expect(bodyOf(got!.message)).toBe(String(length))
    expect(await turnsUntil(() => queue.messageCount === 0)).toBeGreaterThan(2)
    expect(next.bodies).toEqual([...all.toSpliced(length, 1), 'last'])
    expect(next.held.map(({ redelivered }) => redelivered)).toEqual([...all.slice(1).map(() => true), false])
    expect(queue.stats()).toMatchObject({ ready: 0, unsettled: 1001, returned: 1000 })
  })

  test('asks for no time while nobody has room', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', ...bodies(1000))
    hurry(fixture.clock)
    const [one, two] = [fixture.consume(queue, { prefetch: 1 }), fixture.consume(queue, { prefetch: 1 })]
    while (fixture.model.longWork.hasTime());
    fixture.fill('q', ...bodies(10))
    expect(fixture.model.longWork.isWaiting).toBe(false)
    expect([one.bodies, two.bodies]).toEqual([['0'], ['1']])
  })

  test('keeps the turns of its consumers while there is no time', async () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const consumers = [fixture.consume(queue, { prefetch: 400 }), fixture.consume(queue, { prefetch: 400 })]
    hurry(fixture.clock)
    while (fixture.model.longWork.hasTime());
    // The first stands behind what waits: nobody is asked.
    fixture.fill('q', '0')
    expect(consumers.map((one) => one.bodies)).toEqual([['0'], []])
    const [first] = consumers
    queue.giveBack(first!.held.splice(0), 'nack')
    fixture.fill('q', ...bodies(1000).slice(1))
    expect(queue.messageCount).toBe(1000)
    await turnsUntil(() => queue.messageCount === 200)
    const even = bodies(800).filter((_body, index) => index % 2 === 0)
    const odd = bodies(800).filter((_body, index) => index % 2 === 1)
    expect(consumers.map((one) => one.bodies)).toEqual([['0', ...odd], even])
  })

  test('delivers nothing more once its consumer has gone, or it itself', async () => {
    const fixture = new ModelFixture()
    const [left, deleted] = [fixture.queue('left'), fixture.queue('deleted')]
    for (const { name } of [left, deleted]) fixture.fill(name, ...bodies(1000))
    hurry(fixture.clock)
    const consumers = [fixture.consume(left), fixture.consume(deleted)]
    left.cancel(consumers[0]!)
    fixture.vhost.removeQueue('deleted')
    const had = consumers.map(({ bodies: { length } }) => length)
    await turnsUntil(() => !fixture.model.longWork.isWaiting)
    expect(consumers.map(({ bodies: { length } }) => length)).toEqual(had)
    expect(left.messageCount).toBe(1000 - had[0]!)
  })

  test('lets messages expire bit by bit, and sends them on', async () => {
    const fixture = new ModelFixture()
    const dead = fixture.queue('dead')
    const dying = { 'x-message-ttl': 100, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' }
    const queue = fixture.queue('q', dying)
    fixture.fill('q', ...bodies(1000))
    let nowMs = 0
    fixture.clock.advance(99)
    vi.spyOn(fixture.clock, 'monotonicMs').mockImplementation(() => 100 + nowMs++)
    fixture.clock.advance(1)
    expect(queue.messageCount).toBeGreaterThan(0)
    // Nobody gets what is due.
    expect(queue.get(true)).toBe(undefined)
    expect(await turnsUntil(() => dead.messageCount === 1000)).toBeGreaterThan(2)
    vi.restoreAllMocks()
    expect(fixture.drain(dead)).toEqual(bodies(1000))
    expect(queue.stats()).toMatchObject({ ready: 0, expired: 1000 })
  })

  test.each([
    ['purged', (fixture: ModelFixture) => fixture.vhost.purgeQueue('q', fixture.owner)],
    ['deleted', (fixture: ModelFixture) => fixture.vhost.removeQueue('q')],
  ])('lets go of its messages bit by bit when it is %s', async (_, empty) => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', ...bodies(1000))
    const { memory } = fixture.model
    const before = memory.bytes
    hurry(fixture.clock)
    empty(fixture)
    expect([queue.messageCount, memory.bytes > before / 2]).toEqual([0, true])
    expect(await turnsUntil(() => memory.bytes < before / 100)).toBeGreaterThan(2)
  })
})
