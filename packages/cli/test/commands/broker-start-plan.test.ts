import { describe, expect, it } from 'vitest'
import { FakeIo } from '../fake-io.ts'

const PASSWORD = 'hunter2-pa55'

/** Runs a command line that must be refused; gives what stderr says. */
async function refused(...argv: readonly string[]): Promise<string> {
  const io = new FakeIo()
  expect(await io.finish('broker', ...argv)).toBe(2)
  expect(io.stdout.text).toBe('')
  expect(io.everything).not.toContain(PASSWORD)
  return io.stderr.text
}

describe('the flags of hermod broker start', () => {
  it.each([
    [['--listen', 'broker'], 'hermod: --listen is no address; write HOST:PORT, [IPV6]:PORT or a port'],
    [['--listen', '127.0.0.1:70000'], 'hermod: --listen is no address'],
    [['--listen', `amqp://u:${PASSWORD}@h:5672`], 'hermod: --listen is no address'],
    [['--listen', '0.0.0.0:5672'], 'hermod: --listen 0.0.0.0:5672 is reached by others; say who may connect'],
    [['--listen', '[::]:5672'], 'is reached by others'],
    [['--listen', '127.0.0.1.example:5672'], 'is reached by others'],
    [['--user', `:${PASSWORD}`], 'hermod: --user has an empty name'],
    [['--user', 'app:'], "hermod: --user 'app:' has an empty password; leave the colon out"],
    [['--user', 'app', '--user', `app:${PASSWORD}`], "hermod: --user 'app' is given twice"],
    [['--vhost', ''], 'hermod: --vhost is empty'],
    [
      ['--profile', 'rabbitmq-2'],
      "hermod: --profile 'rabbitmq-2' is not one of rabbitmq-3.10, rabbitmq-3.13, rabbitmq-4.2, rabbitmq-4.3",
    ],
    [['--tls-cert', 'a.pem'], 'hermod: --tls-cert and --tls-key belong together'],
    [['--pid-file', ''], 'hermod: --pid-file is empty'],
    [['--log', ''], 'hermod: --log is empty'],
    [['--detach', '--config', '-'], 'hermod: --config - reads stdin'],
    [[`--pasword=${PASSWORD}`], "hermod: unknown option '--pasword'"],
  ])('%j', async (flags, complaint) => {
    expect(await refused('start', ...flags)).toContain(complaint)
  })

  it('are all looked at', async () => {
    const said = await refused('start', '--listen', 'x', '--profile', 'y', '--tls-key', 'z')
    expect(said.trim().split('\n')).toHaveLength(3)
  })
})

describe('the flags of hermod broker stop and status', () => {
  it.each([
    [['status', '-o', 'xml'], "hermod: --output 'xml' is not one of pretty, json"],
    [['stop', '-o', 'json'], "hermod: unknown option '-o'"],
    [['stop', '--timeout', '5'], "hermod: --timeout '5' is not a duration"],
    [['status', '--pid-file', ''], 'hermod: --pid-file is empty'],
    [['stopp'], "hermod: unknown command 'stopp'"],
  ])('%j', async (argv, complaint) => {
    expect(await refused(...argv)).toContain(complaint)
  })
})
