import { createDeferred } from '@hermod/kernel'
import { SILENT, type BrokerLink } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { ScriptedRabbit } from './scripted-rabbit.ts'

const REASON = new Error('the service is going down')

/** A start that stands still at a method about the fanout queue. */
async function stuckAt(
  rig: ScriptedRabbit,
  method: 'queue.declare' | 'queue.bind' | 'basic.consume',
  signal?: AbortSignal,
): Promise<{ readonly starting: Promise<unknown>; readonly link: BrokerLink; readonly fanout: string }> {
  const stuck = createDeferred<{ readonly link: BrokerLink; readonly fanout: string }>()
  rig.broker.on(method, ({ args }, link) => {
    if (!args.queue.startsWith('calc_fanout_')) return undefined
    stuck.resolve({ link, fanout: args.queue })
    return SILENT
  })
  const starting = rig.serve(signal)
  starting.catch(() => {})
  return { starting, ...(await rig.until(stuck.promise, 0)) }
}

const deleted = (link: BrokerLink): readonly string[] =>
  link.all('queue.delete').map(({ args }) => args.queue)

describe('a start over RabbitMQ that is given up', () => {
  it.each(['queue.declare', 'queue.bind', 'basic.consume'] as const)(
    'at %s leaves neither a consumer nor a queue of its own',
    async (method) => {
      await using rig = new ScriptedRabbit()
      const giveUp = new AbortController()
      const { starting, link, fanout } = await stuckAt(rig, method, giveUp.signal)
      giveUp.abort(REASON)
      await expect(rig.until(starting, 100)).rejects.toBe(REASON)
      expect(deleted(link)).toEqual([fanout])
      expect(link.all('channel.close').length).toBe(link.all('channel.open').length)
      await rig.reconnect(link)
      expect(rig.broker.link.all('queue.declare')).toEqual([])
      expect(rig.broker.link.all('basic.consume')).toEqual([])
    },
  )

  it('undoes itself too when the transport closes meanwhile', async () => {
    await using rig = new ScriptedRabbit()
    const { starting, link, fanout } = await stuckAt(rig, 'queue.bind')
    await rig.until(rig.transport.close(), 100)
    await expect(starting).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
    expect(deleted(link)).toEqual([fanout])
  })

  it('does not wait for a broker that opens no channel', async () => {
    await using rig = new ScriptedRabbit()
    const asked = createDeferred<void>()
    rig.broker.on('channel.open', () => {
      asked.resolve()
      return SILENT
    })
    const giveUp = new AbortController()
    const starting = rig.serve(giveUp.signal)
    starting.catch(() => {})
    await rig.until(asked.promise, 0)
    const beganMs = rig.clock.monotonicMs()
    giveUp.abort(REASON)
    await expect(rig.until(starting, 100)).rejects.toBe(REASON)
    expect(rig.clock.monotonicMs() - beganMs).toBeLessThanOrEqual(5_100)
  })

  it('stops connecting', async () => {
    await using rig = new ScriptedRabbit()
    rig.broker.on('connection.open', () => SILENT)
    const giveUp = new AbortController()
    const starting = rig.serve(giveUp.signal)
    starting.catch(() => {})
    await rig.clock.pass(0)
    giveUp.abort(REASON)
    await expect(starting).rejects.toBe(REASON)
    const links = rig.broker.links.length
    await rig.clock.pass(600_000)
    expect(rig.broker.links.length).toBe(links)
  })
})
