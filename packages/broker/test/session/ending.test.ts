import { afterEach, describe, expect, it } from 'vitest'
import type { FrameClient } from '../frame-client.ts'
import { CLOSE, consumeFrom, queueNamed, SessionFixture } from './session-fixture.ts'

const fixture = new SessionFixture()
afterEach(() => fixture.end())

const SINGLE = { 'x-single-active-consumer': true }

async function bodies(client: FrameClient, count: number): Promise<string[]> {
  const found: string[] = []
  for (let i = 0; i < count; i++) {
    const { body, args } = await client.expect('basic.deliver')
    found.push(args['redelivered'] === true ? `${body}!` : String(body))
  }
  return found
}

async function consume(client: FrameClient, prefetchCount: number): Promise<void> {
  await client.call(1, 'basic.qos', { prefetchSize: 0, prefetchCount, global: false })
  await client.call(1, 'basic.consume', consumeFrom('q', 'c'))
}

describe('what a channel that ends has not settled', () => {
  it.each([
    ['its connection breaks', (client: FrameClient) => void client.stream.destroy()],
    ['it is closed', (client: FrameClient) => client.send(1, 'channel.close', CLOSE)],
    [
      'it is refused',
      (client: FrameClient) => client.send(1, 'basic.ack', { deliveryTag: 9, multiple: false }),
    ],
  ])('is what the one that becomes active gets first, when %s', async (_, end) => {
    const broker = fixture.broker()
    const [first, next] = [await fixture.client(broker), await fixture.client(broker)]
    await first.call(1, 'queue.declare', queueNamed('q', { arguments: SINGLE }))
    await consume(first, 2)
    for (const body of ['1', '2', '3', '4']) first.publish(1, '', 'q', body)
    expect(await bodies(first, 2)).toEqual(['1', '2'])
    await consume(next, 0)
    end(first)
    expect(await bodies(next, 4)).toEqual(['1!', '2!', '3', '4'])
  })
})
