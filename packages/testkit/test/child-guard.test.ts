import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { GUARD_PROGRAM } from '../src/child-guard.ts'
import { eventually } from '../src/eventually.ts'

/** Holds the only end of the pipe into a guard, and hands on what it is told. */
const OWNER = `
const { spawn } = require('node:child_process')
const guard = spawn(process.execPath, ['-e', process.argv[1]], { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
process.stdin.on('data', (data) => guard.stdin.write(data, () => console.log('handed on')))
`

function startSleeper(): ChildProcess {
  const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void sleeper.kill('SIGKILL'))
  return sleeper
}

it('ends children and removes folders when their owner was killed', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermod-guard-'))
  const [guarded, released] = [startSleeper(), startSleeper()]
  const owner = spawn(process.execPath, ['-e', OWNER, GUARD_PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  const changes = [
    ['pid', 'add', guarded.pid],
    ['pid', 'add', released.pid],
    ['folder', 'add', folder],
    ['pid', 'remove', released.pid],
  ]
  owner.stdin.write(changes.map((change) => `${JSON.stringify(change)}\n`).join(''))
  await once(owner.stdout, 'data')
  const ended = once(guarded, 'exit')

  owner.kill('SIGKILL')

  expect(await ended).toEqual([null, 'SIGKILL'])
  await eventually(() => !existsSync(folder))
  expect(released.signalCode).toBeNull()
})
