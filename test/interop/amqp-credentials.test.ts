import { Connection, type ConnectionOptions, type ConnectionStatus, type Credentials } from '@hermod/amqp'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const gate = needs(findBroker('administer', 'inspect'))
const QUICK: ConnectionOptions = { reconnect: { initialMs: 20, maxMs: 200 } }

describe.skipIf(gate.skip)(`credentials that change, with RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let users = 0
  let user: string
  let password: string

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    user = `user${++users}`
    password = 'first'
    await broker.addUser(user, password)
  })

  const rotate = async (): Promise<void> => {
    password = `next ${password}`
    await broker.changePassword(user, password)
  }
  /** A URL with a password that was never right. */
  const url = (): string => broker.urlFor({ user, password: 'never right' })
  const works = async (connection: Connection): Promise<void> => {
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    await channel.publish('', queue, Buffer.from('x'), { mandatory: true })
    await channel.close()
  }

  it('come from the callback, and a rotated password survives a lost connection', async () => {
    let asked = 0
    const credentials = (): Promise<Credentials> => {
      asked++
      return Promise.resolve({ password })
    }
    await using connection = await Connection.connect(url(), { ...QUICK, credentials })
    await works(connection)
    for (let time = 1; time <= 3; time++) {
      await rotate()
      await works(connection)
      await broker.closeConnections('rotated')
      await eventually(() => connection.stats().reconnects === time && connection.state === 'open')
      await works(connection)
    }
    expect(asked).toBe(4)
  })

  it('may be behind the broker for a moment', async () => {
    let behind = 3
    let asked = 0
    await using connection = await Connection.connect(url(), {
      ...QUICK,
      credentials: () => {
        asked++
        return { password: behind > 0 && asked > 1 ? (behind--, 'too old') : password }
      },
    })
    await rotate()
    await broker.closeConnections('rotated')
    await eventually(() => connection.stats().reconnects === 1 && connection.state === 'open')
    await works(connection)
    expect(asked).toBe(5)
  })

  it('that stay wrong end the connection, and say so without a password', async () => {
    let given = password
    const connection = await Connection.connect(url(), {
      ...QUICK,
      credentials: () => ({ password: given }),
    })
    given = 'hunter2'
    await rotate()
    await broker.closeConnections('rotated')
    const { error } = await connection.closed
    expect(error).toMatchObject({ code: 'E_AUTH' })
    expect(error?.message).not.toMatch(/hunter2|first/)
  })

  it('without a callback end the connection at the first refusal', async () => {
    const connection = await Connection.connect(broker.urlFor({ user, password }), QUICK)
    await rotate()
    await broker.closeConnections('rotated')
    expect((await connection.closed).error).toMatchObject({ code: 'E_AUTH', retryable: false })
  })

  it('are taken on the living connection (connection.update-secret)', async () => {
    await using connection = await Connection.connect(broker.urlFor({ user, password }), QUICK)
    await rotate()
    await connection.updateSecret(password, 'rotated by the test')
    await works(connection)
    expect(connection.stats().reconnects).toBe(0)
  })

  it('are renewed by themselves before they expire', async () => {
    const seen: ConnectionStatus['type'][] = []
    let asked = 0
    await using connection = await Connection.connect(url(), {
      ...QUICK,
      credentials: () => {
        asked++
        // The third ones are for ever, so that none are asked for while the rest is looked at.
        return { password, validForMs: asked < 3 ? 1_000 : undefined }
      },
      onStatus: ({ type }) => seen.push(type),
    })
    await eventually(() => seen.filter((type) => type === 'secret-updated').length === 2)
    await works(connection)
    expect(asked).toBe(3)
    expect(seen).not.toContain('lost')
  })

  it('differ from host to host', async () => {
    const other = `other${users}`
    await broker.addUser(other, 'other password')
    const servers = [
      broker.urlFor({ user, password: 'wrong here' }),
      broker.urlFor({ user: other, password: 'other password' }),
    ]
    await using connection = await Connection.connect(servers.join(';'), { ...QUICK, serverOrder: 'given' })
    await works(connection)
    const facts = await broker.connections()
    expect(facts.map((one) => one.user)).toContain(other)
  })

  it('of a user that was deleted end the connection', async () => {
    const connection = await Connection.connect(url(), { ...QUICK, credentials: () => ({ password }) })
    await broker.deleteUser(user)
    await broker.closeConnections('the user is gone')
    expect((await connection.closed).error).toMatchObject({ code: 'E_AUTH' })
  })
})
