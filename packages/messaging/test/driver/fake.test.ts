import { ConfigurationError } from '@hermod/kernel'
import { ManualClock, settled } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createTransport,
  fake,
  type FakeOptions,
  type IncomingNotification,
  type IncomingRequest,
  type Transport,
} from '../../src/index.ts'

const clock = new ManualClock()
const opened: Transport[] = []
let worlds = 0

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()))
})

function open(url: string, options?: FakeOptions): Transport {
  const transport = createTransport(url, { drivers: [fake(options)], clock })
  opened.push(transport)
  return transport
}

const ownUrl = (): string => `fake://fake-test-${worlds++}`
const SEND = { signal: undefined, retries: undefined, mandatory: false }
const CALL = { ...SEND, timeoutMs: 1000, monitorTimeoutMs: undefined }
const to = (topic: string) => ({ exchange: 'e', topic, server: undefined, fanout: false })
const requestOf = (n: number) => ({ message: { method: 'm', args: { n } }, context: {}, headers: {} })
const numberOf = ({ message }: IncomingRequest): unknown => (message['args'] as { n: unknown }).n

async function serve(transport: Transport, topic: string, backlog = 1000): Promise<IncomingRequest[]> {
  const requests: IncomingRequest[] = []
  const onRequest = (request: IncomingRequest): void => void requests.push(request)
  await transport.driver.serve({ exchange: 'e', topic, server: 's' }, { backlog, onRequest })
  return requests
}

describe('the worlds of the fake driver', () => {
  it('are one for all transports of a URL, and another one for each other URL', async () => {
    const url = ownUrl()
    const urls = [url, `${url}/`, `${url}/vh`, `${url}:1`, 'fake://', 'fake:///vh']
    const servers = await Promise.all(urls.map((each) => serve(open(each), 'worlds')))
    for (const [n, each] of urls.entries()) {
      await open(each).driver.cast(to('worlds'), requestOf(n), { ...SEND, mandatory: true })
    }
    await settled()
    // The first two are one, so that its servers take turns.
    expect(servers.map((requests) => requests.map(numberOf))).toEqual([[0], [1], [2], [3], [4], [5]])
  })

  it('keep what nobody takes for whoever comes later', async () => {
    const url = ownUrl()
    const early = open(url)
    await early.driver.cast(to('t'), requestOf(7), SEND)
    await early.close()
    const requests = await serve(open(url), 't')
    await settled()
    expect(requests.map(numberOf)).toEqual([7])
  })

  it('give up the oldest message of a full queue, and count it', async () => {
    const url = ownUrl()
    const client = open(url, { queueLimit: 3 })
    for (const n of [0, 1, 2, 3, 4]) await client.driver.cast(to('t'), requestOf(n), SEND)
    const requests = await serve(open(url), 't')
    await settled()
    expect(requests.map(numberOf)).toEqual([2, 3, 4])
    expect(client.stats()).toMatchObject({ sent: 5, dropped: 2 })
  })

  it('hand over no request whose caller has stopped waiting', async () => {
    const url = ownUrl()
    const calling = open(url).driver.call(to('t'), requestOf(1), CALL)
    const outcome = calling.catch((error: unknown) => (error as { readonly code: string }).code)
    await clock.pass(1000)
    expect(await outcome).toBe('E_TIMEOUT')
    await open(url).driver.cast(to('t'), requestOf(2), SEND)
    const requests = await serve(open(url), 't')
    await settled()
    expect(requests.map(numberOf)).toEqual([2])
    expect(clock.armed).toBe(0)
  })
})

describe('the fake driver', () => {
  it('counts a reply whose caller has closed as lost, and one whose caller gave up as unexpected', async () => {
    const url = ownUrl()
    const [server, leaving, impatient] = [open(url), open(url), open(url)]
    const requests = await serve(server, 't')
    const left = leaving.driver.call(to('t'), requestOf(1), CALL).catch((error: unknown) => error)
    const controller = new AbortController()
    const { signal } = controller
    const options = { ...CALL, signal }
    const given = impatient.driver.call(to('t'), requestOf(2), options).catch((error: unknown) => error)
    await settled()
    await leaving.close()
    controller.abort('enough')
    expect(await Promise.all([left, given])).toEqual([
      expect.objectContaining({ code: 'E_CONN_CLOSED' }),
      'enough',
    ])
    for (const request of requests) {
      request.accept()
      await request.reply({ result: null })
      expect(await request.heartbeat()).toBe(false)
    }
    expect(server.stats()).toMatchObject({ lostReplies: 1, unexpectedReplies: 0 })
    expect(impatient.stats()).toMatchObject({ lostReplies: 0, unexpectedReplies: 1 })
  })

  it('refuses what nests deeper than readers allow, reports it, and goes on', async () => {
    const url = ownUrl()
    const server = open(url)
    const refusals: string[] = []
    server.on('refused', ({ source, reason }) => refusals.push(`${source}: ${reason}`))
    const requests = await serve(server, 't', 1)
    const deep = JSON.parse('['.repeat(100) + ']'.repeat(100)) as []
    const client = open(url)
    await client.driver.cast(
      to('t'),
      { message: { method: 'm', args: { deep } }, context: {}, headers: {} },
      SEND,
    )
    await client.driver.cast(to('t'), requestOf(1), SEND)
    await settled()
    expect(requests.map(numberOf)).toEqual([1])
    expect(refusals).toEqual([expect.stringContaining('nested deeper than 64 levels')])
    expect(server.stats()).toMatchObject({ refused: 1, received: 1 })
  })

  it('refuses what is no notification', async () => {
    const url = ownUrl()
    const listener = open(url)
    const received: IncomingNotification[] = []
    const source = { exchange: 'e', topic: 't', priority: 'info' } as const
    await listener.driver.listen([source], {
      pool: undefined,
      backlog: 1,
      onNotification: (notification) => received.push(notification),
    })
    const options = { signal: undefined, timeoutMs: undefined, retries: undefined, envelope: '2.0' } as const
    await open(url).driver.notify(source, { message: { payload: 1 }, context: {}, headers: {} }, options)
    await open(url).driver.notify(
      source,
      { message: { event_type: 'a.b' }, context: {}, headers: {} },
      options,
    )
    await settled()
    expect(received.map(({ notification }) => notification.eventType)).toEqual(['a.b'])
    expect(listener.stats()).toMatchObject({ refused: 1 })
  })

  it('hands over only as much as the backlog when requests are given back at once', async () => {
    const url = ownUrl()
    let handed = 0
    const subscription = await open(url).driver.serve(
      { exchange: 'e', topic: 't', server: 's' },
      {
        backlog: 1,
        onRequest: (request) => {
          handed++
          if (handed < 5) request.release()
        },
      },
    )
    await open(url).driver.cast(to('t'), requestOf(1), SEND)
    await settled()
    expect(handed).toBe(5)
    await subscription.close()
  })

  it.each<[FakeOptions, string]>([
    [{ queueLimit: 0 }, "'queueLimit' of the fake driver is 0"],
    [{ copies: 1.5 }, "'copies' of the fake driver is 1.5"],
    [{ copies: Number.NaN }, "'copies' of the fake driver is NaN"],
  ])('refuses %j', (options, problem) => {
    expect(() => fake(options)).toThrow(ConfigurationError)
    expect(() => fake(options)).toThrow(problem)
  })

  it('refuses options of the URL', () => {
    expect(() => open('fake://host/?a=1&b=2')).toThrow(
      "the fake driver has no option 'a'; the fake driver has no option 'b'",
    )
  })
})
