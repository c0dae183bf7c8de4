import { PassThrough } from 'node:stream'
import { createDeferred } from '@hermod/kernel'
import { settled } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { BackgroundProcess } from '../../src/background-process.ts'
import { FakeIo } from '../fake-io.ts'

/** A process of which nothing runs. */
class FakeProcess implements BackgroundProcess {
  readonly pid = 4711
  readonly stdout = new PassThrough()
  readonly stderr = new PassThrough()
  readonly end = createDeferred<number>()
  readonly ended: Promise<number> = this.end.promise
  readonly done: string[] = []
  readonly release = (): void => void this.done.push('released')
  readonly kill = (): void => void this.done.push('killed')
}

function world(): { readonly io: FakeIo; readonly child: FakeProcess } {
  const io = new FakeIo()
  const child = new FakeProcess()
  io.background = child
  return { io, child }
}

describe('hermod broker start --detach', () => {
  it('starts the same without the flag, shows its URL, and lets go of it', async () => {
    const { io, child } = world()
    const flags = [
      '--listen',
      '0',
      '--user',
      'a:b',
      '--user',
      'c',
      '--vhost',
      '/',
      '--pid-file',
      'x.pid',
      '-q',
    ]
    const running = io.launch('broker', 'start', '--detach', ...flags)
    await settled()
    child.stderr.write('hermod: a note of it\n')
    child.stdout.write('amqp://c:made-up@127.0.0.1:1')
    await settled()
    expect(running.ended).toBe(false)
    child.stdout.write('/%2F\n')
    expect(await running.code).toBe(0)
    expect(io.startedInBackground).toEqual([
      ['broker', 'start', '--listen=0', '--user=a:b', '--user=c', '--vhost=/', '--pid-file=x.pid', '--quiet'],
    ])
    expect(io.stdout.text).toBe('amqp://c:made-up@127.0.0.1:1/%2F\n')
    expect(io.stderr.text).toBe('hermod: a note of it\n')
    expect(child.done).toEqual(['released'])
  })

  it('says where it runs', async () => {
    const { io, child } = world()
    const running = io.launch('broker', 'start', '--detach')
    child.stdout.write('amqp://h/\n')
    expect(await running.code).toBe(0)
    expect(io.stderr.lines.at(-1)).toBe(
      "hermod: it runs in the background (process 4711); 'hermod broker stop' ends it",
    )
  })

  it('fails as the broker does', async () => {
    const { io, child } = world()
    const running = io.launch('broker', 'start', '--detach')
    await settled()
    child.stderr.write('hermod: cannot listen\n')
    await settled()
    child.end.resolve(4)
    expect(await running.code).toBe(4)
    expect(io.stderr.text).toBe('hermod: cannot listen\n')
    expect(io.stdout.text).toBe('')
  })

  it('does not wait for ever, and leaves nothing behind', async () => {
    const { io, child } = world()
    const running = io.launch('broker', 'start', '--detach')
    await settled()
    io.clock.advance(15_000)
    expect(await running.code).toBe(5)
    expect(io.stderr.text).toContain('did not come up within 15 s')
    expect(child.done).toEqual(['killed', 'released'])
  })

  it('ends the broker with Ctrl-C before it listens', async () => {
    const { io, child } = world()
    const running = io.launch('broker', 'start', '--detach')
    await settled()
    io.signal('SIGINT')
    expect(await running.code).toBe(130)
    expect(child.done).toEqual(['killed', 'released'])
  })
})
