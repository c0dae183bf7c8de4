import { describe, expect, it } from 'vitest'
import { broadcastQueue, Exchange } from '../../src/index.ts'

describe('broadcastQueue', () => {
  it('is another auto-delete queue each time, on one durable fanout exchange', () => {
    const [one, two] = [broadcastQueue('news'), broadcastQueue('news')]
    expect(one.name).toMatch(/^bcast\.[0-9a-f-]{36}$/)
    expect(two.name).not.toBe(one.name)
    expect(one).toMatchObject({ durable: true, exclusive: false, autoDelete: true })
    expect(one.bindings).toMatchObject([{ exchange: { name: 'news', type: 'fanout', durable: true } }])
  })

  it('takes a name, a name with a random part, and the fields of a queue', () => {
    expect(broadcastQueue('news', { queue: 'mine' }).name).toBe('mine')
    expect(broadcastQueue('news', { queue: 'mine', unique: true }).name).toMatch(/^mine\.[0-9a-f-]{36}$/)
    const exchange = new Exchange('other', 'fanout', { durable: false })
    const queue = broadcastQueue('news', { exchange, durable: false, expiresMs: 1000 })
    expect(queue).toMatchObject({ durable: false, arguments: { 'x-expires': 1000 } })
    expect(queue.bindings[0]?.exchange).toBe(exchange)
  })
})
