import { Connection } from '@hermod/amqp'
import { findRabbitMq, needs, startRabbitMqCluster, type RabbitMqCluster } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const gate = needs(findRabbitMq())

describe.skipIf(gate.skip)(`a RabbitMQ cluster of the tests' own${gate.note}`, () => {
  let cluster: RabbitMqCluster
  beforeAll(async () => {
    cluster = await startRabbitMqCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('is one broker at several addresses', async () => {
    expect(new Set(cluster.urls).size).toBe(3)
    await using connection = await Connection.connect(cluster.urls[1] as string)
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    for (const node of cluster.nodes) expect((await node.queues()).map(({ name }) => name)).toEqual([queue])
    expect(await cluster.leaderOf(queue)).toBe(1)
    expect(await cluster.membersOf(queue)).toEqual([1])
  })

  it('gives a quorum queue another leader when its own is killed, and takes the node back', async () => {
    await using first = await Connection.connect(cluster.urls[0] as string)
    const channel = await first.openChannel()
    await channel.declareQueue('jobs', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.publish('', 'jobs', Buffer.from('kept'))
    expect(await cluster.membersOf('jobs')).toEqual([0, 1, 2])
    const leader = await cluster.leaderOf('jobs')
    await first.close()

    const killed = cluster.nodes[leader]
    await killed?.kill()
    const next = await cluster.leaderOf('jobs')
    expect(next).not.toBe(leader)
    await using second = await Connection.connect(cluster.urls[next] as string)
    const reading = await second.openChannel()
    expect((await reading.get('jobs'))?.body.toString()).toBe('kept')

    await killed?.start()
    await using third = await Connection.connect(cluster.urls[leader] as string)
    const back = await third.openChannel()
    await back.publish('', 'jobs', Buffer.from('through the node that was killed'))
    expect(await cluster.membersOf('jobs')).toEqual([0, 1, 2])
  })
})
