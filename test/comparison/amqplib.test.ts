import { Connection } from '@hermod/amqp'
import { createDeferred } from '@hermod/kernel'
import { contentBytes, eventually, ScriptedBroker } from '@hermod/testkit'
import amqplib from 'amqplib'
import { describe, expect, it } from 'vitest'
import { ChildProgram } from './child-program.ts'
import { documented } from './library.ts'

const LIBRARY = 'amqplib'

/** Runs `work` with nobody else listening for what is thrown, and gathers that. */
async function thrownDuring(
  work: (thrown: readonly unknown[]) => Promise<void>,
): Promise<readonly unknown[]> {
  const thrown: unknown[] = []
  const listeners = process.rawListeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => thrown.push(error))
  try {
    await work(thrown)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener as never)
  }
  return thrown
}

describe('beside amqplib', () => {
  it('amqplib closes the channel when a callback throws; ours keeps it and throws where Node reports it', async () => {
    const broken = new TypeError('a mistake in the handler')
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      const theirs = await amqplib.connect(server.url)
      const channel = await theirs.createChannel()
      const errors: unknown[] = []
      channel.on('error', (error) => errors.push(error))
      const { consumerTag } = await channel.consume('queue', () => {
        throw broken
      })
      broker.link.deliver(1, consumerTag, 1)
      const { args } = await broker.link.method('channel.close')
      documented(LIBRARY, () => expect(args).toMatchObject({ replyCode: 541 }))
      await eventually(() => errors.length > 0)
      expect(errors).toEqual([broken])
      await theirs.close()
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel()
    const received: number[] = []
    const { consumerTag } = await channel.consume('queue', {}, ({ deliveryTag }) => {
      received.push(deliveryTag)
      if (deliveryTag === 1) throw broken
    })
    const thrown = await thrownDuring(async (soFar) => {
      broker.link.deliver(channel.number, consumerTag, 1)
      broker.link.deliver(channel.number, consumerTag, 2)
      await eventually(() => soFar.length > 0 && received.length === 2)
    })
    expect(thrown).toEqual([broken])
    expect(broker.link.all('channel.close')).toEqual([])
  })

  it("amqplib ends the process instead of recovering when nobody listens for 'error'; ours connects again", async () => {
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      await using program = new ChildProgram('amqplib', server.url)
      await program.line('ready')
      server.reset()
      const ending = await program.ending()
      documented(LIBRARY, () => expect(ending).toMatchObject({ status: 1, last: 'uncaughtException' }))
    }
    {
      // With a listener it does recover.
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      await using program = new ChildProgram('amqplib', server.url, 'listening')
      await program.line('ready')
      server.reset()
      await broker.linked(1)
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url, { reconnect: { initialMs: 20 } })
    const thrown = await thrownDuring(async () => {
      server.reset()
      await broker.linked(1)
      await eventually(() => ours.state === 'open')
    })
    expect(thrown).toEqual([])
  })

  it('amqplib rounds whole numbers above 2^53 in headers; ours gives them as bigint', async () => {
    const exact = 2n ** 53n + 1n
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    const deliver = (channel: number, consumerTag: string): void => {
      const args = { consumerTag, deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'key' }
      broker.link.raw(contentBytes(channel, 'basic.deliver', args, { headers: { exact } }, ''))
    }
    {
      const theirs = await amqplib.connect(server.url)
      const channel = await theirs.createChannel()
      const header = createDeferred<unknown>()
      const { consumerTag } = await channel.consume('queue', (message) => {
        header.resolve(message?.properties.headers?.['exact'])
      })
      deliver(1, consumerTag)
      const read = await header.promise
      documented(LIBRARY, () => expect(read).toBe(2 ** 53))
      await theirs.close()
    }
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel()
    const header = createDeferred<unknown>()
    const { consumerTag } = await channel.consume('queue', {}, ({ properties }) => {
      header.resolve(properties.headers?.['exact'])
    })
    deliver(channel.number, consumerTag)
    expect(await header.promise).toBe(exact)
  })
})
