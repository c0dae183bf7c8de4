import { rabbit } from '@hermod/driver-rabbit'
import {
  createNotificationListener,
  createNotifier,
  createRpcClient,
  createRpcServer,
  createTransport,
  type NotificationListener,
  type RpcClient,
  type Transport,
} from '@hermod/messaging'
import { NoteCount } from './note-count.ts'
import type { BenchMethods, NotificationSession, OsloContestant, RpcSession } from './oslo-contestant.ts'

class HermodRpcSession implements RpcSession {
  readonly #transport: Transport
  readonly #client: RpcClient<BenchMethods>

  constructor(transport: Transport, topic: string) {
    this.#transport = transport
    this.#client = createRpcClient<BenchMethods>(transport, { topic })
  }

  echo(text: string): Promise<string> {
    return this.#client.call('echo', { text })
  }

  note(text: string): Promise<void> {
    return this.#client.cast('note', { text })
  }

  async noted(count: number): Promise<void> {
    await this.#client.call('noted', { count })
  }

  close(): Promise<void> {
    return this.#transport.close()
  }
}

class HermodNotificationSession implements NotificationSession {
  readonly #transport: Transport
  readonly #listeners: NotificationListener[] = []

  constructor(transport: Transport) {
    this.#transport = transport
  }

  notifier(topic: string): (payload: object) => Promise<void> {
    const notifier = createNotifier(this.#transport, { publisherId: 'bench', topics: [topic] })
    return (payload) => notifier.info('bench.event', payload)
  }

  async listen(topic: string, count: number, onPayload: (payload: unknown) => void): Promise<void> {
    let left = count
    let resolve!: () => void
    const handled = new Promise<void>((settle) => (resolve = settle))
    const listener = createNotificationListener(this.#transport, {
      topics: [topic],
      endpoints: [
        {
          info: ({ payload }) => {
            onPayload(payload)
            if (--left === 0) resolve()
          },
        },
      ],
    })
    this.#listeners.push(listener)
    await listener.start()
    await handled
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) await listener.stop()
    await this.#transport.close()
  }
}

/** Everything at its default: envelope, confirms and mandatory replies as oslo.messaging has them. */
export const contestant: OsloContestant = {
  async serve(url, topic) {
    const transport = transportTo(url)
    const notes = new NoteCount()
    const endpoint: BenchMethods = {
      echo: ({ text }) => text,
      note: () => notes.add(),
      noted: ({ count }) => notes.reached(count),
    }
    const server = createRpcServer(transport, { topic, server: 'bench' }, { endpoints: [endpoint] })
    await server.start()
    return {
      async [Symbol.asyncDispose]() {
        await server.stop()
        await transport.close()
      },
    }
  },
  async connect(url, topic) {
    return new HermodRpcSession(transportTo(url), topic)
  },
  connectNotifications: (url) => new HermodNotificationSession(transportTo(url)),
}

function transportTo(url: string): Transport {
  return createTransport(url.replace('amqp:', 'rabbit:'), { drivers: [rabbit()] })
}
