import { createRpcClient, createRpcServer } from '@hermod/messaging'
import { eventually, findBroker, needs, startFaultProxy } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { CallLoad, CountingEndpoint, expectCallInvariants } from './call-load.ts'
import { FAULT_SUITE } from './fault-settings.ts'
import { OsloChild } from './oslo-child.ts'
import { OsloStage } from './oslo-stage.ts'

const gate = needs(findBroker('administer'))

const stage = new OsloStage()

/** A server in this process, and calls to it; each over connections of its own. */
async function startLoad(clientUrl: string, serverUrl: string): Promise<CallLoad> {
  const topic = stage.newTopic()
  const endpoint = new CountingEndpoint()
  const options = { endpoints: [endpoint], concurrency: 16 }
  await createRpcServer(stage.transportAt(serverUrl), { topic, server: 'one' }, options).start()
  return new CallLoad(stage.transportAt(clientUrl), { topic, ran: (id) => endpoint.ran(id), refuses: true })
}

describe.skipIf(gate.skip)(`remote calls under faults${gate.note}`, FAULT_SUITE, () => {
  stage.use()

  it('each end once when connections are cut, those of the caller and of the server', async () => {
    const [callers, servers] = [await startFaultProxy(stage.broker), await startFaultProxy(stage.broker)]
    stage.ending(callers, servers)
    const load = await startLoad(callers.urlFor(stage.broker.url), servers.urlFor(stage.broker.url))
    const proxies = [callers, servers]
    for (let cut = 1; cut <= 6; cut++) {
      await load.reaches(cut / 8)
      expect(proxies[cut % 2]!.cut()).toBeGreaterThan(0)
      await eventually(() => proxies.every(({ connections }) => connections === 2 || connections === 1))
    }
    // In the middle of a frame, and while the other side seems to be there.
    callers.cutAfter({ direction: 'to-broker', bytes: 1001 })
    servers.cutAfter({ direction: 'to-client', bytes: 1003 })
    await expectCallInvariants(load)
  })

  it('each end once when the broker is restarted', async () => {
    const load = await startLoad(stage.broker.url, stage.broker.url)
    await load.reaches(0.4)
    const { result: before } = load.counts()
    await stage.broker.restart()
    await expectCallInvariants(load)
    expect(load.counts()['result']).toBeGreaterThan(before!)
  })

  it('each run once when a server is killed, and go on at another one', async () => {
    const topic = stage.newTopic()
    const servers: OsloChild[] = []
    const start = async (): Promise<void> => {
      const server = new OsloChild('serve', stage.broker.url, topic, `server${servers.length}`)
      servers.push(server)
      stage.ending(server)
      await server.ready()
    }
    await Promise.all([start(), start()])
    const ran = (id: number): number => servers.reduce((sum, server) => sum + server.ran(id), 0)
    const load = new CallLoad(stage.transportAt(stage.broker.url), { topic, ran })
    for (const share of [0.2, 0.4, 0.6]) {
      await load.reaches(share)
      const began = servers[0]!.began
      await servers.find(({ isAlive }) => isAlive)!.kill()
      expect(began).toBeGreaterThan(0)
      await start()
    }
    await expectCallInvariants(load)
  })

  it('that kill their server are not handed to the next one', async () => {
    const topic = stage.newTopic()
    const first = await new OsloChild('serve', stage.broker.url, topic, 'first').ready()
    const client = createRpcClient(stage.transportAt(stage.broker.url), { topic })
    stage.ending(first)
    expect(await client.call('work', { id: 1 })).toBe(1)
    const deadly = client.call('work', { id: 2, isDeadly: true }, { timeoutMs: 2_000 })
    deadly.catch(() => {})
    await eventually(() => !first.isAlive)
    const second = await new OsloChild('serve', stage.broker.url, topic, 'second').ready()
    stage.ending(second)
    expect(await client.call('work', { id: 3 })).toBe(3)
    await expect(deadly).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    await first.kill()
    expect([first.ran(2), second.ran(2), second.isAlive]).toEqual([1, 0, true])
  })
})
