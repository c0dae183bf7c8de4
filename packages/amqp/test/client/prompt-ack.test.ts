import { eventually, ScriptedBroker } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Connection, type Dial, type Message } from '../../src/index.ts'

/** What was written between an ack in the delivery's turn and the code that was to run after that turn. */
async function writesBeforeNextTurn(ack: (message: Message) => void): Promise<number> {
  const broker = new ScriptedBroker()
  let writes = 0
  const dial: Dial = async (address, options) => {
    const stream = await broker.dial(address, options)
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    stream.write = (...args: unknown[]) => {
      writes++
      return write(...args)
    }
    return stream
  }
  await using connection = await Connection.connect('amqp://user:sesame@broker', { dial, heartbeatMs: 0 })
  const channel = await connection.openChannel()
  let seen: number | undefined
  await channel.consume('q', { prefetchCount: 100 }, (message) => {
    ack(message)
    const before = writes
    setImmediate(() => (seen ??= writes - before))
  })
  const consume = broker.link.all('basic.consume')[0]!
  broker.link.deliver(consume.channel, consume.args.consumerTag, 1, '{}')
  await eventually(() => seen !== undefined)
  await broker.link.method('basic.ack')
  return seen!
}

describe('an ack', () => {
  it('waits for those of the next turn while messages come', async () => {
    expect(await writesBeforeNextTurn((message) => message.ack())).toBe(0)
  })

  it('has left when the next turn begins, where it is to be prompt', async () => {
    expect(await writesBeforeNextTurn((message) => message.ack({ promptly: true }))).toBe(1)
  })
})
