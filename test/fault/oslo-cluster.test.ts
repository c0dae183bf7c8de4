import { rabbit } from '@hermod/driver-rabbit'
import {
  createNotificationListener,
  createRpcServer,
  createTransport,
  type Transport,
} from '@hermod/messaging'
import { eventually, findRabbitMq, needs, startRabbitMqCluster, type RabbitMqCluster } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { CallLoad, CountingEndpoint, expectCallInvariants } from './call-load.ts'
import { FAULT_SUITE } from './fault-settings.ts'
import { CountingHandler, expectNoteInvariants, NoteLoad } from './note-load.ts'

const gate = needs(findRabbitMq())

describe.skipIf(gate.skip)(`calls and notifications in a cluster${gate.note}`, FAULT_SUITE, () => {
  let cluster: RabbitMqCluster
  let rounds = 0
  const open: Transport[] = []
  beforeAll(async () => {
    cluster = await startRabbitMqCluster()
  })
  afterAll(async () => {
    await Promise.all(open.map((transport) => transport.close()))
    await cluster?.[Symbol.asyncDispose]()
  })

  /** A transport that may use any of these nodes. */
  function transportAt(urls: readonly string[]): Transport {
    const hosts = urls
      .map((url) => new URL(url))
      .map(({ username, password, host }) => `${username}:${password}@${host}`)
    const options = {
      quorumQueues: true,
      transientQuorumQueues: true,
      retryIntervalMs: 100,
      retryIntervalMaxMs: 500,
    }
    const transport = createTransport(`rabbit://${hosts.join(',')}/`, { drivers: [rabbit({ options })] })
    open.push(transport)
    return transport
  }

  it('end once, and are all handled, when the leader of their quorum queues is killed', async () => {
    const [calls, notes] = [`calls-${rounds}`, `notes-${rounds++}`]
    const [endpoint, handler] = [new CountingEndpoint(), new CountingHandler()]
    onTestFailed(() => console.error(open.map((transport) => transport.stats())))
    const serve = async (urls: readonly string[]): Promise<Transport> => {
      const transport = transportAt(urls)
      await createRpcServer(transport, { topic: calls, server: 'one' }, { endpoints: [endpoint] }).start()
      await createNotificationListener(transport, { topics: [notes], endpoints: [handler] }).start()
      return transport
    }
    // The node where a queue is declared leads it.
    await (await serve([cluster.urls[0]!])).close()
    await serve(cluster.urls)
    const ends = [calls, `${notes}.info`]
    for (const queue of ends)
      await eventually(async () => expect(await cluster.membersOf(queue)).toEqual([0, 1, 2]))
    const leaders = await Promise.all(ends.map((queue) => cluster.leaderOf(queue)))
    expect(leaders).toEqual([0, 0])

    // One server: what it has run it knows, also when the broker that died took the ack with it.
    const ran = (id: number): number => endpoint.ran(id)
    const callLoad = new CallLoad(transportAt(cluster.urls), { topic: calls, ran, refuses: true })
    const handled = (id: number): number => handler.handled(id)
    const noteLoad = new NoteLoad(transportAt(cluster.urls), { topic: notes, handled })
    await Promise.all([callLoad.reaches(0.3), noteLoad.reaches(0.3)])
    await cluster.nodes[0]!.kill()
    await expectCallInvariants(callLoad)
    expect(await cluster.leaderOf(calls)).not.toBe(0)
    await expectNoteInvariants(noteLoad)
  })
})
