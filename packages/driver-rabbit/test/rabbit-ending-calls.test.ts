import { describe, expect, it } from 'vitest'
import { replyTo, ScriptedRabbit } from './scripted-rabbit.ts'

describe('a call over RabbitMQ that must end', () => {
  it('is not left to its time-out when it begins while the transport closes', async () => {
    await using rig = new ScriptedRabbit()
    const first = rig.call()
    const [request] = await rig.published(1)
    const receiving = await rig.linkOf('basic.consume')
    rig.deliver(receiving, receiving.all('basic.consume')[0]!.args.queue, replyTo(request!, { result: 1 }))
    await first
    void rig.transport.close()
    await expect(rig.call()).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
    expect(rig.transport.stats()).toMatchObject({ waitingCalls: 0 })
    expect(rig.publishes.length).toBe(1)
  })

  it('is given up for a reason that is no error, without a stray rejection', async () => {
    await using rig = new ScriptedRabbit()
    const abort = new AbortController()
    const calling = rig.call({}, { signal: abort.signal })
    await rig.published(1)
    abort.abort(null)
    await expect(calling).rejects.toBeNull()
    const second = new AbortController()
    const held = rig.call({}, { signal: second.signal })
    second.abort(null)
    await expect(held).rejects.toBeNull()
  })
})
