import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findPython, needs } from '../src/availability.ts'
import { startPython } from '../src/python-peer.ts'

const gate = needs(findPython(['json']))

/** Answers each line with its own JSON, as Python reads and writes it. */
const ECHO = `
import json, sys
print(json.dumps({"args": sys.argv[1:]}), flush=True)
for line in sys.stdin:
    value = json.loads(line)
    if value == "fail":
        print(json.dumps({"error": "as you wish"}), flush=True)
    elif value == "die":
        sys.exit("some last words")
    elif value == "noise":
        print("not json", flush=True)
    else:
        print(json.dumps({"text": json.dumps(value)}), flush=True)
print("good bye", file=sys.stderr)
`

describe.skipIf(gate.skip)(`a Python peer${gate.note}`, () => {
  let folder = ''
  let script = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hermod-peer-'))
    script = join(folder, 'echo.py')
    writeFileSync(script, ECHO)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is given arguments, commands and raw lines, and ends with its stdin', async () => {
    const peer = startPython(script, ['a b', '$HOME'])
    expect(await peer.next()).toEqual({ args: ['a b', '$HOME'] })
    expect(await peer.ask({ snow: 'é☃' })).toEqual({ text: '{"snow": "\\u00e9\\u2603"}' })
    expect(await peer.ask('[NaN, 36893488147419103232]')).toEqual({ text: '[NaN, 36893488147419103232]' })
    await peer[Symbol.asyncDispose]()
    expect(peer.stderr).toBe('good bye\n')
  })

  it('leads a process group of its own, for whoever started the tests may be gone', async () => {
    const group = join(folder, 'group.py')
    writeFileSync(group, 'import os; print(\'{"leads": %s}\' % str(os.getpgrp() == os.getpid()).lower())')
    await using peer = startPython(group)
    expect(await peer.next()).toEqual({ leads: true })
  })

  it('keeps lines until somebody takes them', async () => {
    await using peer = startPython(script)
    for (const number of [1, 2, 3]) peer.send([number])
    expect(await peer.until((line) => line['text'] === '[2]')).toEqual({ text: '[2]' })
    expect(await peer.next()).toEqual({ text: '[3]' })
  })

  it('loses no line over a wait that timed out', async () => {
    await using peer = startPython(script)
    await peer.next()
    await expect(peer.next({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(await peer.ask([4])).toEqual({ text: '[4]' })
  })

  it('rejects with the answer of a command that failed', async () => {
    await using peer = startPython(script)
    await peer.next()
    await expect(peer.ask('"fail"')).rejects.toThrow('as you wish')
    await expect(peer.ask('"noise"')).rejects.toThrow('not a line of JSON: not json')
  })

  it('tells its last words when it died', async () => {
    await using peer = startPython(script)
    await peer.next()
    await expect(peer.ask('"die"')).rejects.toMatchObject({
      code: 'E_CONN_LOST',
      message: expect.stringMatching(/echo\.py ended with 1\nsome last words$/) as string,
    })
  })
})
