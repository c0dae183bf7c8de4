import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Connection } from '@hermod/amqp'
import { findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_SUITE, RSS_MESSAGES, SHOWS_FIGURES } from './fault-settings.ts'

const gate = needs(findBroker('administer'))
const MIB = 1024 * 1024
const PROGRAM = fileURLToPath(new URL('programs/slow-consumer.mjs', import.meta.url))

interface Stage {
  readonly consumed: number
  readonly rssBytes: number
  /** In use, with what lies outside of the heap. */
  readonly heapBytes: number
}

describe.skipIf(gate.skip)(`the memory of the AMQP client${gate.note}`, FAULT_SUITE, () => {
  let broker: BrokerFixture
  beforeAll(async () => {
    broker = await startBroker()
    await using connection = await Connection.connect(broker.url)
    await (await connection.openChannel()).declareQueue('slow')
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('does not grow with the messages that went through, however slow their consumer is', async () => {
    const args = ['--expose-gc', PROGRAM, broker.url, 'slow', `${RSS_MESSAGES}`]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const stages = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Stage)
    if (SHOWS_FIGURES) console.log(stdout)
    const [early, late] = stages as [Stage, Stage]
    expect(late.consumed).toBe(RSS_MESSAGES)
    expect(late.consumed).toBeGreaterThan(1.5 * early.consumed)
    expect(late.rssBytes).toBeLessThanOrEqual(early.rssBytes + 32 * MIB)
    expect(late.heapBytes).toBeLessThanOrEqual(early.heapBytes + 4 * MIB)
  })
})
