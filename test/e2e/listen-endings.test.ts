import { sleep } from '@hermod/kernel'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declareExchanges } from './declare-exchanges.ts'
import { startListen, type RunningListen } from './running-listen.ts'
import { startPeer } from './start-peer.ts'
import { tapQueues } from './tap-queues.ts'

const gate = needs(findBroker('inspect'), findPython(['oslo_messaging', 'kombu', 'pika']))

/** For `--for`: beside others, Python takes a while to emit an event or two. */
const ENOUGH = '10s'

/** The tap has two seconds to close; the rest is for the end of a process beside others. */
const SOON_MS = 10_000

const typesOf = (listen: RunningListen): readonly string[] => listen.events.map(({ type }) => type)

describe.skipIf(gate.skip)(`how hermod listen ends${gate.note}`, () => {
  let broker: BrokerFixture
  let notifier: PythonPeer
  let url = ''
  beforeAll(async () => {
    broker = await startBroker()
    url = broker.url
    await declareExchanges(url, ['nova'])
    notifier = startPeer('oslo_notify')
  })
  afterAll(async () => {
    await notifier?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  async function emit(...types: readonly string[]): Promise<void> {
    for (const event_type of types) await notifier.ask({ url, exchange: 'nova', event_type })
  }

  it('ends with 0 at the event that -n asks for, and shows no more', async () => {
    await using listen = await startListen(['-n', '2'], { url }).tapping()
    await emit('a', 'b', 'c')
    expect(await listen.ended).toEqual({ code: 0, signal: null })
    expect(typesOf(listen)).toEqual(['a', 'b'])
    expect(listen.unfinished).toBe('')
    expect(listen.said).toHaveLength(1)
    expect(await tapQueues(broker)).toEqual([])
  })

  it('counts with -n what passes the patterns', async () => {
    await using listen = await startListen(['-n', '1', 'wanted.*'], { url }).tapping()
    await emit('other', 'wanted.one', 'wanted.two')
    expect((await listen.ended).code).toBe(0)
    expect(typesOf(listen)).toEqual(['wanted.one'])
  })

  it('ends with 0 when --for is over, having shown all that came', async () => {
    await using listen = await startListen(['--for', ENOUGH], { url }).tapping()
    await emit('a', 'b')
    expect((await listen.ended).code).toBe(0)
    expect(typesOf(listen)).toEqual(['a', 'b'])
    expect(await tapQueues(broker)).toEqual([])
  })

  it('ends with 5 when --for is over before -n, having shown all that came', async () => {
    await using listen = await startListen(['-n', '3', '--for', ENOUGH], { url }).tapping()
    await emit('a')
    expect((await listen.ended).code).toBe(5)
    expect(typesOf(listen)).toEqual(['a'])
  })

  it('ends with 0 at -n long before --for', async () => {
    await using listen = await startListen(['-n', '1', '--for', '1h'], { url }).tapping()
    await emit('a')
    expect((await listen.ended).code).toBe(0)
  })

  it('ends with 0 once nothing was shown for --until-idle, and explains when there was nothing at all', async () => {
    await using listen = await startListen(['--until-idle', '6s'], { url }).tapping()
    // Together they take longer than that, the time between two of them is far shorter.
    for (const type of ['a', 'b', 'c', 'd']) {
      await sleep(1800)
      await emit(type)
      await listen.showing(type)
    }
    expect((await listen.ended).code).toBe(0)
    // By its own account: this process may have seen the event later.
    const shownMs = Date.parse(listen.events.at(-1)?.received_at ?? '')
    expect(Date.now() - shownMs).toBeGreaterThan(5900)
    expect(typesOf(listen)).toEqual(['a', 'b', 'c', 'd'])
    await using idle = startListen(['--until-idle', '200ms', '-n', '1'], { url })
    expect((await idle.ended).code).toBe(0)
    expect(idle.stderr).toMatch(/no event so far; listening on 1 exchange \(nova\)/)
    expect(idle.stderr).toMatch(/likeliest reasons/)
  })

  it('ends with whichever of --for and --until-idle is over first', async () => {
    await using forFirst = startListen(['--for', '300ms', '--until-idle', '1h', '-n', '1'], { url })
    expect((await forFirst.ended).code).toBe(5)
    await using idleFirst = startListen(['--for', '1h', '--until-idle', '300ms', '-n', '1'], { url })
    expect((await idleFirst.ended).code).toBe(0)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends soon on %s with %i, and leaves nothing', async (signal, code) => {
    await using listen = await startListen([], { url }).tapping()
    await emit('a')
    await listen.showing('a')
    const askedMs = performance.now()
    listen.signal(signal)
    expect(await listen.ended).toEqual({ code, signal: null })
    expect(performance.now() - askedMs).toBeLessThan(SOON_MS)
    expect(listen.said).toHaveLength(1)
    expect(await tapQueues(broker)).toEqual([])
    // RabbitMQ forgets a connection a moment after it has agreed to close it.
    await eventually(async () =>
      expect(await broker.connections()).not.toContainEqual(
        expect.objectContaining({
          clientProperties: expect.objectContaining({ product: 'Hermod' }) as unknown,
        }),
      ),
    )
  })

  it('leaves nothing even when it is killed', async () => {
    await using listen = await startListen([], { url }).tapping()
    expect(await tapQueues(broker)).toHaveLength(1)
    listen.signal('SIGKILL')
    await listen.ended
    await eventually(async () => (await tapQueues(broker)).length === 0)
  })

  it('ends with 0 and without a word when the reader of stdout leaves', async () => {
    await using listen = await startListen([], { url }).tapping()
    await emit('a')
    await listen.showing('a')
    listen.closeStdout()
    await emit('b', 'c')
    expect(await listen.ended).toEqual({ code: 0, signal: null })
    expect(listen.said).toHaveLength(1)
    expect(await tapQueues(broker)).toEqual([])
  })

  it('counts and says what a slow reader of stdout misses', async () => {
    const mib = 1024 * 1024
    const count = 30
    await using pika = startPeer('pika_publish')
    // Nobody is bound for this. Python has loaded its libraries then, and nothing is idle for as long as that.
    await pika.ask({ url, exchange: 'nova', routing_key: 'nobody', body_base64: '' })
    await using listen = await startListen(['--until-idle', '10s'], { url, unread: true }).tapping()
    for (let n = 0; n < count; n++) {
      const message = {
        event_type: `slow.${n}`,
        message_id: `slow-${n}`,
        payload: { filler: '-'.repeat(4 * mib) },
      }
      const body_base64 = Buffer.from(JSON.stringify(message)).toString('base64')
      await pika.ask({ url, exchange: 'nova', routing_key: 'notifications.info', body_base64 })
    }
    const said = await listen.saying(/^hermod: dropped \d+ events?, \d+ in all/)
    expect(said).toMatch(/they arrive faster than the output takes them$/)
    listen.readOn()
    await listen.showing(`slow.${count - 1}`)
    expect((await listen.ended).code).toBe(0)
    const summary = /^hermod: (\d+) events shown; (\d+) dropped because the output was too slow$/.exec(
      listen.said.at(-1) as string,
    )
    expect(summary).not.toBeNull()
    const [shown, dropped] = [Number(summary?.[1]), Number(summary?.[2])]
    expect(shown).toBe(listen.lines.length)
    expect(shown + dropped).toBe(count)
    // The ring holds 64 MiB; what it dropped is the oldest that was not on its way to stdout yet.
    expect(dropped).toBeGreaterThanOrEqual(count - 17)
    const numbers = typesOf(listen).map((type) => Number(type.slice('slow.'.length)))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(numbers.slice(-14)).toEqual(Array.from({ length: 14 }, (_, n) => count - 14 + n))
  })
})
