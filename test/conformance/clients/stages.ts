import { createBroker } from '@hermod/broker'
import { findRabbitMq, needs, startRabbitMq } from '@hermod/testkit'
import { connect } from 'amqplib'
import { expect } from 'vitest'
import type { Pressure } from './blocked-scenario.ts'

/** A broker that clients play on, and what blocks its publishers. */
export interface Stage {
  readonly url: string
  readonly pressure: Pressure
  close(): Promise<void>
}

/** Room for so much on the broker whose limit the clients themselves reach. */
const LITTLE_MEMORY_BYTES = 128 * 1024

const alarm = (set: (on: boolean) => Promise<void>): Pressure => ({
  begin: () => set(true),
  end: async () => {
    await set(false)
    return 0
  },
})

/** RabbitMQ too, so that what clients are expected to see is what they see there. */
export const STAGES = [
  {
    name: 'the broker',
    gate: needs(),
    start: async (): Promise<Stage> => {
      const broker = createBroker()
      const { url } = await broker.listen()
      const pressure = alarm(async (on) => broker.setAlarm('memory', on))
      return { url: `${url}/%2F`, pressure, close: () => broker.close() }
    },
  },
  {
    name: 'a broker with little memory',
    gate: needs(),
    start: async (): Promise<Stage> => {
      const broker = createBroker({ memoryLimitBytes: LITTLE_MEMORY_BYTES })
      const url = `${(await broker.listen()).url}/%2F`
      const end = async (queue: string): Promise<number> => {
        expect(broker.stats().alarms).toEqual(['memory'])
        expect(broker.stats().memoryBytes).toBeGreaterThan(LITTLE_MEMORY_BYTES)
        const connection = await connect(url)
        const { messageCount } = await (await connection.createChannel()).purgeQueue(queue)
        await connection.close()
        return messageCount
      }
      return { url, pressure: { begin: async () => {}, end }, close: () => broker.close() }
    },
  },
  {
    name: 'RabbitMQ',
    gate: needs(findRabbitMq()),
    start: async (): Promise<Stage> => {
      const broker = await startRabbitMq()
      const pressure = alarm((on) => broker.setAlarm('memory', on))
      return { url: broker.url, pressure, close: async () => broker[Symbol.asyncDispose]() }
    },
  },
] as const
