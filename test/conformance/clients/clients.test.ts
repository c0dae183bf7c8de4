import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBroker } from '@hermod/broker'
import { findPython, findRabbitMq, needs, startRabbitMq } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { playAmqplib } from './amqplib.ts'
import { playCloudamqp } from './cloudamqp.ts'
import { playRabbitmqClient } from './rabbitmq-client.ts'
import { EXPECTED, type Seen } from './scenario.ts'

const run = promisify(execFile)

/** Plays it with a Python library. */
const playPython =
  (library: string) =>
  async (url: string): Promise<Seen> => {
    const program = fileURLToPath(new URL(`../peers/${library}_scenario.py`, import.meta.url))
    const { stdout } = await run('/usr/bin/python3', [program, url], { timeout: 60_000 })
    return JSON.parse(stdout) as Seen
  }

const { transactions: _, ...withoutTransactions } = EXPECTED
const here = needs()
const tools = needs(
  existsSync('/usr/bin/amqp-publish')
    ? { available: true }
    : {
        available: false,
        reason: 'amqp-tools is missing (scripts/setup-services installs it)',
        excused: false,
      },
)

const CLIENTS = [
  { name: 'amqplib', play: playAmqplib, sees: withoutTransactions, gate: here },
  { name: 'rabbitmq-client', play: playRabbitmqClient, sees: withoutTransactions, gate: here },
  { name: '@cloudamqp/amqp-client', play: playCloudamqp, sees: EXPECTED, gate: here },
  { name: 'pika', play: playPython('pika'), sees: EXPECTED, gate: needs(findPython(['pika'])) },
  { name: 'kombu', play: playPython('kombu'), sees: EXPECTED, gate: needs(findPython(['kombu'])) },
] as const

/** A broker that the scenario is played to. */
interface Stage {
  readonly url: string
  close(): Promise<void>
}

/** RabbitMQ too, so that what clients are expected to see is what they see there. */
const BROKERS = [
  {
    name: 'the broker',
    gate: here,
    start: async (): Promise<Stage> => {
      const broker = createBroker()
      const { url } = await broker.listen()
      return { url: `${url}/%2F`, close: () => broker.close() }
    },
  },
  {
    name: 'RabbitMQ',
    gate: needs(findRabbitMq()),
    start: async (): Promise<Stage> => {
      const broker = await startRabbitMq()
      return { url: broker.url, close: async () => broker[Symbol.asyncDispose]() }
    },
  },
] as const

for (const { name, gate, start } of BROKERS) {
  describe.skipIf(gate.skip)(`${name} serves${gate.note}`, () => {
    let stage: Stage
    beforeAll(async () => {
      stage = await start()
    })
    afterAll(() => stage?.close())

    for (const client of CLIENTS)
      it.skipIf(client.gate.skip)(`${client.name}${client.gate.note}`, async () => {
        expect(await client.play(stage.url)).toEqual(client.sees)
      })

    it.skipIf(tools.skip)(`the tools of librabbitmq${tools.note}`, async () => {
      const tool = async (command: string, ...args: string[]): Promise<string> =>
        (await run(command, ['-u', stage.url, ...args], { timeout: 30_000 })).stdout
      expect(await tool('amqp-declare-queue', '-q', 'scenario-tools')).toBe('scenario-tools\n')
      await tool('amqp-publish', '-r', 'scenario-tools', '-b', 'one')
      await tool('amqp-publish', '-r', 'scenario-tools', '-p', '-b', 'two')
      expect(await tool('amqp-get', '-q', 'scenario-tools')).toBe('one')
      expect(await tool('amqp-consume', '-q', 'scenario-tools', '-c', '1', 'cat')).toBe('two')
      await expect(tool('amqp-get', '-q', 'scenario-tools')).rejects.toMatchObject({ code: 2 })
      expect(await tool('amqp-delete-queue', '-q', 'scenario-tools')).toBe('0\n')
      await expect(tool('amqp-get', '-q', 'scenario-tools')).rejects.toThrow(
        /404.*no queue 'scenario-tools'/s,
      )
    })
  })
}
