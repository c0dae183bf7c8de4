import { connect as connectSocket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Broker } from '@hermod/broker'
import { FrameClient } from '../../packages/broker/test/frame-client.ts'
import { CLOSE } from '../../packages/broker/test/session/session-fixture.ts'
import { ModelChannel } from './broker-model-channel.ts'

/** Answers a question on each connection, so that everything before was said. */
export const FENCE = 2000

interface Connection {
  readonly client: FrameClient
  readonly channels: Map<number, ModelChannel>
}

/** The connections of a case: who says something is told everything that comes of it, and so are the others. */
export class ModelWire {
  readonly #broker: Broker
  readonly #sockets: readonly boolean[]
  readonly #connections: (Connection | undefined)[] = []
  #port: number | undefined

  /** @param sockets for each connection: whether it is a socket. */
  constructor(broker: Broker, sockets: readonly boolean[]) {
    this.#broker = broker
    this.#sockets = sockets
  }

  async listen(): Promise<void> {
    if (this.#sockets.includes(true)) this.#port = (await this.#broker.listen()).port
  }

  /** The numbers of those that are open. */
  get numbers(): readonly number[] {
    return [...this.#connections.keys()].filter((number) => this.#connections[number] !== undefined)
  }

  /** The openings of channels of a connection, the last one of each. */
  channelsOf(number: number): readonly ModelChannel[] {
    return [...(this.#connections[number]?.channels.values() ?? [])]
  }

  /** A connection, which is opened where it is not open. */
  async client(number: number): Promise<FrameClient> {
    const known = this.#connections[number]
    if (known !== undefined) return known.client
    const port = this.#sockets[number] === true ? this.#port : undefined
    const stream =
      port === undefined ? this.#broker.connect() : connectSocket({ port, host: '127.0.0.1', noDelay: true })
    // One of them gets larger messages in several frames.
    const client = await new FrameClient(stream).open({ frameMax: number === 1 ? 8192 : 131_072 })
    await client.call(FENCE, 'channel.open', {})
    this.#connections[number] = { client, channels: new Map<number, ModelChannel>() }
    return client
  }

  /** A channel, which is opened where it is not open. */
  async channel(connection: number, number: number): Promise<ModelChannel> {
    const client = await this.client(connection)
    const channels = (this.#connections[connection] as Connection).channels
    const known = channels.get(number)
    if (known?.open === true) return known
    client.send(number, 'channel.open', {})
    const channel = new ModelChannel(connection, number)
    channels.delete(number)
    channels.set(number, channel)
    await this.hear(connection)
    const opened = channel.replies.shift()
    if (opened?.name !== 'channel.open-ok') throw new Error(`${channel.label} did not open`)
    return channel
  }

  /** Sorts everything that a connection was told; the code that the broker has closed it with. */
  async hear(number: number): Promise<number | undefined> {
    const { client, channels } = this.#connections[number] as Connection
    client.send(FENCE, 'channel.flow', { active: true })
    for (;;) {
      const frame = await client.next()
      if (frame === 'end') throw new Error(`the broker has hung up on ${number}`)
      if (frame.channel === FENCE) return undefined
      if (frame.name === 'connection.close') {
        client.send(0, 'connection.close-ok', {})
        return frame.args['replyCode'] as number
      }
      const channel = channels.get(frame.channel)
      if (channel === undefined)
        throw new Error(`${frame.name} on ${number}.${frame.channel}, which never was`)
      channel.observe(frame)
      if (frame.name === 'channel.close') client.send(frame.channel, 'channel.close-ok', {})
    }
  }

  /** Sorts everything that all of them were told. @throws where the broker has closed one. */
  async hearAll(): Promise<void> {
    for (const number of this.numbers) {
      const code = await this.hear(number)
      if (code !== undefined) throw new Error(`the broker has closed ${number} with ${code}`)
    }
  }

  /** Ends a connection, and resolves when the broker knows. */
  async hangUp(number: number, how: 'drop' | 'close'): Promise<void> {
    const client = await this.client(number)
    this.#connections[number] = undefined
    if (how === 'close') {
      client.send(0, 'connection.close', CLOSE)
      for (let frame = await client.next(); frame !== 'end'; frame = await client.next())
        if (frame.name === 'connection.close-ok') break
    }
    client.stream.destroy()
    while (this.#broker.connections().length > this.numbers.length) await nextTurn()
    await this.hearAll()
  }
}
