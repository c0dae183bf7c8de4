import { rabbit } from '@hermod/driver-rabbit'
import { createTransport, type Transport } from '@hermod/messaging'
import { startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll } from 'vitest'

/** What the tests of messaging under faults have in common: a broker, and what ends with each of them. */
export class OsloStage {
  #broker: BrokerFixture | undefined
  #topics = 0
  readonly #closing: AsyncDisposable[] = []

  /** To be called where the tests are described. */
  use(): void {
    beforeAll(async () => {
      this.#broker = await startBroker()
    })
    afterEach(async () => {
      for (const one of this.#closing.splice(0).toReversed()) await one[Symbol.asyncDispose]()
    })
    afterAll(() => this.#broker?.[Symbol.asyncDispose]())
  }

  get broker(): BrokerFixture {
    if (this.#broker === undefined) throw new Error('the broker starts with the first test')
    return this.#broker
  }

  /** A topic that no other test has. */
  newTopic(): string {
    return `topic-${this.#topics++}`
  }

  /** What ends when the test does, the last one first. */
  ending(...ends: readonly AsyncDisposable[]): void {
    this.#closing.push(...ends)
  }

  transportAt(url: string): Transport {
    const drivers = [
      rabbit({ options: { durableQueues: true, retryIntervalMs: 100, retryIntervalMaxMs: 500 } }),
    ]
    const transport = createTransport(url.replace('amqp:', 'rabbit:'), { drivers })
    this.ending(transport)
    return transport
  }
}
