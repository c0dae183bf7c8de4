import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BlockedPlay } from './blocked-scenario.ts'

/** Plays it with a Python library, which asks for the pressure on its output. */
export const blockPython =
  (library: string): BlockedPlay =>
  async (url, pressure) => {
    const program = fileURLToPath(new URL(`../peers/${library}_blocked.py`, import.meta.url))
    const child = spawn('/usr/bin/python3', [program, url], {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    let stderr = ''
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
    const ended = once(child, 'close')
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, queue = ''] = line.split(' ')
      if (line.startsWith('[')) return JSON.parse(line) as readonly string[]
      if (word === 'begin') await pressure.begin()
      child.stdin.write(`${word === 'begin' ? 0 : await pressure.end(queue)}\n`)
    }
    throw new Error(`${library} ended with ${String(await ended)}\n${stderr}`)
  }
