import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findPython, needs, type SuiteGate } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blockAmqplib } from './amqplib-blocked.ts'
import { playAmqplib } from './amqplib.ts'
import { EXPECTED_IF_BLOCKED, type BlockedPlay } from './blocked-scenario.ts'
import { blockCloudamqp } from './cloudamqp-blocked.ts'
import { playCloudamqp } from './cloudamqp.ts'
import { blockPython } from './python-blocked.ts'
import { blockRabbitmqClient } from './rabbitmq-client-blocked.ts'
import { playRabbitmqClient } from './rabbitmq-client.ts'
import { EXPECTED, type Seen } from './scenario.ts'
import { STAGES, type Stage } from './stages.ts'

const run = promisify(execFile)

/** Plays it with a Python library. */
const playPython =
  (library: string) =>
  async (url: string): Promise<Seen> => {
    const program = fileURLToPath(new URL(`../peers/${library}_scenario.py`, import.meta.url))
    const { stdout } = await run('/usr/bin/python3', [program, url], { timeout: 60_000 })
    return JSON.parse(stdout) as Seen
  }

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

/** py-amqp does not read the reason, and gives one of its own. */
const WITHOUT_REASON = ['blocked: connection blocked, see broker logs', ...EXPECTED_IF_BLOCKED.slice(1)]

interface Client {
  readonly name: string
  readonly gate: SuiteGate
  readonly play: (url: string) => Promise<Seen>
  readonly block: BlockedPlay
  readonly toldWhenBlocked?: readonly string[]
}

const CLIENTS: readonly Client[] = [
  { name: 'amqplib', play: playAmqplib, block: blockAmqplib, gate: here },
  { name: 'rabbitmq-client', play: playRabbitmqClient, block: blockRabbitmqClient, gate: here },
  { name: '@cloudamqp/amqp-client', play: playCloudamqp, block: blockCloudamqp, gate: here },
  {
    name: 'pika',
    play: playPython('pika'),
    block: blockPython('pika'),
    gate: needs(findPython(['pika'])),
  },
  {
    name: 'kombu',
    play: playPython('kombu'),
    block: blockPython('kombu'),
    gate: needs(findPython(['kombu'])),
    toldWhenBlocked: WITHOUT_REASON,
  },
]

for (const { name, gate, start } of STAGES) {
  describe.skipIf(gate.skip)(`${name} serves${gate.note}`, () => {
    let stage: Stage
    beforeAll(async () => {
      stage = await start()
    })
    afterAll(() => stage?.close())

    for (const client of CLIENTS)
      it.skipIf(client.gate.skip)(`${client.name}${client.gate.note}`, async () => {
        expect(await client.play(stage.url)).toEqual(EXPECTED)
      })

    for (const { name: library, block, gate: there, toldWhenBlocked = EXPECTED_IF_BLOCKED } of CLIENTS)
      it.skipIf(there.skip)(`${library}, blocked while it publishes${there.note}`, async () => {
        expect(await block(stage.url, stage.pressure)).toEqual(toldWhenBlocked)
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
