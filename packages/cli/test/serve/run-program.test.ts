import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { runProgram } from '../../src/serve/run-program.ts'

const never = new AbortController().signal

interface Run {
  readonly args?: readonly string[]
  readonly input?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a piece of JavaScript as a program. */
function run(code: string, options: Run = {}): Promise<string> {
  const { args = [], input = '', timeoutMs = 60_000, signal = never, env = {} } = options
  return runProgram({ argv: [process.execPath, '-e', code, '--', ...args], env, timeoutMs }, input, signal)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Starts a grandchild that would live for a minute, writes its pid to a file and waits. */
const WITH_GRANDCHILD = `
  const { spawn } = require('node:child_process')
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' })
  require('node:fs').writeFileSync(process.argv[1] + '.new', String(child.pid))
  require('node:fs').renameSync(process.argv[1] + '.new', process.argv[1])
  setTimeout(() => {}, 60000)`

describe('runProgram', () => {
  it('gives stdout, with the input on stdin', async () => {
    const text = 'ünïcode \u{1f6f0}\n'.repeat(10_000)
    expect(await run('process.stdin.pipe(process.stdout)', { input: text })).toBe(text)
  })

  it('hands over arguments as they are, without a shell', async () => {
    const args = ['a b', '$HOME', '`id`', '; exit 3', '*', '"', "'", '']
    expect(JSON.parse(await run('console.log(JSON.stringify(process.argv.slice(1)))', { args }))).toEqual(
      args,
    )
  })

  it('hands over the environment given and no other', async () => {
    const env = JSON.parse(
      await run('console.log(JSON.stringify(process.env))', { env: { A: '1' } }),
    ) as object
    expect(env).toHaveProperty('A', '1')
    expect(env).not.toHaveProperty('PATH')
  })

  it('does not mind a program that reads nothing', async () => {
    expect(await run('process.stdin.destroy(); console.log(1)', { input: 'x'.repeat(1_000_000) })).toBe('1\n')
  })

  it.each([
    ['console.error("too bad\\nmore"); process.exit(3)', 'too bad'],
    ['console.error("\\n\\r\\n  too bad"); process.exit(3)', 'too bad'],
    ['process.exit(3)', 'exit status 3'],
    ['process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 60000)', 'killed by SIGTERM'],
    ['console.log("out"); console.error("x".repeat(100000)); process.exitCode = 1', 'x'.repeat(4096)],
  ])('fails with the first line of stderr, or with how it ended: %s', async (code, message) => {
    await expect(run(code)).rejects.toMatchObject({
      remoteClass: 'CommandFailed',
      remoteModule: 'hermod',
      message,
    })
  })

  it('fails when there is no such program', async () => {
    const options = { argv: ['/nowhere/at/all'] as const, env: {}, timeoutMs: 1000 }
    await expect(runProgram(options, '', never)).rejects.toThrow('the program cannot be started (ENOENT)')
  })

  it('kills what writes too much', async () => {
    const endless = 'const b = Buffer.alloc(1 << 20); const w = () => process.stdout.write(b, w); w()'
    await expect(run(endless)).rejects.toThrow('it wrote more than 16777216 bytes')
  })

  it('kills what runs too long', async () => {
    await expect(run('setTimeout(() => {}, 60000)', { timeoutMs: 50 })).rejects.toThrow(
      'it ran longer than 50 ms',
    )
  })

  it('waits for nothing that left its process group and holds its output open', async () => {
    const escape = `
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'], { stdio: 'inherit', detached: true })
      require('node:fs').writeSync(1, String(child.pid))
      setTimeout(() => {}, 60000)`
    const beganMs = performance.now()
    await expect(run(escape, { timeoutMs: 1000 })).rejects.toThrow('it ran longer than 1000 ms')
    expect(performance.now() - beganMs).toBeLessThan(10_000)
  })

  it('kills it and what it started when the signal aborts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hermod-'))
    const file = join(folder, 'pid')
    const abort = new AbortController()
    const running = run(WITH_GRANDCHILD, { args: [file], signal: abort.signal })
    const outcome = running.catch((error: unknown) => error)
    const pid = await eventually(async () => Number(await readFile(file, 'utf8').catch(() => '')) || false)
    expect(isAlive(pid)).toBe(true)
    abort.abort()
    expect(await outcome).toMatchObject({ message: 'the server stops' })
    await eventually(() => !isAlive(pid))
    await rm(folder, { recursive: true })
  })

  it('starts nothing once the signal has aborted', async () => {
    const options = { argv: ['/nowhere/at/all'] as const, env: {}, timeoutMs: 1000 }
    await expect(runProgram(options, '', AbortSignal.abort())).rejects.toThrow('the server stops')
  })
})
