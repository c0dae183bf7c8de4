import { ManualClock, nextEvent, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import {
  Connection,
  parseAmqpUrl,
  type ConnectionOptions,
  type ConnectionTarget,
  type Dial,
} from '../../src/index.ts'

/** Records whom it was told to dial; hosts that begin with `down` refuse. */
function watched(broker: ScriptedBroker): { dial: Dial; dialled: string[] } {
  const dialled: string[] = []
  const dial: Dial = (address, options) => {
    const { hostname, port, username, password, virtualHost } = address
    dialled.push(`${username}:${password}@${hostname}:${port}${virtualHost}`)
    if (hostname.startsWith('down')) return Promise.reject(new TypeError(`${hostname} is down`))
    return broker.dial(address, options)
  }
  return { dial, dialled }
}

const QUICK: ConnectionOptions = {
  heartbeatMs: 0,
  serverOrder: 'given',
  reconnect: { initialMs: 1, maxMs: 5 },
}

describe('where to connect', () => {
  it.each<[string, ConnectionTarget]>([
    ['a list', ['amqp://a:1@down1/', 'amqp://b:2@down2:7000/v', 'amqp://c:3@up/']],
    ['URLs in one text', 'amqp://a:1@down1/;amqp://b:2@down2:7000/v;amqp://c:3@up/'],
    ['both', ['amqp://a:1@down1/;amqp://b:2@down2:7000/v', parseAmqpUrl('amqp://c:3@up/')]],
    ['a function', () => ['amqp://a:1@down1/', 'amqp://b:2@down2:7000/v', 'amqp://c:3@up/']],
    ['a promise', () => Promise.resolve('amqp://a:1@down1/;amqp://b:2@down2:7000/v;amqp://c:3@up/')],
  ])('is given as %s: each server with its own credentials, in their order', async (_, target) => {
    const broker = new ScriptedBroker()
    const { dial, dialled } = watched(broker)
    await using connection = await Connection.connect(target, { ...QUICK, dial })
    expect(dialled).toEqual(['a:1@down1:5672/', 'b:2@down2:7000v', 'c:3@up:5672/'])
    expect(connection.server).toMatchObject({ address: 'up:5672', virtualHost: '/' })
  })

  it('takes a semicolon in a password for one, and blanks around a semicolon for nothing', async () => {
    const broker = new ScriptedBroker()
    const { dial, dialled } = watched(broker)
    await using connection = await Connection.connect('amqp://u:a;b@down/ ; amqp://u:c;d@up/', {
      ...QUICK,
      dial,
    })
    expect(dialled).toEqual(['u:a;b@down:5672/', 'u:c;d@up:5672/'])
    expect(connection.state).toBe('open')
  })

  it('is asked again before each pass, so that servers may come and go', async () => {
    const broker = new ScriptedBroker()
    const { dial, dialled } = watched(broker)
    let pass = 0
    const find = (): string[] => [['amqp://first/'], ['amqp://down/'], ['amqp://second/']][pass++] ?? []
    await using connection = await Connection.connect(find, { ...QUICK, dial })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    expect((await restored).server.address).toBe('second:5672')
    expect(dialled.map((one) => one.split('@')[1])).toEqual(['first:5672/', 'down:5672/', 'second:5672/'])
  })

  it.each([
    [
      'throws',
      (): never => {
        throw new TypeError('no answer')
      },
    ],
    ['finds none', () => []],
    ['gives nothing', () => undefined],
    ['gives something else', () => ({ host: 'h' })],
    ['gives something else in a list', () => ['amqp://u/', 7]],
    ['gives what is no URL', () => 'http://u/'],
  ])('by a function that %s fails the attempt alone, and ends no process', async (_, find) => {
    const broker = new ScriptedBroker()
    const { dial } = watched(broker)
    await expect(Connection.connect(find as () => string, { ...QUICK, dial })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(?:CONN|CONFIG|URL)$/) as string,
    })
    let pass = 0
    const target = (): string => (++pass === 2 ? (find as () => string)() : 'amqp://up/')
    await using connection = await Connection.connect(target, { ...QUICK, dial })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(pass).toBe(3)
  })

  it('by a function that never answers is given up like a server that does not', async () => {
    const clock = new ManualClock()
    const connected = Connection.connect(() => new Promise<string>(() => {}), {
      clock,
      connectTimeoutMs: 500,
    })
    const outcome = connected.catch((reason: unknown) => reason)
    await clock.pass(500)
    expect(await outcome).toMatchObject({ code: 'E_TIMEOUT' })
  })

  it('is refused when it is nothing', async () => {
    await expect(Connection.connect([])).rejects.toMatchObject({ code: 'E_CONFIG' })
    await expect(Connection.connect(undefined as unknown as string)).rejects.toMatchObject({
      code: 'E_CONFIG',
    })
  })

  it('in random order begins with each server at times', async () => {
    const broker = new ScriptedBroker()
    const first = new Set<string>()
    for (let time = 0; time < 60 && first.size < 3; time++) {
      const { dial, dialled } = watched(broker)
      const connection = await Connection.connect(['amqp://a/', 'amqp://b/', 'amqp://c/'], {
        dial,
        heartbeatMs: 0,
      })
      first.add(dialled[0] as string)
      await connection.close()
    }
    expect(first.size).toBe(3)
  })

  it('prefers the first server again after each loss where the order is given', async () => {
    const broker = new ScriptedBroker()
    const { dial, dialled } = watched(broker)
    await using connection = await Connection.connect(['amqp://a/', 'amqp://b/'], { ...QUICK, dial })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(dialled.map((one) => one.split('@')[1])).toEqual(['a:5672/', 'a:5672/'])
  })
})

describe('a dial function that does not listen to its signal', () => {
  it('is given up, and the stream that it gives too late is closed', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    let give = (): void => {}
    const dial: Dial = (address, options) =>
      new Promise((resolve) => {
        give = () => resolve(broker.dial(address, options))
      })
    const connected = Connection.connect('amqp://u/', { clock, dial, connectTimeoutMs: 300 })
    const outcome = connected.catch((reason: unknown) => reason)
    await clock.pass(300)
    expect(await outcome).toMatchObject({
      code: 'E_CONN',
      message: expect.stringContaining('300 ms') as string,
    })
    give()
    await (await broker.linked(0)).until(() => broker.link.gone, 'the end')
    expect(broker.link.methods).toEqual([])
  })

  it('does not hold back the signal of the caller', async () => {
    const giveUp = new AbortController()
    const connected = Connection.connect('amqp://u/', {
      dial: () => new Promise(() => {}),
      signal: giveUp.signal,
    })
    giveUp.abort('enough')
    await expect(connected).rejects.toBe('enough')
  })
})

describe('connectRetries', () => {
  it('tries all servers so many times more, with waits between, and tells of each', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { dial, dialled } = watched(broker)
    const retries: number[] = []
    const connected = Connection.connect(['amqp://down1/', 'amqp://down2/'], {
      ...QUICK,
      clock,
      dial,
      connectRetries: 2,
      onStatus: (status) => {
        if (status.type === 'retry') retries.push(status.attempt)
      },
    })
    const outcome = connected.catch((reason: unknown) => reason)
    await clock.pass(10_000)
    expect(await outcome).toMatchObject({ code: 'E_CONN', phase: 'tcp' })
    expect([dialled.length, retries]).toEqual([6, [1, 2]])
  })

  it('ends with the signal', async () => {
    const giveUp = new AbortController()
    const broker = new ScriptedBroker()
    const connected = Connection.connect('amqp://down/', {
      dial: watched(broker).dial,
      connectRetries: Infinity,
      reconnect: { initialMs: 60_000 },
      signal: giveUp.signal,
      onStatus: ({ type }) => {
        if (type === 'retry') giveUp.abort('enough')
      },
    })
    await expect(connected).rejects.toBe('enough')
  })

  it('does not repeat what stays refused', async () => {
    const broker = new ScriptedBroker()
    broker.on('connection.start-ok', (_, link) => {
      link.closeConnection(403, 'ACCESS_REFUSED')
      return SILENT
    })
    await expect(broker.connect({ connectRetries: Infinity })).rejects.toMatchObject({ code: 'E_AUTH' })
    expect(broker.links).toHaveLength(1)
  })

  it.each([-1, 1.5, Number.NaN])('is refused when it is %d', async (connectRetries) => {
    await expect(Connection.connect('amqp://u/', { connectRetries })).rejects.toMatchObject({
      code: 'E_CONFIG',
    })
  })
})
