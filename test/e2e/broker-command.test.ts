import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from '@hermod/amqp'
import { eventually } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeCertificates } from '../interop/test-certificates.ts'
import { runHermod, startHermod, type CommandEnd } from './running-command.ts'

const PASSWORD = 'hunter2-pa55'

let folder = ''
let pidFile = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermod-broker-'))
  pidFile = join(folder, 'b.pid')
})
afterEach(async () => {
  await hermod('stop')
  rmSync(folder, { recursive: true, force: true })
})

/** `hermod broker …` on the pid file of this test; a broker listens on a free port. */
function hermod(kind: 'start' | 'stop' | 'status', ...flags: readonly string[]): Promise<CommandEnd> {
  return runHermod(argumentsFor(kind, flags))
}

function argumentsFor(kind: 'start' | 'stop' | 'status', flags: readonly string[]): readonly string[] {
  const free = kind === 'start' && !flags.includes('--listen') ? ['--listen', '0'] : []
  return ['broker', kind, '--pid-file', pidFile, ...free, ...flags]
}

interface Status {
  readonly running: boolean
  readonly pid: number
  readonly url: string
  readonly connections: number
}

async function status(): Promise<Status> {
  return JSON.parse((await hermod('status')).stdout) as Status
}

/** A connection that tells what ended it. */
async function connected(url: string): Promise<Connection> {
  return Connection.connect(url, { reconnect: false })
}

describe('hermod broker in the background', () => {
  it('starts, says how it is, and stops', async () => {
    const started = await hermod('start', '--detach')
    expect(started.code).toBe(0)
    const url = started.stdout.trimEnd()
    expect(url).toMatch(/^amqp:\/\/hermod:[\w-]{24}@127\.0\.0\.1:\d+\/%2F$/)
    expect(started.stderr).toMatch(/listens on 127\.0\.0\.1:\d+; it keeps everything in memory only/)
    expect(started.stderr).toMatch(/password of 'hermod' was made up now and is shown this once/)
    expect(started.stderr).toMatch(/runs in the background \(process \d+\)/)
    const password = /hermod:([^@]+)@/.exec(url)?.[1] as string
    expect(started.stderr).not.toContain(password)

    expect(readdirSync(folder).toSorted()).toEqual(['b.pid', 'b.sock'])
    expect(statSync(join(folder, 'b.sock')).mode & 0o777).toBe(0o600)

    const connection = await connected(url)
    const channel = await connection.openChannel()
    await channel.declareQueue('kept')
    await channel.publish('', 'kept', Buffer.from('x'))
    const shown = await hermod('status')
    expect(shown.code).toBe(0)
    expect(shown.stdout).not.toContain(password)
    expect(JSON.parse(shown.stdout)).toMatchObject({
      running: true,
      pid: Number(readFileSync(pidFile, 'utf8')),
      url: url.replace(`:${password}`, ''),
      profile: 'rabbitmq-4.2',
      users: ['hermod'],
      virtual_hosts: ['/'],
      connections: 1,
      channels: 1,
      queues: 1,
      messages_ready: 1,
      alarms: [],
    })
    expect((await hermod('status', '-o', 'pretty')).stdout).toMatch(/^messages {7}1 ready, 0 unsettled$/m)

    const stopped = await hermod('stop')
    expect(stopped).toMatchObject({ code: 0, stdout: '' })
    expect(await connection.closed).toMatchObject({ error: { details: { replyCode: 320 } } })
    expect(readdirSync(folder)).toEqual([])
    expect(await hermod('stop')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no broker runs') as string,
    })
    expect(await hermod('status')).toMatchObject({ code: 1, stdout: '{"running":false}\n' })
  })

  it('runs once under a pid file, whoever starts it', async () => {
    const starts = await Promise.all([1, 2, 3].map(() => hermod('start', '--detach')))
    expect(starts.filter(({ code }) => code === 0)).toHaveLength(1)
    expect(starts.filter(({ code }) => code === 3)).toHaveLength(2)
    const refused = starts.find(({ code }) => code === 3)
    expect(refused?.stderr).toMatch(/hermod: a broker \(process \d+\) runs already under .*b\.pid/)
    expect((await status()).running).toBe(true)
  })

  it('takes over what a broker left that was killed', async () => {
    await hermod('start', '--detach')
    const { pid } = await status()
    process.kill(pid, 'SIGKILL')
    await eventually(async () => !(await status()).running)
    expect((await hermod('status', '-o', 'pretty')).stderr).toContain(
      `process ${pid}, which is no broker any more`,
    )
    expect(existsSync(pidFile)).toBe(true)
    await eventually(() => hasEnded(pid))
    const again = await hermod('start', '--detach')
    expect(again.stderr).toContain(`was of a broker that has ended (process ${pid})`)
    expect(again.code).toBe(0)
    expect((await status()).pid).not.toBe(pid)
  })

  it('fails as it would in the foreground', async () => {
    await using taken = startHermod(argumentsFor('start', ['--user', 'guest:guest']))
    await taken.saying(/listens on 127\.0\.0\.1:\d+/)
    const port = /listens on 127\.0\.0\.1:(\d+)/.exec(taken.stderr)?.[1] as string
    const other = ['broker', 'start', '--detach', '--pid-file', join(folder, 'other.pid')]
    const { code, stdout, stderr } = await runHermod([...other, '--listen', port])
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toBe(`hermod: cannot listen on 127.0.0.1, port ${port} (EADDRINUSE)\n`)
    expect(readdirSync(folder).toSorted()).toEqual(['b.pid', 'b.sock'])
  })
})

describe('hermod broker in the foreground', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends with %s, and tells its clients', async (signal, exitCode) => {
    await using broker = startHermod(argumentsFor('start', ['--user', `app:${PASSWORD}`, '--vhost', '/app']))
    await broker.saying(/can be read by every user of this machine/)
    const { url } = await eventuallyStatus()
    expect(url).toMatch(/^amqp:\/\/app@127\.0\.0\.1:\d+\/%2Fapp$/)
    const connection = await connected(url.replace('app@', `app:${PASSWORD}@`))
    broker.signal(signal)
    expect(await connection.closed).toMatchObject({ error: { details: { replyCode: 320 } } })
    const { code, stdout, stderr } = await broker.ended
    expect(code).toBe(exitCode)
    expect(stdout).toBe(`${url}\n`)
    expect(stdout + stderr).not.toContain(PASSWORD)
    expect(readdirSync(folder)).toEqual([])
  })

  it('takes users, virtual hosts, profile and TLS from a file', async () => {
    using certificates = makeCertificates()
    const config = join(folder, 'broker.json')
    const content = {
      listen: '127.0.0.1:0',
      users: [{ name: 'app', password: PASSWORD, virtual_hosts: ['/app'] }],
      virtual_hosts: ['/app', '/other'],
      profile: 'rabbitmq-3.10',
      tls_cert: certificates.serverCertFile,
      tls_key: certificates.serverKeyFile,
    }
    writeFileSync(config, JSON.stringify(content), { mode: 0o600 })
    await using broker = startHermod(['broker', 'start', '--pid-file', pidFile, '--config', config])
    await broker.saying(/a broker like rabbitmq-3\.10 listens/)
    const { url } = await eventuallyStatus()
    expect(url).toMatch(/^amqps:\/\/app@127\.0\.0\.1:\d+\/%2Fapp$/)
    const port = Number(new URL(url).port)
    const server = {
      hostname: 'localhost',
      port,
      username: 'app',
      password: PASSWORD,
      tls: { ca: certificates.ca },
    }
    const connection = await Connection.connect({ ...server, virtualHost: '/app' }, { reconnect: false })
    await connection.close()
    await expect(
      Connection.connect({ ...server, virtualHost: '/other' }, { reconnect: false }),
    ).rejects.toMatchObject({
      details: { replyCode: 530 },
    })
    expect((await hermod('stop')).code).toBe(0)
    const { code, stderr } = await broker.ended
    expect(code).toBe(0)
    expect(stderr).not.toContain(PASSWORD)
  })

  it('says what is wrong with its configuration, with status 3', async () => {
    const config = join(folder, 'broker.json')
    writeFileSync(config, JSON.stringify({ listen: '0.0.0.0:0' }))
    const open = await runHermod(['broker', 'start', '--pid-file', pidFile, '--config', config])
    expect(open.code).toBe(3)
    expect(open.stderr).toContain('0.0.0.0 is reached by others; say who may connect')
    const long = await runHermod(['broker', 'start', '--pid-file', join(folder, 'x'.repeat(120))])
    expect(long).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('too long for a socket') as string,
    })
    expect(readdirSync(folder)).toEqual(['broker.json'])
  })

  async function eventuallyStatus(): Promise<Status> {
    await eventually(async () => (await status()).running)
    return status()
  }
})

describe('the log of hermod broker', () => {
  it('is kept in the background: who connects and ends, what is refused, and no password', async () => {
    const log = join(folder, 'b.log')
    const started = await hermod('start', '--detach', '--log', log, '--user', `app:${PASSWORD}`)
    expect(started).toMatchObject({ code: 0 })
    const url = started.stdout.trimEnd()
    const connection = await connected(url.replace('app@', `app:${PASSWORD}@`))
    await expect(connection.queueStatus('absent')).resolves.toBeUndefined()
    const wrong = url.replace('app@', 'app:wr0ng-pa55@')
    await expect(connected(wrong)).rejects.toMatchObject({ code: 'E_AUTH' })
    const shown = await hermod('status')
    expect(JSON.parse(shown.stdout)).toMatchObject({ log })
    const { pid } = JSON.parse(shown.stdout) as Status
    expect((await hermod('status', '-o', 'pretty')).stdout).toContain(`\nlog            ${log}\n`)
    await hermod('stop')
    await connection.closed

    expect(statSync(log).mode & 0o777).toBe(0o600)
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S/)
    const said = lines.map((line) => line.slice(line.indexOf(' ') + 1))
    expect(said).toEqual([
      expect.stringMatching(new RegExp(`^process ${pid} of hermod `)),
      expect.stringMatching(/^a broker like rabbitmq-4\.2 listens on 127\.0\.0\.1:\d+; /),
      expect.stringMatching(/^the password in --user can be read/),
      expect.stringMatching(/^a connection is open \(peer .*, user app, virtualHost \/\)$/),
      expect.stringMatching(
        /^a channel is closed \(peer .*, channel 1, replyCode 404, replyText NOT_FOUND - no queue 'absent' /,
      ),
      expect.stringMatching(/^a connection is refused \(peer .*, replyCode 403, /),
      expect.stringMatching(/^the broker ends; 1 connection to close$/),
      expect.stringMatching(/^a connection is closed \(peer .*, replyCode 320, /),
      expect.stringMatching(/^a connection has ended \(peer .*\)$/),
    ])
    for (const secret of [PASSWORD, 'wr0ng-pa55']) expect(said.join('\n')).not.toContain(secret)
  })

  it('is added to, also in the foreground and by a broker that is quiet', async () => {
    const log = join(folder, 'b.log')
    writeFileSync(log, 'of before\n', { mode: 0o640 })
    for (let run = 0; run < 2; run++) {
      await using broker = startHermod(argumentsFor('start', ['--log', log, '--quiet']))
      await eventually(async () => (await status()).running)
      await hermod('stop')
      expect(await broker.ended).toMatchObject({ code: 0, stderr: '' })
    }
    const text = readFileSync(log, 'utf8')
    expect(text.startsWith('of before\n')).toBe(true)
    expect(text.match(/ listens on 127/g)).toHaveLength(2)
    expect(text.match(/ was made up now/g)).toHaveLength(2)
    expect(statSync(log).mode & 0o777).toBe(0o640)
  })

  it('is refused with status 3 where it cannot be written, and is told why a start fails', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const missing = join(folder, 'missing', 'b.log')
    for (const [path, complaint, ...detach] of [
      [missing, `${missing} cannot be written (ENOENT)`, '--detach'],
      [folder, `${folder} cannot be written (EISDIR)`],
      [pipe, `${pipe} cannot be written (ENXIO)`],
      ['/dev/null', '/dev/null is no file; give --log a path to one'],
    ] as const)
      expect(await hermod('start', '--log', path, ...detach)).toEqual({
        code: 3,
        stdout: '',
        stderr: `hermod: the log ${complaint}\n`,
      })
    expect(readdirSync(folder)).toEqual(['pipe'])

    const log = join(folder, 'b.log')
    await using taken = startHermod(argumentsFor('start', []))
    await taken.saying(/listens on 127\.0\.0\.1:\d+/)
    expect(await hermod('start', '--detach', '--log', log)).toMatchObject({ code: 3 })
    expect(readFileSync(log, 'utf8')).toMatch(/Z a broker \(process \d+\) runs already under .*b\.pid/)
  })
})

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}
