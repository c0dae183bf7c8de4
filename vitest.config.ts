import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

const conditions = ['hermod-source', 'node', 'development|production']

/** The suites that a test stands in, and the test. */
function titles(test: TestCase): readonly string[] {
  const names = [test.name]
  for (let suite = test.parent; suite.type === 'suite'; suite = suite.parent) names.unshift(suite.name)
  return names
}

/** The file of tests; that of one which runs on the embedded broker as well says so. */
const fileOf = ({ relativeModuleId, project }: TestModule): string =>
  project.name === 'embedded' ? `embedded: ${relativeModuleId}` : relativeModuleId

/**
 * Ends the run with a plain line for each failure and the one that CI reads, or, where `HERMOD_TEST_REPORT` names a
 * file, writes the same and every test into it, for run-tests.mjs.
 */
const outcome: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    const tests = []
    const failures: string[] = errors.map((error) => error.message)
    for (const module of modules) {
      const file = fileOf(module)
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) {
        counts.failed++
        failures.push(file)
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state]++
        if (state === 'failed') failures.push([file, ...titles(test)].join(' > '))
        tests.push({ file, titles: titles(test), state })
      }
    }
    const sum = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped`
    const closing = [...failures.map((failure) => `failed: ${failure}`), sum].join('\n')
    const report = process.env['HERMOD_TEST_REPORT']
    if (report === undefined) process.on('exit', () => console.log(closing))
    else writeFileSync(report, JSON.stringify({ closing, tests }))
  },
}

const CORES = Math.max(2, availableParallelism())

/** How many files of a project run beside each other; the projects of one share fill each other's gaps. */
interface Share {
  readonly maxWorkers: number
  readonly sequence: { readonly groupOrder: number }
}

/** Of what computes, compares what races, or counts what comes within a time. */
const COMPUTING: Share = { maxWorkers: CORES, sequence: { groupOrder: 0 } }

/** Of what has brokers and peers, and waits for them most of its time. */
const WAITING: Share = { maxWorkers: Math.min(2 * CORES, 8), sequence: { groupOrder: 1 } }

/** A suite that crosses packages, in a folder of its own under test/. */
const crossing = (name: string, testTimeout: number, share: Share) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 120_000, ...share },
})

/**
 * The same suites on the embedded broker, as far as its capabilities allow. Left out is what needs no broker, a cluster, or
 * is about RabbitMQ's nodes themselves.
 */
const onEmbeddedBroker = () => ({
  extends: true as const,
  test: {
    name: 'embedded',
    env: { HERMOD_TEST_BROKER: 'embedded' },
    include: ['test/{interop,fault,e2e}/**/*.test.ts'],
    exclude: [
      'test/{interop,fault}/*-cluster.test.ts',
      'test/interop/{demo,driver-memory,oslo-options,oslo-rpc-retry,testkit-*,wire-*,amqp-tls-failover}.test.ts',
      'test/e2e/{broker-command,demo,rpc-terminal,serve-usage,test-without-rabbitmq}.test.ts',
    ],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    ...WAITING,
  },
})

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  oxc: { target: 'node20' },
  test: {
    pool: 'forks',
    reporters: ['default', outcome],
    // As long as `eventually` takes; its own patience is one second.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['packages/*/test/**/*.test.ts'], testTimeout: 20_000, ...COMPUTING },
      },
      crossing('fuzz', 120_000, COMPUTING),
      crossing('interop', 120_000, WAITING),
      crossing('fault', 180_000, WAITING),
      crossing('e2e', 120_000, WAITING),
      onEmbeddedBroker(),
      crossing('comparison', 120_000, WAITING),
      crossing('conformance', 120_000, COMPUTING),
      crossing('pack', 300_000, COMPUTING),
      crossing('types', 120_000, COMPUTING),
      crossing('docs', 120_000, COMPUTING),
    ],
  },
})
