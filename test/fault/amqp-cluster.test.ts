import { Connection } from '@hermod/amqp'
import { eventually, findRabbitMq, needs, startRabbitMqCluster, type RabbitMqCluster } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_SUITE } from './fault-settings.ts'
import { expectInvariants } from './load-invariants.ts'
import { IN_ORDER, startLoad } from './load.ts'

const gate = needs(findRabbitMq())

describe.skipIf(gate.skip)(`the AMQP client and a cluster${gate.note}`, FAULT_SUITE, () => {
  let cluster: RabbitMqCluster
  let rounds = 0
  beforeAll(async () => {
    cluster = await startRabbitMqCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('loses nothing of a quorum queue whose leader is killed under load, and killed again', async () => {
    const queue = `quorum ${rounds++}`
    const [first, second, third] = cluster.urls as [string, string, string]
    const connection = { serverOrder: 'given' } as const
    await using operator = await Connection.connect([first, second, third], connection)
    const channel = await operator.openChannel()
    await channel.declareQueue(queue, { arguments: { ...IN_ORDER.arguments, 'x-queue-type': 'quorum' } })
    await eventually(async () => expect(await cluster.membersOf(queue)).toEqual([0, 1, 2]))
    // The first leader has both connections of the load, the next one has one of them.
    await using load = await startLoad({
      queue,
      publishTo: [first, second, third],
      consumeFrom: [first, third, second],
      connection,
    })
    for (const share of [0.25, 0.6]) {
      await load.reaches(share)
      const leader = await cluster.leaderOf(queue)
      await cluster.nodes[leader]?.kill()
      await load.goesOn()
      expect(await cluster.leaderOf(queue)).not.toBe(leader)
      await cluster.nodes[leader]?.start()
    }
    expect([load.publisher, load.reader].map((one) => one.stats().reconnects)).not.toContain(0)
    const living = cluster.nodes[await cluster.leaderOf(queue)]
    if (living === undefined) throw new TypeError('no node leads')
    // While no leader is elected RabbitMQ refuses what comes over connections that are new.
    const failures = { resent: ['E_NACKED'], once: ['E_NACKED', 'E_UNCERTAIN'] }
    await expectInvariants(load, { broker: living, failures })
    await channel.deleteQueue(queue)
  })
})
