import { createBroker } from '@hermod/broker'
import { findPython, needs } from '@hermod/testkit'
import { expect, it } from 'vitest'
import { EXCLUSIONS } from './exclusions.ts'
import { count, FOREIGN, FOREIGN_PYTHON, leftOut, runForeign, surprises } from './foreign-suite.ts'

const TIMEOUT_MS = 240_000
const gate = needs(findPython(['kombu', 'pytest'], FOREIGN_PYTHON))

it.skipIf(gate.skip)(
  `kombu 5.7.0's integration tests of its AMQP transport pass${gate.note}`,
  async () => {
    const exclusions = EXCLUSIONS.kombu
    await using broker = createBroker()
    const { port } = await broker.listen()
    const outcomes = await runForeign({
      python: FOREIGN_PYTHON,
      runner: 'run_pytest',
      args: [JSON.stringify(leftOut(exclusions)), 't/integration/test_py_amqp.py'],
      folder: `${FOREIGN}/kombu`,
      environment: { RABBITMQ_HOST: '127.0.0.1', RABBITMQ_5672_TCP: String(port) },
      timeoutMs: TIMEOUT_MS - 10_000,
    })
    expect(surprises(outcomes, exclusions)).toEqual([])
    expect(count(outcomes)).toBe('51 of 51 passed')
  },
  TIMEOUT_MS,
)
