import { describe, expect, it } from 'vitest'
import { FakeIo } from '../fake-io.ts'

const PASSWORD = 'hunter2-pa55'

/** Runs a command line that must be refused; gives what stderr says. */
async function refused(...flags: readonly string[]): Promise<string> {
  const io = new FakeIo()
  io.env = { HERMOD_URL: `amqp://user:${PASSWORD}@broker/` }
  const running = await io.start('listen', ...flags)
  expect(await running.code).toBe(2)
  expect(io.opened).toEqual([])
  expect(io.stdout.text).toBe('')
  expect(io.everything).not.toContain(PASSWORD)
  return io.stderr.text
}

describe('the flags of hermod listen', () => {
  it.each([
    [['--for', 'soon'], "hermod: --for 'soon' is not a duration; give a number with ms, s, m or h"],
    [['--until-idle', '5'], "hermod: --until-idle '5' is not a duration"],
    [['--for', '0s'], "hermod: --for '0s' is no time at all"],
    [['--connect-timeout', '1d'], "hermod: --connect-timeout '1d' is not a duration"],
    [['-n', '0'], "hermod: --count '0' is not a whole number from 1"],
    [['-n', '1.5'], "hermod: --count '1.5'"],
    [['-n', '1e3'], "hermod: --count '1e3'"],
    [['-o', 'xml'], "hermod: --output 'xml' is not one of pretty, ndjson"],
    [
      ['-p', 'loud'],
      "hermod: --priority 'loud' is not one of audit, debug, info, warn, error, critical, sample",
    ],
    [['-s', 'nova,'], 'hermod: --service has an empty name'],
    [['-x', ''], 'hermod: --exchange has an empty name'],
    [['-t', ''], 'hermod: --topic has an empty name'],
    [['-t', '#'], "hermod: --topic '#' holds a wildcard"],
    [['-t', 'notifications.#'], 'remote calls, which carry tokens'],
    [['-t', '*'], "hermod: --topic '*' holds a wildcard"],
    [['-t', 'x'.repeat(254)], 'hermod: --topic is longer than 253 bytes'],
    [['!'], "hermod: pattern '!' is empty"],
    [[`amqp://u:${PASSWORD}@h/`], 'hermod: a pattern looks like a URL'],
    [['--url', 'amqp://h', '--url-file', 'f'], 'exclude each other'],
    [['--url', ''], 'hermod: --url is empty'],
    [['--tls-cert', 'f'], 'hermod: --tls-cert and --tls-key belong together'],
    [['--url', `http://u:${PASSWORD}@h/`], "hermod: --url: the scheme 'http' is not known"],
    [['--url', `amqp://u:${PASSWORD}@h/?x=1`], "'x'"],
    [['--for'], "hermod: option '--for <duration>' argument missing"],
    [['--forr', '5s'], "hermod: unknown option '--forr'\nhermod: (Did you mean --for?)"],
    [[`--urll=amqp://u:${PASSWORD}@h/`], "hermod: unknown option '--urll'"],
  ])('%j is refused', async (flags, text) => {
    expect(await refused(...flags)).toContain(text)
  })

  it('has one line for each problem', async () => {
    const text = await refused('--for', 'soon', '-n', 'many', '-o', 'xml')
    expect(text.trim().split('\n')).toHaveLength(3)
  })

  it('needs a broker', async () => {
    const io = new FakeIo()
    const running = await io.start('listen')
    expect(await running.code).toBe(2)
    expect(io.stderr.text).toMatch(/^hermod: no broker named; give --url.*HERMOD_URL/)
  })
})
