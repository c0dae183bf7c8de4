import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { main } from '../src/command.ts'

const loaded = vi.hoisted(() => ({ cli: 0, argv: [] as readonly string[], version: '' }))

vi.mock('@hermod/cli', () => {
  loaded.cli++
  return {
    processIo: (version: string) => ({ version }),
    run: (argv: readonly string[], io: { readonly version: string }) => {
      Object.assign(loaded, { argv, version: io.version })
      return Promise.resolve(5)
    },
  }
})

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Runs the command line; gives what it wrote and its exit status. */
async function ran(...argv: string[]): Promise<{ written: string; code: unknown }> {
  const before = process.argv
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
  try {
    process.argv = ['node', 'hermod', ...argv]
    await main()
    return { written: write.mock.calls.flat().join(''), code: exit.mock.calls[0]?.[0] }
  } finally {
    process.argv = before
  }
}

describe('main', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each(['--version', '-V'])('tells the version for %s and loads nothing', async (flag) => {
    expect(await ran(flag)).toEqual({ written: `${version}\n`, code: undefined })
    expect(loaded.cli).toBe(0)
  })

  it('hands everything else to the commands and ends with their status', async () => {
    expect(await ran('listen', '-n', '1')).toEqual({ written: '', code: 5 })
    expect(loaded).toEqual({ cli: 1, argv: ['listen', '-n', '1'], version })
  })
})
