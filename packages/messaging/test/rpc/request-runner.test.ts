import { settled } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { createRpcServer } from '../../src/index.ts'
import { ScriptedDriver, ScriptedRequest, transportOn } from './scripted-requests.ts'

describe('a server of calls', () => {
  it('runs no method in the turn in which its request is accepted: what says so must have left', async () => {
    const driver = new ScriptedDriver()
    const story: string[] = []
    class Accepted extends ScriptedRequest {
      override accept(): 'accepted' {
        // As a driver does that writes what it gathers at the end of the turn.
        if (story.at(-1) !== 'accept') setImmediate(() => story.push('written'))
        story.push('accept')
        return 'accepted'
      }
    }
    const server = createRpcServer(
      transportOn(driver),
      { topic: 't', server: 's' },
      { endpoints: [{ run: () => story.push('run') }], concurrency: 2 },
    )
    await server.start()
    for (let request = 0; request < 3; request++) driver.deliver(new Accepted({ method: 'run', args: {} }))
    await settled()
    expect(story.join(' ')).toBe('accept accept written run run accept written run')
  })

  it('runs no method that it gave up before', async () => {
    const driver = new ScriptedDriver()
    let runs = 0
    const server = createRpcServer(
      transportOn(driver),
      { topic: 't', server: 's' },
      { endpoints: [{ run: () => runs++ }] },
    )
    await server.start()
    const request = driver.request('run')
    await server.stop({ timeoutMs: 0 })
    await settled()
    expect(request.replies.length).toBe(1)
    expect(runs).toBe(request.replies[0]!.failure === undefined ? 1 : 0)
  })
})
