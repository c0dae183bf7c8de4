import { SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { innerOf, ScriptedRabbit } from './scripted-rabbit.ts'

describe('a reply that is larger than RabbitMQ takes', () => {
  it('is told to the server, which can send another one, and disturbs no other', async () => {
    await using rig = new ScriptedRabbit()
    const { requests } = await rig.serve()
    const consuming = await rig.linkOf('basic.consume')
    rig.broker.onPublish = ({ channel, body }, link) => {
      if (body.length < 1000) return undefined
      const text = `PRECONDITION_FAILED - message size ${body.length} is larger than configured max size 1000`
      link.closeChannel(channel, 406, text, 60, 40)
      return SILENT
    }
    for (const [at, id] of ['one', 'two'].entries())
      rig.deliver(consuming, 'calc', { method: 'add', _msg_id: id, _reply_q: `reply_${id}` }, at + 1)
    await rig.clock.pass(0)
    const [one, two] = requests
    one!.accept()
    two!.accept()
    const large = one!.reply({ result: 'x'.repeat(1000) })
    const small = two!.reply({ result: 2 })
    large.catch(() => {})
    await rig.published(2)
    await rig.clock.pass(100)
    await expect(large).rejects.toMatchObject({
      code: 'E_ENCODE',
      message: expect.stringMatching(/^1\d\d\d bytes are more than the broker takes$/),
    })
    await small
    await one!.reply({ result: 1 })
    const results = rig.publishes
      .filter(({ body }) => body.length < 1000)
      .map((publish) => innerOf(publish)['result'])
    expect(results.slice(-2)).toEqual([2, 1])
    expect(rig.transport.stats()).toMatchObject({ lostReplies: 0 })
  })
})
