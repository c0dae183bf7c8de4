import { describe, expect, it } from 'vitest'
import { FakeIo } from './fake-io.ts'

async function started(...argv: string[]): Promise<{ code: number; io: FakeIo }> {
  const io = new FakeIo()
  return { code: await (await io.start(...argv)).code, io }
}

describe('hermod', () => {
  it.each(['--version', '-V'])('tells its version for %s', async (flag) => {
    const { code, io } = await started(flag)
    expect(code).toBe(0)
    expect(io.stdout.text).toBe('1.2.3\n')
  })

  it.each([
    ['--help'],
    ['help'],
    ['listen', '--help'],
    ['help', 'listen'],
    ['demo', '--help'],
    ['broker', '--help'],
    ['broker', 'start', '--help'],
  ])('explains itself on stdout for %s %s', async (...argv) => {
    const { code, io } = await started(...argv)
    expect(code).toBe(0)
    expect(io.stdout.text).toMatch(/^Usage: hermod/)
    expect(io.stdout.text).toContain('Examples:')
    expect(io.stderr.text).toBe('')
  })

  it('explains itself on stderr, as a usage error, for nothing at all', async () => {
    const { code, io } = await started()
    expect(code).toBe(2)
    expect(io.stdout.text).toBe('')
    expect(io.stderr.text).toContain('Usage: hermod')
  })

  it('suggests a command', async () => {
    const { code, io } = await started('lisen')
    expect(code).toBe(2)
    expect(io.stderr.lines).toEqual(["hermod: unknown command 'lisen'", 'hermod: (Did you mean listen?)'])
  })

  it('repeats no password of a misplaced URL', async () => {
    const { code, io } = await started('amqp://u:hunter2@h/')
    expect(code).toBe(2)
    expect(io.everything).not.toContain('hunter2')
  })
})
