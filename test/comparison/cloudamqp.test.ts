import { readFileSync } from 'node:fs'
import { AMQPClient, AMQPSession } from '@cloudamqp/amqp-client'
import { Connection, dial, parseAmqpUrl, type Dial } from '@hermod/amqp'
import { sleep, type HermodError } from '@hermod/kernel'
import { eventually, ScriptedBroker, SILENT, startScriptedPeer } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { heapBytes, strayErrors } from '../fuzz/hostile-broker.ts'
import { ChildProgram } from './child-program.ts'
import { documented } from './library.ts'

const LIBRARY = '@cloudamqp/amqp-client'
const QUIET = { debug() {}, info() {}, warn() {}, error() {} }

/** Seconds until the first keep-alive probe of the one connection to a port, as the kernel has it. */
function keepAliveSeconds(remotePort: number): number {
  const end = `:${remotePort.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  const columns = lines.map((line) => line.trim().split(/\s+/)).find((line) => line[2]?.endsWith(end))
  const [timer, ticks] = columns?.[5]?.split(':') ?? []
  if (timer !== '02') throw new RangeError('no keep-alive timer is running')
  return Number.parseInt(ticks as string, 16) / 100
}

describe('beside @cloudamqp/amqp-client', () => {
  it('@cloudamqp/amqp-client keeps 8 KiB for each unconfirmed message, also afterwards; ours under 2 KiB', async () => {
    const COUNT = 4000
    const body = Buffer.from('x')
    const silent = (): ScriptedBroker => {
      const broker = new ScriptedBroker()
      broker.onPublish = () => SILENT
      return broker
    }
    {
      const broker = silent()
      await using server = await broker.listen()
      const client = new AMQPClient(server.url, undefined, QUIET)
      await client.connect()
      const channel = await client.channel()
      await channel.confirmSelect()
      const before = heapBytes()
      const confirmed: Promise<unknown>[] = []
      for (let i = 0; i < COUNT; i++) confirmed.push(channel.basicPublish('', 'queue', body))
      await broker.link.published(COUNT)
      documented(LIBRARY, () => expect((heapBytes() - before) / COUNT).toBeGreaterThan(8192))
      broker.link.confirm(channel.id, COUNT, true)
      await Promise.all(confirmed)
      confirmed.length = 0
      documented(LIBRARY, () => expect((heapBytes() - before) / COUNT).toBeGreaterThan(8192))
      await client.close()
    }
    const broker = silent()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel({ maxUnconfirmed: COUNT })
    const before = heapBytes()
    const confirmed: Promise<void>[] = []
    for (let i = 0; i < COUNT; i++) confirmed.push(channel.publish('', 'queue', body))
    await broker.link.published(COUNT)
    expect(channel.pendingPublishes).toEqual({ unconfirmed: COUNT, waiting: 0 })
    // With what the scripted broker keeps of each message in the same process.
    const perMessage = (heapBytes() - before) / COUNT
    expect(perMessage).toBeLessThan(2048)
    broker.link.confirm(channel.number, COUNT, true)
    await Promise.all(confirmed)
  })

  it('@cloudamqp/amqp-client ends the process when the socket breaks under a write; ours rejects each publish', async () => {
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      broker.on('confirm.select', ({ channel }, link) => {
        link.send(channel, 'confirm.select-ok', {})
        link.stalled = true
        return SILENT
      })
      await using program = new ChildProgram('cloudamqp', server.url, 'publish')
      await program.line('published')
      server.reset()
      const ending = await program.ending()
      documented(LIBRARY, () => expect(ending).toMatchObject({ status: 1, last: 'unhandledRejection' }))
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    const ours = await Connection.connect(server.url, { reconnect: false })
    const channel = await ours.openChannel()
    broker.link.stalled = true
    const body = Buffer.alloc(256 * 1024)
    const codes = new Set<unknown>()
    const stray = await strayErrors(async () => {
      const published = Array.from({ length: 64 }, () => channel.publish('', 'queue', body))
      await eventually(() => channel.pendingPublishes.waiting > 0)
      // Every second one is awaited by nobody.
      const awaited = published.filter((_, i) => i % 2 === 0)
      const settled = awaited.map((one) => one.catch(({ code }: HermodError) => void codes.add(code)))
      server.reset()
      await Promise.all(settled)
      await ours.closed
    })
    expect(stray).toEqual([])
    expect(codes).toEqual(new Set(['E_UNCERTAIN', 'E_CHANNEL_CLOSED']))
    expect(ours.stats().publishesFailed).toBe(64)
  })

  it('@cloudamqp/amqp-client ends the process when a handshake write fails; ours says that the attempt failed', async () => {
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      broker.on('connection.start', () => void setTimeout(() => server.reset(), 100))
      await using program = new ChildProgram('cloudamqp', server.url, 'be busy at the handshake')
      const ending = await program.ending()
      documented(LIBRARY, () => {
        expect(ending).toMatchObject({ status: 1, last: 'unhandledRejection' })
        expect(ending.stderr).toContain(
          "TypeError: Cannot read properties of undefined (reading 'connectPromise')",
        )
      })
    }
    const broker = new ScriptedBroker()
    // The stream takes the protocol header, and no byte after it.
    const failing: Dial = async (address, options) => {
      const stream = await broker.dial(address, options)
      let writes = 0
      const write = stream._write.bind(stream)
      stream._write = (chunk, encoding, done) => {
        if (writes++ === 0) write(chunk, encoding, done)
        else done(new Error('write EPIPE'))
      }
      return stream
    }
    const stray = await strayErrors(async () => {
      await expect(Connection.connect('amqp://broker', { dial: failing })).rejects.toMatchObject({
        code: 'E_CONN',
        phase: 'sasl',
      })
    })
    expect(stray).toEqual([])
  })

  it('@cloudamqp/amqp-client ends the process over a broken frame; ours connects again', async () => {
    const brokenFrame = Buffer.from([1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61, 0])
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      await using program = new ChildProgram('cloudamqp', server.url, 'wait')
      await program.line('connected')
      broker.link.raw(brokenFrame)
      const ending = await program.ending()
      documented(LIBRARY, () => expect(ending).toMatchObject({ status: 1, last: 'uncaughtException' }))
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url, { reconnect: { initialMs: 10 } })
    const lost: string[] = []
    ours.on('lost', ({ error }) => lost.push(error.code))
    const stray = await strayErrors(async () => {
      broker.link.raw(brokenFrame)
      await broker.linked(1)
      await eventually(() => ours.state === 'open')
    })
    expect({ stray, lost }).toEqual({ stray: [], lost: ['E_PROTOCOL'] })
  })

  it.skipIf(process.platform !== 'linux')(
    '@cloudamqp/amqp-client does not probe for a dead peer after the 60 ms that it asks for; ours after 30 s',
    async () => {
      await using peer = await startScriptedPeer((conversation) => conversation.hungUp())
      const client = new AMQPClient(`amqp://127.0.0.1:${peer.port}`, undefined, QUIET)
      client.connect().catch(() => {})
      const theirs = await eventually(() => keepAliveSeconds(peer.port))
      documented(LIBRARY, () => expect(theirs).toBeGreaterThan(30))
      await using another = await startScriptedPeer((conversation) => conversation.hungUp())
      const address = parseAmqpUrl(`amqp://127.0.0.1:${another.port}`)
      const stream = await dial(address, { signal: new AbortController().signal })
      const ours = await eventually(() => keepAliveSeconds(another.port))
      expect(Math.ceil(ours)).toBe(30)
      stream.destroy()
    },
  )

  it('@cloudamqp/amqp-client connects again after a peer fell silent, unlike before 4.1.1; so does ours', async () => {
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      const options = { logger: QUIET, heartbeat: 1, reconnectInterval: 20 }
      const session = await AMQPSession.connect(server.url, options)
      await broker.linked(1)
      await eventually(() => !session.closed)
      await session.stop()
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    const options = { heartbeatMs: 1000, reconnect: { initialMs: 20 } }
    await using ours = await Connection.connect(server.url, options)
    await broker.linked(1)
    await eventually(() => ours.state === 'open')
    expect(ours.stats().reconnects).toBeGreaterThan(0)
  })

  it('@cloudamqp/amqp-client leaves a subscription dead that the broker cancelled; ours consumes again', async () => {
    {
      const broker = new ScriptedBroker()
      await using server = await broker.listen()
      const session = await AMQPSession.connect(server.url, { logger: QUIET })
      const queue = await session.queue('queue')
      const subscription = await queue.subscribe({}, () => {})
      const consumes = broker.link.all('basic.consume')
      broker.link.send(consumes[0]?.channel as number, 'basic.cancel', {
        consumerTag: subscription.consumerTag,
        noWait: true,
      })
      // A request and its answer: the cancel has been read by then.
      await session.queue('another')
      await sleep(1500)
      documented(LIBRARY, () => expect(broker.link.all('basic.consume')).toHaveLength(1))
      await session.stop()
    }
    const broker = new ScriptedBroker()
    await using server = await broker.listen()
    await using ours = await Connection.connect(server.url)
    const channel = await ours.openChannel()
    const cancelled: string[] = []
    ours.on('consumer-cancelled', ({ queue }) => cancelled.push(queue))
    const { consumerTag } = await channel.consume('queue', {}, () => {})
    broker.link.send(channel.number, 'basic.cancel', { consumerTag, noWait: true })
    await broker.link.method('basic.consume', 1)
    expect(cancelled).toEqual(['queue'])
  })
})
