import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { ExampleProgram } from './example-program.ts'

const gate = needs(findBroker('inspect'), findPython(['oslo_messaging']))
const INSTANCE = { instance_id: '178b0921-8f85-4257-88b6-2e743b5a975c', display_name: 'web-1' }
const PORT = { port: { id: '9a1f3c1f-8ad1-4cd4-b0de-5b9bd0f56c3a', project_id: 'p-1' } }
const lines = (program: ExampleProgram): readonly string[] => program.stdout.trimEnd().split('\n')

describe.skipIf(gate.skip)(`the examples with a tap${gate.note}`, () => {
  let broker: BrokerFixture
  let oslo: PythonPeer
  beforeAll(async () => {
    broker = await startBroker()
    oslo = startPeer('oslo_notify')
    await emitBoth() // the exchanges are there before the taps
  })
  afterAll(async () => {
    await oslo?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  const emitBoth = async (): Promise<void> => {
    const nova = { exchange: 'nova', event_type: 'compute.instance.create.end', payload: INSTANCE }
    const neutron = { exchange: 'neutron', event_type: 'port.create.end', payload: PORT }
    for (const command of [nova, neutron]) await oslo.ask({ url: broker.url, ...command })
  }
  const taps = async (): Promise<number> =>
    (await broker.queues()).filter(({ name, consumers }) => name.startsWith('hermod.tap.') && consumers === 1)
      .length

  it('iterate over events', async () => {
    {
      await using program = new ExampleProgram('tap', broker.url)
      await program.until(async () => (await taps()) === 1)
      await emitBoth()
      await program.until(() => lines(program).length === 2)
      const time = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z /
      expect(lines(program).map((line) => line.replace(time, ''))).toEqual([
        `nova compute.instance.create.end ${INSTANCE.instance_id}`,
        `neutron port.create.end ${PORT.port.id}`,
      ])
      expect(lines(program).every((line) => time.test(line))).toBe(true)
    }
    await eventually(async () => (await taps()) === 0)
  })

  it('handle events by their type', async () => {
    await using program = new ExampleProgram('handlers', broker.url)
    await program.until(async () => (await taps()) === 1)
    await emitBoth()
    await program.until(() => lines(program).length === 2)
    expect(lines(program)).toEqual(['instance web-1 end', `port ${PORT.port.id} of project p-1`])
  })
})
