import { sleep } from '@hermod/kernel'
import { afterEach, describe, expect, it } from 'vitest'
import { queueNamed, SessionFixture } from './session/session-fixture.ts'

const fixture = new SessionFixture()
afterEach(() => fixture.end())

describe('a delay', () => {
  it.each([0, 20])('of %s ms that follows a longer one overtakes nothing', async (shorterMs) => {
    const broker = fixture.broker()
    const client = await fixture.client(broker)
    const [connection] = broker.connections()
    const beganMs = performance.now()
    connection?.delay(100)
    client.send(1, 'queue.declare', queueNamed('q'))
    await sleep(30)
    connection?.delay(shorterMs)
    client.send(1, 'basic.get', { queue: 'q', noAck: true })
    await client.expect('queue.declare-ok')
    await client.expect('basic.get-empty')
    expect(performance.now() - beganMs).toBeGreaterThan(95)
    await client.call(1, 'queue.declare', queueNamed('q'))
  })
})

describe('an end in the process', () => {
  it('comes behind all that the client has not read yet', async () => {
    const client = await fixture.client()
    client.stream.pause()
    for (let n = 0; n < 50; n++) client.send(1, 'queue.declare', queueNamed(`q${n}`))
    client.send(0, 'connection.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 })
    client.stream.end()
    await sleep(50)
    client.stream.resume()
    for (let n = 0; n < 50; n++) await client.expect('queue.declare-ok')
    await client.expect('connection.close-ok')
    expect(await client.next()).toBe('end')
  })
})
