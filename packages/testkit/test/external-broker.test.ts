import { describe, expect, it } from 'vitest'
import { externalBroker } from '../src/external-broker.ts'

describe('a broker that the user lends', () => {
  it('knows its address, default ports included', () => {
    expect(externalBroker('amqp://u:p@broker.example:5673/%2F')).toMatchObject({
      host: 'broker.example',
      port: 5673,
    })
    expect(externalBroker('amqp://broker.example').port).toBe(5672)
    expect(externalBroker('amqps://broker.example').port).toBe(5671)
  })

  it('makes URLs for other users and virtual hosts', () => {
    const broker = externalBroker('amqp://u:p@broker.example/%2F')
    expect(broker.urlFor({ user: 'a b', password: 'x@/:y' })).toBe(
      'amqp://a%20b:x%40%2F%3Ay@broker.example/%2F',
    )
    expect(broker.urlFor({ vhost: 'a/b' })).toBe('amqp://u:p@broker.example/a%2Fb')
  })

  it('refuses what would disturb it', async () => {
    const broker = externalBroker('amqp://u:p@broker.example/')
    await expect(broker.kill()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
    await expect(broker.queues()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
    expect(Object.values(broker.capabilities)).not.toContain(true)
  })
})
