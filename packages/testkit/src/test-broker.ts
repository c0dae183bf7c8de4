/**
 * A broker for tests that have nothing else of Hermod: loaded as `@hermod/testkit/test-broker`, it brings no process, no
 * proxy and no runner along.
 *
 * @packageDocumentation
 */
import { createBroker, type Broker, type BrokerOptions, type ListenOptions } from '@hermod/broker'

/** How a {@link TestBroker} is: as `createBroker` takes it, and where it listens. */
export interface TestBrokerOptions extends BrokerOptions {
  /** Default: a free port of 127.0.0.1, without TLS. */
  readonly listen?: ListenOptions | undefined
}

/** An AMQP 0-9-1 broker of a test, in the process of the test. */
export interface TestBroker {
  /** For any client: with a user that may connect, and with the first virtual host. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** To look into it, and to put faults on it. */
  readonly broker: Broker
}

/** A {@link TestBroker} that runs. */
export interface RunningTestBroker extends TestBroker, AsyncDisposable {
  /** Ends it with everything that it holds; resolves once its port is free. */
  close(): Promise<void>
}

/** Where a runner takes what is to be done before tests and after them: its `beforeAll` or `beforeEach`, and the like. */
export interface TestHooks {
  readonly before: (start: () => Promise<void>) => unknown
  readonly after: (end: () => Promise<void>) => unknown
}

/**
 * Starts a broker on a free port of loopback; a few milliseconds.
 *
 * @throws {ConfigurationError} E_CONFIG naming every option that cannot be used.
 */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<RunningTestBroker> {
  const { listen, ...settings } = options
  const broker = createBroker(settings)
  try {
    const listening = await broker.listen(listen)
    const { host, port } = listening
    const close = (): Promise<void> => broker.close()
    return { url: urlOf(listening.url, options), host, port, broker, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await broker.close()
    throw error
  }
}

/**
 * A broker from before the tests to after them, for any runner.
 *
 * @example
 * const server = useTestBroker({ before: beforeAll, after: afterAll }) // of vitest and Jest
 * const server = useTestBroker({ before, after }) // of node:test
 * const server = useTestBroker({ before: beforeEach, after: afterEach }) // a new one for every test
 */
export function useTestBroker({ before, after }: TestHooks, options: TestBrokerOptions = {}): TestBroker {
  let current: RunningTestBroker | undefined
  const running = (): RunningTestBroker => {
    if (current === undefined) throw new TypeError('the broker runs in tests alone, and not before them')
    return current
  }
  before(async () => {
    current = await startTestBroker(options)
  })
  after(async () => {
    const ending = current
    current = undefined
    await ending?.close()
  })
  return {
    get url() {
      return running().url
    },
    get host() {
      return running().host
    },
    get port() {
      return running().port
    },
    get broker() {
      return running().broker
    },
  }
}

function urlOf(base: string, { users, virtualHosts }: TestBrokerOptions): string {
  const url = new URL(base)
  const [user] = users ?? []
  if (user !== undefined) {
    url.username = encodeURIComponent(user.name)
    url.password = encodeURIComponent(user.password)
  }
  // `/` is written out: clients do not agree on what an empty path is.
  url.pathname = `/${encodeURIComponent(user?.virtualHosts?.[0] ?? virtualHosts?.[0] ?? '/')}`
  return url.href
}
