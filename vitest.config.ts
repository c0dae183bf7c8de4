import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'

const conditions = ['hermod-source', 'module', 'node', 'development|production']

/** Ends the run with the one plain line that CI reads. */
const plainLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) counts.failed++
      for (const test of module.children.allTests()) counts[test.result().state]++
    }
    process.on('exit', () => {
      console.log(
        `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped`,
      )
    })
  },
}

/** A suite that crosses packages, in a folder of its own under test/. */
const crossing = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 120_000 },
})

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  oxc: { target: 'node20' },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', plainLine],
    projects: [
      { extends: true, test: { name: 'unit', include: ['packages/*/test/**/*.test.ts'] } },
      crossing('fuzz', 120_000),
      crossing('interop', 120_000),
      crossing('fault', 180_000),
      crossing('e2e', 120_000),
      crossing('comparison', 120_000),
      crossing('pack', 300_000),
      crossing('types', 120_000),
      crossing('docs', 120_000),
    ],
  },
})
