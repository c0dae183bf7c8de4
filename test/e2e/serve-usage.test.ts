import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runHermod } from './running-command.ts'

/** Nobody listens there: what gets so far ends with status 4. */
const NOWHERE = { url: 'amqp://u:hunter2@127.0.0.1:1/' }

describe('hermod serve without a broker', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hermod-serve-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('runs handlers in TypeScript where Node does, and says so where not', async () => {
    const path = join(folder, 'handlers.ts')
    writeFileSync(path, 'export const add = ({ a, b }: { a: number; b: number }): number => a + b\n')
    const { code, stderr } = await runHermod(['serve', '--topic', 'demo', path], NOWHERE)
    const runsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript)
    expect(code).toBe(runsTypeScript ? 4 : 3)
    expect(stderr.includes('Node 22.18 or later')).toBe(!runsTypeScript)
    expect(stderr).not.toContain('hunter2')
  })

  it('leaves flags behind the program to the program', async () => {
    const { code, stderr } = await runHermod(
      ['serve', '--topic', 'demo', '--exec', '/bin/cat', '--url', 'amqp://other/', '--no-such-flag'],
      NOWHERE,
    )
    expect(code).toBe(4)
    expect(stderr).toContain('127.0.0.1:1')
  })
})
