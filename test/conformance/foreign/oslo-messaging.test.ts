import { createBroker } from '@hermod/broker'
import { findPython, needs } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { EXCLUSIONS } from './exclusions.ts'
import { count, FOREIGN_PYTHON, leftOut, runForeign, surprises } from './foreign-suite.ts'

const TIMEOUT_MS = 300_000

/** Most of their time tests wait for nothing to come. */
const AT_ONCE = 10

/** It counts what has come within two seconds, so it has the machine for itself, and a second try. */
const IN_A_HURRY = ['test_functional.NotifyTestCase.test_simple_batch']

const MODULES = ['oslo_messaging', 'oslotest', 'testscenarios', 'requests']

/** Releases, and how their driver declares queues. 14.0.3 knows no streams. */
const MODES = [
  { release: '14.0.3', mode: 'default', python: '/usr/bin/python3', options: {} },
  { release: '14.0.3', mode: 'quorum', python: '/usr/bin/python3', options: { rabbit_quorum_queue: true } },
  {
    release: '18.3.1',
    mode: 'quorum and stream',
    python: FOREIGN_PYTHON,
    options: {
      rabbit_quorum_queue: true,
      rabbit_transient_quorum_queue: true,
      rabbit_stream_fanout: true,
      // Streams want a limit; a lower one than the batches that a test counts makes these smaller.
      rabbit_qos_prefetch_count: 200,
    },
  },
].map((run) => ({ ...run, gate: needs(findPython(MODULES, run.python)) }))

describe("oslo.messaging's functional tests", () => {
  for (const { release, mode, python, options, gate } of MODES) {
    it.skipIf(gate.skip)(
      `of ${release} pass in ${mode} mode${gate.note}`,
      async () => {
        const exclusions = EXCLUSIONS['oslo.messaging']
        await using broker = createBroker()
        const { url } = await broker.listen()
        const config = {
          url: `${url.replace('amqp:', 'rabbit:')}/`,
          options,
          atOnce: AT_ONCE,
          alone: IN_A_HURRY,
          tries: 3,
          leftOut: leftOut(exclusions),
        }
        const outcomes = await runForeign({
          python,
          runner: 'run_oslo_functional',
          args: [JSON.stringify(config)],
          timeoutMs: TIMEOUT_MS - 10_000,
        })
        expect(surprises(outcomes, exclusions)).toEqual([])
        expect(count(outcomes)).toBe('30 of 30 passed')
      },
      TIMEOUT_MS,
    )
  }
})
