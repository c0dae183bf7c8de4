import { findPython, needs } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { TerminalRun } from './terminal-run.ts'

const gate = needs(findPython([]))

/** Nobody listens there: what is sent on ends with status 4. */
const NOWHERE = { HERMOD_URL: 'amqp://u:hunter2@127.0.0.1:1/' }

describe.skipIf(gate.skip)(`hermod rpc on a terminal${gate.note}`, () => {
  it.each([
    ['y', 'y\r', 4],
    ['n', 'n\r', 1],
    ['nothing', '\r', 1],
    ['Ctrl-D', '\u0004', 1],
    ['Ctrl-C', '\u0003', 130],
  ])('asks before it calls a service: %s', async (_, answer, code) => {
    await using run = new TerminalRun(['rpc', 'call', 'compute@node1', 'terminate_instance'], {
      env: NOWHERE,
      stderrOnTerminal: true,
    })
    await run.showing("hermod: send call 'terminate_instance' to nova (compute@node1)? [y/N] ")
    run.type(answer)
    expect(await run.exit).toBe(code)
    expect(run.stdout.includes('nothing was sent')).toBe(code === 1)
    expect(run.stdout.includes('127.0.0.1:1')).toBe(code === 4)
    expect(run.stdout).not.toContain('hunter2')
  })

  it('refuses where stderr is not on the terminal: the question would not be seen', async () => {
    await using run = new TerminalRun(['rpc', 'call', 'compute@node1', 'x'], { env: NOWHERE })
    expect(await run.exit).toBe(2)
    expect(run.stderr).toContain('give --yes if you mean it')
  })
})
